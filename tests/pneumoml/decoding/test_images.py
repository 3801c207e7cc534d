"""Decoding of JPEG and PNG films, and the refusals, each with its code."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from pneumoml.decoding.images import (
    ImageLimits,
    ImageRefused,
    check_header,
    decode_film,
    decode_own_png,
    encode_png,
    read_header,
    thumbnail,
    window_to_8bit,
)
from tests.support.inputs import films

SAMPLES = sorted((Path(__file__).resolve().parents[3] / "samples").glob("*.jpeg"))


def refusal(data: bytes, limits: ImageLimits | None = None) -> ImageRefused:
    with pytest.raises(ImageRefused) as caught:
        decode_film(data, limits=limits)
    assert caught.value.message.endswith(".")
    return caught.value


def test_grey_png_comes_back_exactly() -> None:
    film = decode_film(films.png())
    assert np.array_equal(film.pixels, films.chest_like())
    assert film.pixels.dtype == np.uint8
    assert (film.width, film.height, film.format, film.mode, film.bit_depth) == (360, 300, "PNG", "grey", 8)
    assert film.colour_fraction == 0


@pytest.mark.parametrize("progressive", [False, True])
def test_grey_jpeg_is_close_to_its_source(progressive: bool) -> None:
    film = decode_film(films.jpeg(progressive=progressive))
    assert film.format == "JPEG"
    assert np.abs(film.pixels.astype(int) - films.chest_like()).mean() < 2


@pytest.mark.parametrize("make", [lambda: films.png(films.rgb()), films.palette_png])
def test_colourless_rgb_and_palette_give_the_same_grey(make: object) -> None:
    film = decode_film(make())  # type: ignore[operator]
    assert np.array_equal(film.pixels, films.chest_like())
    assert film.colour_fraction == 0


def test_bilevel_png_becomes_black_and_white() -> None:
    assert set(np.unique(decode_film(films.bilevel_png()).pixels)) == {0, 255}


@pytest.mark.parametrize(("alpha", "expected"), [(0, 0), (255, 255), (128, 128)])
def test_transparency_lies_over_black(alpha: int, expected: int) -> None:
    film = decode_film(films.transparent_png(alpha))
    assert np.all(np.abs(film.pixels.astype(int) - expected) <= 1)


def test_photograph_is_recognised_by_its_colours() -> None:
    assert decode_film(films.png(films.photograph())).colour_fraction > 0.5


def test_16_bit_film_is_windowed_to_its_own_range() -> None:
    film = decode_film(films.png(films.chest_like_16bit()))
    assert film.bit_depth == 16
    assert film.window is not None
    assert 1000 <= film.window[0] < film.window[1] <= 3550
    assert (film.pixels.min(), film.pixels.max()) == (0, 255)
    correlation = np.corrcoef(film.pixels.ravel(), films.chest_like().ravel())[0, 1]
    assert correlation > 0.999


def test_a_burnt_in_marker_does_not_darken_a_16_bit_film() -> None:
    values = films.chest_like_16bit()
    plain, _ = window_to_8bit(values)
    values[:5, :20] = 65535
    marked, _ = window_to_8bit(values)
    assert abs(float(marked[50:].mean()) - float(plain[50:].mean())) < 3


@pytest.mark.parametrize("level", [0, 700, 65535])
def test_uniform_16_bit_film_is_windowed_by_the_full_range(level: int) -> None:
    pixels, window = window_to_8bit(np.full((40, 40), level, np.uint16))
    assert window == (0, 65535)
    assert np.all(pixels == round(level / 65535 * 255))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    data = films.rotated_jpeg(orientation)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    film = decode_film(data)
    assert np.array_equal(film.pixels, expected)
    assert (film.height, film.width) == film.pixels.shape


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_leaves_the_film_as_stored() -> None:
    film = decode_film(films.jpeg(exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff"))
    assert film.pixels.shape == (300, 360)


@pytest.mark.parametrize("name", sorted(films.NOT_FILMS))
def test_other_files_are_refused_by_content(name: str) -> None:
    codes = {"text": "not_an_image", "zeros": "not_an_image", "dicom": "dicom_transfer_syntax"}
    assert refusal(films.NOT_FILMS[name]).code == codes.get(name, "unsupported_format")


@pytest.mark.parametrize("make", [films.png, films.jpeg])
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9, 0.97])
def test_truncated_film_is_refused(make: object, share: float) -> None:
    code = refusal(films.truncated(make(), share)).code  # type: ignore[operator]
    assert code in ("broken_image", "broken_header")


@pytest.mark.parametrize("length", range(1, 33))
def test_a_few_first_bytes_are_refused(length: int) -> None:
    for data in (films.png(), films.jpeg()):
        assert refusal(data[:length]).code in ("not_an_image", "broken_header")


REFUSED = [
    ("empty_file", lambda: b""),
    ("colour_space", films.cmyk_jpeg),
    ("several_frames", films.animated_png),
    ("several_frames", films.multi_picture_jpeg),
    ("zero_size", lambda: films.png_claiming(0, 50)),
    ("zero_size", lambda: films.jpeg_claiming(64, 0)),
    ("too_small", lambda: films.png(films.chest_like(31, 200))),
    ("too_many_pixels", lambda: films.png_claiming(10_001, 100)),
    ("too_many_pixels", lambda: films.png_claiming(8_000, 5_001)),
    ("too_many_pixels", lambda: films.png_claiming(2**31 - 1, 2**31 - 1)),
    ("too_many_pixels", lambda: films.jpeg_claiming(65_000, 65_000)),
    ("broken_image", lambda: films.png_claiming(400, 400)),
    ("broken_image", films.png_with_second_header),
    ("broken_image", films.png_with_small_header_first),
    ("broken_header", lambda: films.png_claiming(100, 100, depth=3)),
    ("broken_header", lambda: films.png_claiming(100, 100, colour=9)),
]


@pytest.mark.parametrize(("code", "make"), REFUSED)
def test_unusable_film_is_refused_with_its_code(code: str, make: object) -> None:
    assert refusal(make()).code == code  # type: ignore[operator]


def test_file_over_the_byte_limit_is_refused_before_anything_is_read() -> None:
    assert refusal(films.png(), ImageLimits(max_bytes=1000)).code == "file_too_large"


def test_limits_themselves_are_still_accepted() -> None:
    data = films.png(films.chest_like(40, 50))
    limits = ImageLimits(max_bytes=len(data), max_pixels=2000, max_side=50, min_side=40)
    assert decode_film(data, limits=limits).pixels.shape == (40, 50)


def test_bomb_is_refused_by_its_header_alone() -> None:
    data = films.bomb_png(12_000, 12_000)
    assert len(data) < 1_000_000
    with pytest.raises(ImageRefused) as caught:
        check_header(data)
    assert caught.value.code == "too_many_pixels"


def test_header_agrees_with_pillow() -> None:
    for data in (films.png(), films.jpeg(), films.palette_png(), films.png(films.rgb()), films.cmyk_jpeg()):
        header, image = read_header(data), Image.open(io.BytesIO(data))
        assert (header.format, header.width, header.height) == (image.format, *image.size)


def test_header_has_mode_depth_and_frames() -> None:
    assert read_header(films.png(films.chest_like_16bit())).bit_depth == 16
    assert read_header(films.palette_png()).mode == "palette"
    assert read_header(films.transparent_png()).mode == "RGBA"
    assert read_header(films.animated_png(3)).frames == 3
    assert read_header(films.multi_picture_jpeg()).frames == 2
    assert read_header(films.jpeg()).frames == 1


def test_random_damage_gives_a_film_or_a_refusal_and_nothing_else() -> None:
    random = np.random.default_rng(7)
    outcomes = set()
    for source in (films.png(films.chest_like(64, 64)), films.jpeg(films.chest_like(64, 64))):
        for _ in range(150):
            damaged = bytearray(source)
            for position in random.integers(0, len(source), 6):
                damaged[position] = random.integers(0, 256)
            try:
                outcomes.add(decode_film(bytes(damaged)).pixels.dtype.name)
            except ImageRefused as refused:
                outcomes.add(refused.code)
    assert "uint8" in outcomes
    assert len(outcomes) > 1


def test_encoded_png_is_lossless_and_carries_no_metadata() -> None:
    pixels = films.chest_like()
    image = Image.open(io.BytesIO(encode_png(pixels)))
    assert np.array_equal(np.asarray(image), pixels)
    assert image.info == {}


def test_thumbnail_keeps_the_shape_and_never_enlarges() -> None:
    assert Image.open(io.BytesIO(thumbnail(films.chest_like(300, 600), 100))).size == (100, 50)
    assert Image.open(io.BytesIO(thumbnail(films.chest_like(40, 50), 100))).size == (50, 40)


def test_a_png_with_altered_pixels_is_refused() -> None:
    data = bytearray(films.png(films.chest_like(80, 96)))
    data[data.index(b"IDAT") + 500] ^= 1
    assert refusal(bytes(data)).code == "broken_image"


def test_a_png_with_right_checksums_but_broken_pixel_data_is_refused() -> None:
    header = films.png(films.chest_like(64, 64))[:33]
    no_filter = films.chunk(b"IDAT", zlib.compress((b"\x09" + bytes(64)) * 64))
    assert refusal(header + no_filter + films.chunk(b"IEND", b"")).code == "broken_image"


def test_every_sample_film_is_described_and_can_be_decoded() -> None:
    samples = Path(__file__).resolve().parents[3] / "samples"
    readme = (samples / "README.md").read_text()
    paths = sorted(samples.glob("*.jpeg"))
    assert len(paths) == 6
    for path in paths:
        film = decode_film(path.read_bytes())
        assert f"| {path.name} |" in readme
        assert f"{film.width} × {film.height}" in readme
        assert film.colour_fraction == 0
    assert "10.17632/rscbjbr9sj" in readme


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_our_own_png_gives_the_same_pixels_by_the_fast_way_and_by_the_strict_one(path: Path) -> None:
    pixels = decode_film(path.read_bytes()).pixels
    kept = encode_png(pixels)
    assert np.array_equal(decode_own_png(kept), pixels)
    assert np.array_equal(decode_film(kept).pixels, pixels)


@pytest.mark.parametrize("cut", [0, 1, 1000, -1, -12])
def test_a_truncated_or_altered_png_of_our_own_is_refused(cut: int) -> None:
    kept = encode_png(films.chest_like())
    altered = kept[:cut] if cut <= 0 else kept[:cut] + bytes([kept[cut] ^ 255]) + kept[cut + 1 :]
    with pytest.raises(OSError, match="damaged"):
        decode_own_png(altered)
