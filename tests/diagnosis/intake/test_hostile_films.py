"""Hostile and odd files through the whole intake: each ends as declared, and nothing is left behind."""

import contextlib
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from audit.models import AuditEvent
from core.errors import FilmRefused, Refused
from core.http_status import status_of
from diagnosis.intake.decode import ingest
from diagnosis.models import Study
from pneumoml.decoding import sandbox
from pneumoml.decoding.images import ImageRefused
from pneumoml.decoding.sandbox import SandboxLimits
from tests.support.api import assert_problem, client_of, film_upload
from tests.support.cast import Cast
from tests.support.inputs import films
from tests.support.inputs.hostile import ACCEPTED, KINDS, MEGABYTE, plain_png, scan_bomb, small, small_jpeg

HEAVY = [
    "PNG: the largest grey film",
    "PNG: a large 16-bit film",
    "PNG: a large palette film",
    "PNG: a large 16-bit colour film with transparency",
    "PNG: two hundred texts of 1 MB",
    "JPEG: more scans than anybody needs",
]
QUICK = [name for name in KINDS if name not in HEAVY]
MUTATED_MAY_BE = {
    ACCEPTED,
    "broken_image",
    "broken_header",
    "colour_space",
    "not_an_image",
    "several_frames",
    "too_many_pixels",
    "too_small",
    "unsupported_format",
    "zero_size",
}


@pytest.fixture(autouse=True, scope="module")
def _no_decoder_left_behind() -> Iterator[None]:
    yield
    sandbox.shut_down()


def outcome_of(data: bytes) -> str:
    """Ingest the film; return ACCEPTED or the refusal's code, after a check of its message."""
    try:
        film = ingest(data=data)
    except Refused as refusal:
        return _code_of(refusal)
    assert film.width * film.height > 0
    assert film.display_png.startswith(films.PNG_SIGNATURE)
    return ACCEPTED


def _code_of(refusal: Refused) -> str:
    assert refusal.message.endswith(".")
    assert not any(word in refusal.message for word in ("/", "Traceback", "Error", "0x", "\0"))
    return refusal.code


@contextlib.contextmanager
def peak_memory() -> Iterator[list[int]]:
    """Sample the decoder's children; the list holds the highest resident size of each sample, in bytes."""
    sandbox.warm_up()
    assert sandbox._server is not None
    server, sizes, over = sandbox._server.process.pid, [0], threading.Event()

    def watch() -> None:
        while not over.wait(0.002):
            for child in Path(f"/proc/{server}/task/{server}/children").read_text().split():
                sizes.append(_high_water(child))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield sizes
    finally:
        over.set()
        thread.join()


def _high_water(pid: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:  # it has ended already
        return 0
    return max((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), default=0)


def stored_files() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


# --- The decoder -----------------------------------------------------------------------------------------


def test_there_are_enough_kinds() -> None:
    assert len(KINDS) >= 120


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_has_its_declared_outcome(name: str) -> None:
    assert outcome_of(KINDS[name].make()) == KINDS[name].outcome


def test_a_good_film_is_accepted_right_after_the_worst() -> None:
    with pytest.raises(ImageRefused) as caught:
        sandbox.decode_isolated(scan_bomb(), sandbox_limits=SandboxLimits(cpu_seconds=1, wall_seconds=1.5))
    assert caught.value.code == "decoder_timeout"
    assert outcome_of(small()) == ACCEPTED


@pytest.mark.parametrize("name", HEAVY[:-1])
def test_the_decoder_s_child_stays_within_its_memory(name: str) -> None:
    data = KINDS[name].make()
    with peak_memory() as sizes:
        outcome_of(data)
    assert 16 * MEGABYTE < max(sizes) < 1536 * MEGABYTE


def test_a_child_that_wants_too_much_memory_is_refused() -> None:
    data = plain_png((5000, 5000), 16, 6, 4)
    with pytest.raises(ImageRefused) as caught:
        sandbox.decode_isolated(data, sandbox_limits=SandboxLimits(memory_bytes=256 * MEGABYTE))
    assert caught.value.code == "decoder_memory"
    assert outcome_of(small()) == ACCEPTED


@pytest.mark.parametrize("name", [n for n in QUICK if "million" in n or "50 MB" in n or "largest" in n])
def test_a_bomb_costs_this_process_no_memory(name: str) -> None:
    data = KINDS[name].make()
    tracemalloc.start()
    outcome_of(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * MEGABYTE


BASES = {
    "grey png": small(),
    "grey jpeg": small_jpeg(),
    "progressive jpeg": films.jpeg(films.chest_like(80, 96), progressive=True),
    "colour jpeg": films.jpeg(films.rgb(films.chest_like(80, 96)), subsampling=2),
    "16-bit png": films.png(films.chest_like_16bit(80, 96)),
    "palette png": films.palette_png(),
    "turned jpeg": films.rotated_jpeg(6),
}
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut out", "double", "overwrite", "insert"]),
        st.floats(0, 1, exclude_max=True),
        st.integers(1, 64),
        st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=6,
)


def mutate(data: bytes, edits: list[tuple[str, float, int, bytes]]) -> bytes:
    """Apply the edits one after the other: where (a share of the file), how long, with which bytes."""
    for verb, share, length, new in edits:
        # Half of the edits fall on the first 200 bytes, where the headers are.
        at = int(share * 2 * 200) if share < 0.5 else int(share * len(data))
        old = data[at : at + length]
        piece = {
            "flip": bytes(byte ^ new[0] for byte in old),
            "cut out": b"",
            "double": old * 2,
            "overwrite": new + old[len(new) :],
            "insert": new + old,
        }[verb]
        data = data[:at] + piece + data[at + length :]
    return data


@hypothesis_settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(base=st.sampled_from(sorted(BASES)), edits=EDITS)
@example(base="grey png", edits=[("flip", 0.99, 1, b"\x01")])
def test_a_mutated_film_is_accepted_or_refused_as_declared(
    base: str, edits: list[tuple[str, float, int, bytes]]
) -> None:
    assert outcome_of(mutate(BASES[base], edits)) in MUTATED_MAY_BE


@pytest.mark.parametrize("bit", [0x01, 0x10, 0x80])
def test_a_png_is_never_decoded_with_altered_pixels(bit: int) -> None:
    """Whatever byte of the pixel data is altered on the way: refused, or read exactly as it was."""
    whole = small()
    expected = ingest(data=whole).display_png
    for at in range(41, len(whole) - 12, 97):
        altered = bytearray(whole)
        altered[at] ^= bit
        with contextlib.suppress(FilmRefused):
            read = ingest(data=bytes(altered)).display_png
            assert read == expected, at


# --- The doors ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("active_model")
def test_over_the_api_every_kind_is_answered_and_none_is_left_behind(cast: Cast) -> None:
    client = client_of(cast.alice)
    for name in QUICK:
        before = (Study.objects.count(), AuditEvent.objects.count(), len(stored_files()))
        data, expected = KINDS[name].make(), KINDS[name].outcome
        answer = client.post("/api/v1/studies/", {"file": film_upload(data)}, format="multipart")
        if expected == ACCEPTED:
            assert answer.status_code in (200, 201), (name, answer.content)
            continue
        if not data:  # the form itself says that the file is empty
            assert_problem(answer, 400)
        else:
            problem = assert_problem(answer, status_of(FilmRefused(expected, "")), expected)
            assert problem["detail"].endswith(".")
        assert (Study.objects.count(), AuditEvent.objects.count(), len(stored_files())) == before, name
    good = client.post("/api/v1/studies/", {"file": film_upload(seed=99)}, format="multipart")
    assert good.status_code == 201


@pytest.mark.usefixtures("active_model")
@pytest.mark.parametrize("name", ["text", "60 MB", "SVG", "ZIP", "PNG: 400 million pixels", "PNG: animated"])
def test_the_upload_page_says_what_is_wrong(cast: Cast, client: Client, name: str) -> None:
    client.force_login(cast.alice)
    film = SimpleUploadedFile("film.png", KINDS[name].make(), content_type="image/png")
    answer = client.post(reverse("upload"), {"project": cast.project.pk, "file": film})
    assert 400 <= answer.status_code < 500
    assert not Study.objects.exists()
    assert stored_files() == []


HOSTILE_NAMES = [
    "../../../../etc/passwd",
    "..\\..\\windows\\system32\\film.png",
    "/etc/passwd",
    "C:\\film.png",
    "film.png/..",
    "..",
    ".",
    "con.png",
    "a" * 5000 + ".png",
    "film.png.exe",
    "<script>alert(1)</script>.png",
    "film'; DROP TABLE diagnosis_study; --.png",
    "$(reboot).png",
    "=cmd|' /C calc'!A0.png",
    "\u202egnp.mlif.png",
    "пленка-膠片-🩻.png",
    "film\tname.png",
    "film%00.png",
    "{{7*7}}.png",
    " ",
]


@pytest.mark.usefixtures("active_model")
@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_file_name_changes_nothing(cast: Cast, name: str) -> None:
    head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    body = head.encode() + films.chest_png() + b"\r\n--x--\r\n"
    client: Client = client_of(cast.alice)
    answer = client.generic("POST", "/api/v1/studies/", body, content_type="multipart/form-data; boundary=x")
    assert answer.status_code in (201, 400), answer.content
    names = sorted(path.name for path in stored_files())
    assert names == (["display.png", "original.png", "thumbnail.jpg"] if answer.status_code == 201 else [])
    assert len(name) < 20 or name.encode() not in answer.content


@pytest.mark.usefixtures("active_model")
def test_two_films_of_one_name_are_two_studies(cast: Cast) -> None:
    client = client_of(cast.alice)
    for seed in (1, 2):
        film = film_upload(seed=seed, name="film.png")
        assert client.post("/api/v1/studies/", {"file": film}, format="multipart").status_code == 201
    assert Study.objects.count() == 2
    assert len(stored_files()) == 6
