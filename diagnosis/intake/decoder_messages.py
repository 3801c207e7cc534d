"""What the library says in English, in the language of the person who reads it.

`pneumoml` knows no Django. Its sentences about a film that is refused are listed here with names for what
varies in them; a test compares the list with the library.
"""

import re

from django.utils.translation import gettext, gettext_noop

_FILM_REFUSED = (
    gettext_noop("The file is empty. Choose the file again and upload it once more."),
    gettext_noop("The file is larger than %(limit)s MB. Export the film as a smaller file."),
    gettext_noop("The file holds %(count)s pictures. Upload one film per file, without animation."),
    gettext_noop("The file holds %(count)s pictures. Upload one film per file, no series."),
    gettext_noop("The picture uses print colours (CMYK). Save it as grey or RGB."),
    gettext_noop("The picture uses print colours (CMYK), not the greys of a film. Save it as grey or RGB."),
    gettext_noop(
        "The picture is damaged or incomplete and cannot be read to its end. Export or copy the film again."
    ),
    gettext_noop("This is a web page or an SVG drawing, not a film. Upload the film itself."),
    gettext_noop("This is not a JPEG or PNG picture, nor a DICOM file. Upload the film as one of them."),
    gettext_noop("This is %(format)s. Export the film as JPEG or PNG."),
    gettext_noop("This is a lossless or arithmetic-coded JPEG. Export the film as ordinary JPEG or PNG."),
    gettext_noop("The %(format)s header is damaged. Export or copy the film again."),
    gettext_noop("The picture has no pixels. Export the film again."),
    gettext_noop("The picture is %(width)s × %(height)s pixels; a film needs at least %(least)s a side."),
    gettext_noop(
        "The picture is %(width)s × %(height)s pixels; at most %(side)s along a side and %(all)s million in "
        "all are accepted. Export the film smaller."
    ),
    gettext_noop(
        "The picture in the DICOM file is damaged, or cannot be unpacked. Export the film uncompressed, or "
        "as JPEG or PNG."
    ),
    gettext_noop(
        "This DICOM file holds a document (a PDF, for example), not a film. Upload the film itself."
    ),
    gettext_noop("This DICOM file holds a report or notes, not a film. Upload the film itself."),
    gettext_noop(
        "The DICOM file holds %(kind)s. Only plain radiographs are read here: modality CR, DX, RF or RG."
    ),
    gettext_noop(
        "This is the detector's raw picture, not yet made for viewing. Send the one “for presentation”."
    ),
    gettext_noop("The DICOM file holds a colour picture, not the greys of a film. Upload the film."),
    gettext_noop("The pixels are stored unusually. Export the film with 8 to 16 bits a pixel, not shifted."),
    gettext_noop("There is no picture in this DICOM file. Upload the film."),
    gettext_noop(
        "The picture inside the DICOM file has another size than its header says. Export the film again."
    ),
    gettext_noop("This is a DICOM directory, not a film. Upload the films that it lists."),
    gettext_noop(
        "The DICOM file is deflated, which is not read here. Export it uncompressed (Explicit VR Little "
        "Endian), or as JPEG or PNG."
    ),
    gettext_noop(
        "The DICOM file is compressed in a way that is not read here, or does not say how. Export it "
        "uncompressed (Explicit VR Little Endian), or as JPEG or PNG."
    ),
    gettext_noop("Reading the picture took too long. Export the film smaller."),
    gettext_noop("The picture needs too much memory. Export the film smaller."),
    gettext_noop("The picture made the decoder fail. Export or copy the film again."),
    gettext_noop("Too many films are being read. Try again in a moment."),
    gettext_noop("Films cannot be read at the moment. Try again later."),
)
# How strong a map is, and what a DICOM file may hold instead of a film.
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

_NAMED = re.compile(r"%\((\w+)\)s")


def _pattern(sentence: str) -> re.Pattern[str]:
    parts = _NAMED.split(sentence)
    quoted = [f"(?P<{part}>.+?)" if place % 2 else re.escape(part) for place, part in enumerate(parts)]
    return re.compile("".join(quoted))


_PATTERNS = [(sentence, _pattern(sentence)) for sentence in _FILM_REFUSED]


def known(sentence: str) -> bool:
    """Tell whether a sentence of the library is listed here."""
    return any(pattern.fullmatch(sentence) for _sentence, pattern in _PATTERNS)


def said(sentence: str) -> str:
    """Return a sentence of the library, or one stored in English, in the language of now; else as it is."""
    for listed, pattern in _PATTERNS:
        if found := pattern.fullmatch(sentence):
            return gettext(listed) % {name: gettext(value) for name, value in found.groupdict().items()}
    return gettext(sentence) if sentence else ""
