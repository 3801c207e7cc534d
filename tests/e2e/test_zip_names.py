"""The browser numbers the files of a ZIP as the server does."""

import base64
import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page

from diagnosis.intake.archives import ZipArchive

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

NAMES = [
    "Müller_1.png",
    "folder/",
    "folder/S-02_lateral.dcm",
    "folder/.hidden.png",
    "__MACOSX/folder/._S-02_lateral.dcm",
    "folder\\S-03.jpg",
    "Thumbs.db",
    "last.png",
]
COUNTED = ["Müller_1.png", "folder/S-02_lateral.dcm", "folder\\S-03.jpg", "last.png"]
READ = """async ([address, bytes]) => {
    const { zipNames } = await import(address);
    const data = Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0));
    return zipNames(new File([data], "films.zip"));
}"""


def archive(names: list[str], *, comment: bytes = b"") -> bytes:
    """Make a ZIP with these names, each with an extra field and a comment of its own."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in names:
            entry = zipfile.ZipInfo()
            entry.filename = name  # zipfile would change backslashes on some systems
            entry.extra, entry.comment = b"\xfe\xca\x02\x00ab", b"of this file"
            file.writestr(entry, b"" if name.endswith("/") else b"content")
        file.comment = comment
    return buffer.getvalue()


@pytest.fixture
def names_in(browser: Browser, live_server: Any) -> Any:
    """Read names with the page's own module: `names_in(bytes)`."""
    page: Page = browser.new_page()
    page.goto(f"{live_server.url}/accounts/login/")
    address = f"{live_server.url}/{settings.STATIC_URL.strip('/')}/js/diagnosis/zip_names.js"
    yield lambda content: page.evaluate(READ, [address, base64.b64encode(content).decode()])
    page.close()


NamesIn = Callable[[bytes], dict[str, str]]


@pytest.mark.parametrize("comment", [b"", b"PK\x05 of the archive" * 100])
def test_files_are_numbered_and_folders_and_hidden_files_are_not(names_in: NamesIn, comment: bytes) -> None:
    wanted = {str(number): name for number, name in enumerate(COUNTED, start=1)}
    assert names_in(archive(NAMES, comment=comment)) == wanted


def test_the_server_gives_the_same_numbers(names_in: NamesIn) -> None:
    content = archive(NAMES)
    films = ZipArchive(io.BytesIO(content))
    assert names_in(content) == {str(one.position): films.name(one.position) for one in films.members}


@pytest.mark.parametrize("content", [b"", b"no archive", archive(["one.png"])[:-30]])
def test_what_cannot_be_read_has_no_names(names_in: NamesIn, content: bytes) -> None:
    assert names_in(content) == {}
