"""Why the decoder refuses a film, by code, in the language of the person who reads it.

`pneumoml` knows no Django: its templates are repeated here for the catalogues of translations, and a test
compares the two.
"""

from collections.abc import Mapping

from django.utils.translation import gettext, gettext_noop

TEMPLATES: dict[str, tuple[str, ...]] = {
    "empty_file": (gettext_noop("The file is empty. Choose the file again and upload it once more."),),
    "file_too_large": (
        gettext_noop("The file is larger than %(limit)s MB. Export the film as a smaller file."),
    ),
    "several_frames": (
        gettext_noop("The file holds %(count)s pictures. Upload one film per file, without animation."),
        gettext_noop("The file holds %(count)s pictures. Upload one film per file, no series."),
    ),
    "colour_space": (
        gettext_noop("The picture uses print colours (CMYK). Save it as grey or RGB."),
        gettext_noop(
            "The picture uses print colours (CMYK), not the greys of a film. Save it as grey or RGB."
        ),
    ),
    "broken_image": (
        gettext_noop(
            "The picture is damaged or incomplete and cannot be read to its end. Export or copy the film "
            "again."
        ),
        gettext_noop(
            "The picture in the DICOM file is damaged, or cannot be unpacked. Export the film uncompressed, "
            "or as JPEG or PNG."
        ),
        gettext_noop(
            "The picture inside the DICOM file has another size than its header says. Export the film again."
        ),
    ),
    "unsupported_format": (
        gettext_noop("This is %(format)s. Export the film as JPEG or PNG."),
        gettext_noop("This is a web page or an SVG drawing, not a film. Upload the film itself."),
        gettext_noop("This is a lossless or arithmetic-coded JPEG. Export the film as ordinary JPEG or PNG."),
    ),
    "not_an_image": (
        gettext_noop("This is not a JPEG or PNG picture, nor a DICOM file. Upload the film as one of them."),
    ),
    "broken_header": (gettext_noop("The %(format)s header is damaged. Export or copy the film again."),),
    "zero_size": (gettext_noop("The picture has no pixels. Export the film again."),),
    "too_small": (
        gettext_noop("The picture is %(width)s × %(height)s pixels; a film needs at least %(least)s a side."),
    ),
    "too_many_pixels": (
        gettext_noop(
            "The picture is %(width)s × %(height)s pixels; at most %(side)s along a side and %(all)s million "
            "in all are accepted. Export the film smaller."
        ),
    ),
    "dicom_document": (
        gettext_noop(
            "This DICOM file holds a document (a PDF, for example), not a film. Upload the film itself."
        ),
    ),
    "dicom_report": (
        gettext_noop("This DICOM file holds a report or notes, not a film. Upload the film itself."),
    ),
    "dicom_modality": (
        gettext_noop(
            "The DICOM file holds %(kind)s. Only plain radiographs are read here: modality CR, DX, RF or RG."
        ),
    ),
    "dicom_for_processing": (
        gettext_noop(
            "This is the detector's raw picture, not yet made for viewing. Send the one “for presentation”."
        ),
    ),
    "dicom_colour": (
        gettext_noop("The DICOM file holds a colour picture, not the greys of a film. Upload the film."),
    ),
    "dicom_bits": (
        gettext_noop(
            "The pixels are stored unusually. Export the film with 8 to 16 bits a pixel, not shifted."
        ),
    ),
    "dicom_without_picture": (gettext_noop("There is no picture in this DICOM file. Upload the film."),),
    "dicom_directory": (
        gettext_noop("This is a DICOM directory, not a film. Upload the films that it lists."),
    ),
    "dicom_deflated": (
        gettext_noop(
            "The DICOM file is deflated, which is not read here. Export it uncompressed (Explicit VR Little "
            "Endian), or as JPEG or PNG."
        ),
    ),
    "dicom_transfer_syntax": (
        gettext_noop(
            "The DICOM file is compressed in a way that is not read here, or does not say how. Export it "
            "uncompressed (Explicit VR Little Endian), or as JPEG or PNG."
        ),
    ),
    "decoder_timeout": (gettext_noop("Reading the picture took too long. Export the film smaller."),),
    "decoder_memory": (gettext_noop("The picture needs too much memory. Export the film smaller."),),
    "decoder_crashed": (gettext_noop("The picture made the decoder fail. Export or copy the film again."),),
    "decoder_busy": (gettext_noop("Too many films are being read. Try again in a moment."),),
    "decoder_unavailable": (gettext_noop("Films cannot be read at the moment. Try again later."),),
}
# Values of %(kind)s, and how strong a map is.
_WORDS = (
    gettext_noop("strong"),
    gettext_noop("moderate"),
    gettext_noop("weak"),
    gettext_noop("hardly any"),
    gettext_noop("a CT image"),
    gettext_noop("an MR image"),
    gettext_noop("an ultrasound image"),
    gettext_noop("a mammogram"),
    gettext_noop("a nuclear medicine image"),
    gettext_noop("a PET image"),
    gettext_noop("an angiogram"),
    gettext_noop("something else, or does not say what"),
)


def translated(code: str, message: str, params: Mapping[str, str | int]) -> str:
    """Return the English message of a refusal in the active language.

    A message that is none of the decoder's, such as those of archives, is looked up as a whole; one without
    a translation stays as it is.
    """
    for template in TEMPLATES.get(code, ()):
        if _filled(template, params) == message:
            words = {name: gettext(str(value)) for name, value in params.items()}
            return gettext(template) % words
    return gettext(message) if message else ""


def _filled(template: str, params: Mapping[str, str | int]) -> str | None:
    try:
        return template % params
    except KeyError:  # the parameters belong to another template of this code
        return None
