"""Decoding in a sandboxed child: same films, same refusals, and no effect of its failures outside."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pneumoml.decoding import sandbox
from pneumoml.decoding.images import ImageLimits, ImageRefused, decode_film
from pneumoml.decoding.sandbox import SandboxLimits, decode_isolated
from tests.support.inputs import films

ROOT = Path(__file__).resolve().parents[3]
MEGABYTE = 1024 * 1024

SAME: dict[str, Callable[[], bytes]] = {
    "grey png": films.png,
    "grey jpeg": films.jpeg,
    "progressive": lambda: films.jpeg(progressive=True),
    "rgb": lambda: films.png(films.photograph()),
    "palette": films.palette_png,
    "one bit": films.bilevel_png,
    "transparent": lambda: films.transparent_png(100),
    "16 bit": lambda: films.png(films.chest_like_16bit()),
    "rotated": lambda: films.rotated_jpeg(6),
}
REFUSED: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "text": lambda: films.NOT_FILMS["text"],
    "cmyk": films.cmyk_jpeg,
    "animated": films.animated_png,
    "two pictures": films.multi_picture_jpeg,
    "truncated png": lambda: films.truncated(films.png()),
    "truncated jpeg": lambda: films.truncated(films.jpeg()),
    "lying header": lambda: films.png_claiming(400, 400),
    "two headers": films.png_with_second_header,
    "bomb": lambda: films.png_claiming(20_000, 20_000),
}


@pytest.fixture(autouse=True, scope="module")
def _stopped_afterwards() -> Iterator[None]:
    yield
    sandbox.shut_down()


def eventually(condition: Callable[[], Any], *, seconds: float = 60.0) -> Any:
    """Poll until the condition is true and return its value."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        threading.Event().wait(0.002)
    raise AssertionError("the condition did not become true in time")


def server_pid() -> int:
    sandbox.warm_up()
    assert sandbox._server is not None
    return sandbox._server.process.pid


def children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()] if path.exists() else []


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def code_of(data: bytes, **options: Any) -> str:
    with pytest.raises(ImageRefused) as caught:
        decode_isolated(data, **options)
    assert caught.value.message.endswith(".")
    return caught.value.code


@pytest.mark.parametrize("kind", sorted(SAME))
def test_isolated_film_equals_the_plainly_decoded_one(kind: str) -> None:
    data = SAME[kind]()
    film, expected = decode_isolated(data), decode_film(data)
    assert np.array_equal(film.pixels, expected.pixels)
    without_pixels: list[dict[str, Any]] = [{**vars(one), "pixels": None} for one in (film, expected)]
    assert without_pixels[0] == without_pixels[1]


@pytest.mark.parametrize("kind", sorted(REFUSED))
def test_isolated_refusal_equals_the_plain_one(kind: str) -> None:
    data = REFUSED[kind]()
    with pytest.raises(ImageRefused) as expected:
        decode_film(data)
    with pytest.raises(ImageRefused) as caught:
        decode_isolated(data)
    assert vars(caught.value) == vars(expected.value)


@pytest.mark.parametrize(
    ("template", "params"),
    [
        ("%(a)99999999d", {"a": 1}),
        ("%(a)99999999d%(b)s", {"a)99999999d%(b": "", "b": "", "a": 1}),
        ("100% of %(a)s", {"a": 1}),
        ("%(a)s", {"a": "x" * 1000}),
        ("%(a)s", {}),
    ],
)
def test_a_template_from_the_child_only_inserts_short_parameters(template: str, params: Any) -> None:
    with pytest.raises(ValueError, match=r"template|params"):
        sandbox._refusal("too_small", template, params)


def test_limits_reach_the_child() -> None:
    assert code_of(films.png(), limits=ImageLimits(max_side=300)) == "too_many_pixels"


def test_one_server_serves_many_films_from_many_threads() -> None:
    pid = server_pid()
    sources = {seed: films.png(films.chest_like(seed=seed)) for seed in range(8)}

    def decoded_rightly(seed: int) -> bool:
        return np.array_equal(decode_isolated(sources[seed]).pixels, films.chest_like(seed=seed))

    with ThreadPoolExecutor(12) as pool:
        assert all(pool.map(decoded_rightly, list(sources) * 8))
    assert server_pid() == pid


def test_memory_beyond_the_limit_is_refused_and_the_next_film_is_decoded() -> None:
    large = films.bomb_png(8000, 5000)
    assert code_of(large, sandbox_limits=SandboxLimits(memory_bytes=130 * MEGABYTE)) == "decoder_memory"
    assert decode_isolated(films.png()).width == 360


def test_largest_permitted_film_fits_the_limits() -> None:
    film = decode_isolated(films.png(np.zeros((4000, 10_000, 3), np.uint8)))
    assert film.pixels.shape == (4000, 10_000)


def test_time_beyond_the_limit_is_refused() -> None:
    started = time.monotonic()
    assert (
        code_of(films.bomb_png(8000, 5000), sandbox_limits=SandboxLimits(wall_seconds=0.02))
        == "decoder_timeout"
    )
    assert time.monotonic() - started < 5


@pytest.fixture
def while_held(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], object]], None]:
    """Call a function with the next films' children while they wait for the first byte."""

    def arrange(visit: Callable[[int], object]) -> None:
        # The child of an earlier film must be gone, or it would be taken for the next one's.
        assert eventually(lambda: not children(server_pid()))

        class Held(sandbox._Channel):
            def write(self, data: bytes) -> None:
                visit(eventually(lambda: children(server_pid()))[0])
                super().write(data)

        monkeypatch.setattr(sandbox, "_Channel", Held)

    return arrange


Arrange = Callable[[Callable[[int], object]], None]


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGABRT])
def test_crash_of_the_child_is_a_refusal_and_the_next_film_is_decoded(
    number: signal.Signals, while_held: Arrange, monkeypatch: pytest.MonkeyPatch
) -> None:
    while_held(lambda child: os.kill(child, number))
    assert code_of(films.png()) == "decoder_crashed"
    monkeypatch.undo()
    assert decode_isolated(films.png()).width == 360


def test_child_that_stops_answering_is_killed(while_held: Arrange) -> None:
    held: list[int] = []

    def stop(child: int) -> None:
        os.kill(child, signal.SIGSTOP)
        held.append(child)

    while_held(stop)
    assert code_of(films.png(), sandbox_limits=SandboxLimits(wall_seconds=0.5)) == "decoder_timeout"
    assert eventually(lambda: gone(held[0]))


def test_lost_server_is_replaced_without_an_error() -> None:
    pid = server_pid()
    os.kill(pid, signal.SIGKILL)
    assert decode_isolated(films.png()).width == 360
    assert server_pid() != pid


def test_film_whose_server_is_lost_is_decoded_by_the_next(while_held: Arrange) -> None:
    lost = server_pid()

    def lose(child: int) -> None:
        if server_pid() == lost:
            os.kill(lost, signal.SIGKILL)
            os.kill(child, signal.SIGKILL)

    while_held(lose)
    assert decode_isolated(films.png()).width == 360
    assert server_pid() != lost


def test_slow_start_of_the_server_does_not_count_towards_the_film_s_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sandbox.shut_down()
    monkeypatch.setattr(sandbox, "_START", f"import time; time.sleep(4); {sandbox._START}")
    assert decode_isolated(films.png(), sandbox_limits=SandboxLimits(wall_seconds=1)).width == 360


def test_server_that_cannot_start_is_reported_as_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.shut_down()
    monkeypatch.setattr(sandbox, "_START", "raise SystemExit(3)")
    with pytest.raises(sandbox.DecoderUnavailable) as caught:
        decode_isolated(films.png())
    assert caught.value.code == "decoder_unavailable"
    with pytest.raises(sandbox.DecoderUnavailable):
        sandbox.warm_up()
    monkeypatch.undo()
    assert decode_isolated(films.png()).width == 360


def test_no_descriptor_and_no_process_is_left_behind() -> None:
    pid = server_pid()
    decode_isolated(films.png())
    own = len(os.listdir("/proc/self/fd"))
    theirs = eventually(lambda: not children(pid) and len(os.listdir(f"/proc/{pid}/fd")))
    for source in (*SAME.values(), *REFUSED.values()):
        try:
            decode_isolated(source())
        except ImageRefused:
            continue
    assert len(os.listdir("/proc/self/fd")) == own
    assert eventually(lambda: not children(pid) and len(os.listdir(f"/proc/{pid}/fd")) == theirs)
    sandbox.shut_down()
    assert gone(pid)


def test_server_holds_no_secret_and_no_foreign_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.shut_down()
    monkeypatch.setenv("SECRET_KEY", "planted-secret")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        os.set_inheritable(listener.fileno(), True)
        pid = server_pid()
        decode_isolated(films.png())
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        inode = f"socket:[{os.fstat(listener.fileno()).st_ino}]"
        held = {os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    assert b"planted-secret" not in environment
    assert b"PATH=" not in environment
    assert inode not in held


def test_child_may_open_no_file_and_has_the_limits_of_the_sandbox(while_held: Arrange) -> None:
    limits: dict[str, str] = {}

    def note(child: int) -> bool:
        lines = Path(f"/proc/{child}/limits").read_text().splitlines()[1:]
        limits.update({line[:26].strip(): line[26:].split()[0] for line in lines})
        return limits["Max address space"] == str(1536 * MEGABYTE)

    while_held(lambda child: eventually(lambda: note(child)))
    assert decode_isolated(films.png()).width == 360
    assert limits["Max open files"] == limits["Max core file size"] == limits["Max file size"] == "0"
    assert limits["Max cpu time"] == "10"


SCRIPT = """
import sys, threading
print("main ran")
sys.path.insert(0, {root!r})
from pneumoml.decoding.sandbox import decode_isolated
data = open({film!r}, "rb").read()
shapes = []
def decode():
    shapes.append(decode_isolated(data).pixels.shape)
threads = [threading.Thread(target=decode) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
for shape in shapes:
    print(shape)
"""


KILLED = """
import os
from pneumoml.decoding import sandbox
print(sandbox._server.process.pid, flush=True)
os.kill(os.getpid(), 9)
"""


def test_main_module_is_never_run_again(tmp_path: Path) -> None:
    film, script = tmp_path / "film.png", tmp_path / "unguarded.py"
    film.write_bytes(films.png())
    script.write_text(SCRIPT.format(root=str(ROOT), film=str(film)))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["main ran", *["(300, 360)"] * 4]


def test_server_ends_with_a_killed_owner(tmp_path: Path) -> None:
    film, script = tmp_path / "film.png", tmp_path / "killed.py"
    film.write_bytes(films.png())
    body = SCRIPT.format(root=str(ROOT), film=str(film))
    script.write_text(body + KILLED)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == -9
    assert eventually(lambda: gone(int(done.stdout.split()[-1])))


def test_forked_process_starts_its_own_server() -> None:
    pid = server_pid()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        answer = "failed"
        try:
            shape = decode_isolated(films.png()).pixels.shape
            answer = f"{shape} {server_pid() != pid}"
            sandbox.shut_down()
        finally:
            os.write(writer, answer.encode())
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        assert stream.read() == "(300, 360) True"
    os.waitpid(child, 0)
    assert server_pid() == pid
    assert decode_isolated(films.png()).width == 360


def test_fork_while_another_thread_starts_a_film_does_not_block_the_new_process() -> None:
    sandbox.warm_up()
    with sandbox._lock:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                signal.alarm(20)
                status = 0 if decode_isolated(films.png()).width == 360 else 2
                sandbox.shut_down()
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
