"""Ingest: untrusted bytes become a checked film and a display copy that holds only pixels."""

import hashlib
import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from core.errors import FilmRefused, NotReady, UrlRefused
from core.http_status import status_of
from diagnosis.intake.decode import THUMBNAIL_SIDE, ingest
from pneumoml.decoding import sandbox
from tests.support.inputs import films

CANARY = "Mustermann^Erika^1964-08-12"


@pytest.fixture(autouse=True, scope="module")
def _no_decoder_left_behind() -> Iterator[None]:
    yield
    sandbox.shut_down()


def jpeg_with_secrets() -> bytes:
    exif = Image.Exif()
    exif[0x013B] = CANARY  # Artist
    exif[0x010E] = CANARY  # ImageDescription
    exif.get_ifd(0x8825)[0x001D] = CANARY  # GPSDateStamp
    data = films.jpeg(exif=exif, comment=CANARY.encode(), icc_profile=CANARY.encode() * 20)
    return data + CANARY.encode()


def png_with_secrets() -> bytes:
    info = PngInfo()
    info.add_text("PatientName", CANARY)
    info.add_itxt("Comment", CANARY, zip=True)
    exif = Image.Exif()
    exif[0x013B] = CANARY
    return films.encode(films.chest_like(), "PNG", pnginfo=info, exif=exif) + CANARY.encode()


@pytest.mark.parametrize("make", [jpeg_with_secrets, png_with_secrets])
def test_our_own_copies_carry_no_metadata(make: Callable[[], bytes]) -> None:
    film = ingest(data=make())
    assert CANARY.encode() in film.original
    for copy in (film.display_png, film.thumbnail_jpeg):
        assert CANARY.encode() not in copy
        with Image.open(io.BytesIO(copy)) as image:
            image.load()
            assert not image.getexif()
            assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_keeps_the_original_byte_for_byte() -> None:
    sent = jpeg_with_secrets()
    film = ingest(data=sent)
    assert film.original == sent
    assert film.sha256 == hashlib.sha256(sent).hexdigest()


def test_the_display_copy_has_the_pixels_of_the_film() -> None:
    pixels = films.chest_like(200, 150)
    film = ingest(data=films.png(pixels))
    with Image.open(io.BytesIO(film.display_png)) as image:
        np.testing.assert_array_equal(np.asarray(image), pixels)
    assert (film.width, film.height, film.bit_depth, film.media_format) == (150, 200, 8, "PNG")


def test_size_and_copies_are_those_of_the_upright_film() -> None:
    film = ingest(data=films.rotated_jpeg(6))
    assert (film.width, film.height) == (300, 360)
    with Image.open(io.BytesIO(film.display_png)) as image:
        assert image.size == (300, 360)


def test_keeps_the_bit_depth() -> None:
    assert ingest(data=films.png(films.chest_like_16bit())).bit_depth == 16


def test_makes_a_small_picture_for_lists() -> None:
    film = ingest(data=films.chest_png())
    with Image.open(io.BytesIO(film.thumbnail_jpeg)) as image:
        assert (image.format, max(image.size)) == ("JPEG", THUMBNAIL_SIDE)


@pytest.mark.parametrize(
    ("data", "code", "status"),
    [
        (b"", "empty_file", 400),
        (b"a letter", "not_an_image", 400),
        (b"%PDF-1.7", "unsupported_format", 415),
        (bytes(51 * 1024 * 1024), "file_too_large", 413),
        (films.png_claiming(20_000, 20_000), "too_many_pixels", 413),
        (films.truncated(films.chest_png()), "broken_image", 400),
    ],
)
def test_refuses_with_a_code_a_sentence_and_a_status(data: bytes, code: str, status: int) -> None:
    with pytest.raises(FilmRefused) as caught:
        ingest(data=data)
    assert (caught.value.code, status_of(caught.value)) == (code, status)
    assert caught.value.message.endswith(".")


def test_refuses_missing_data_as_an_empty_file() -> None:
    with pytest.raises(FilmRefused) as caught:
        ingest()
    assert caught.value.code == "empty_file"


def test_uses_the_size_limit_of_the_settings(settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    with pytest.raises(FilmRefused) as caught:
        ingest(data=films.chest_png())
    assert caught.value.code == "file_too_large"


def test_a_url_is_not_fetched_unless_that_is_switched_on() -> None:
    with pytest.raises(UrlRefused) as caught:
        ingest(url="https://films.example/film.png")
    assert caught.value.code == "url_intake_off"


def test_reports_a_decoder_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.shut_down()
    monkeypatch.setattr(sandbox, "_START", "raise SystemExit(3)")
    with pytest.raises(NotReady) as caught:
        ingest(data=films.chest_png())
    assert (caught.value.code, status_of(caught.value)) == ("decoder_unavailable", 503)
    monkeypatch.undo()
    sandbox.shut_down()
    assert ingest(data=films.chest_png()).width == 360
