"""JavaScript modules import each other by hashed names once static files are collected."""

import re
import shutil
from pathlib import Path

import pytest
from django.utils.module_loading import import_string

from pneumoweb import settings
from pneumoweb.static_storage import StaticStorage
from tests.support.sources import ROOT

SCRIPTS = ROOT / "static" / "js"
CLASSIC = ["shared/theme.js"]  # sets the theme before the first paint; modules run later
IMPORT = re.compile(r"""^(?:import|export)\b[^;]*?["']([^"']+)["'];""", re.MULTILINE)
HASHED = re.compile(r"\.[0-9a-f]{12}\.js$")


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts as collectstatic leaves them."""
    folder = tmp_path_factory.mktemp("static")
    shutil.copytree(SCRIPTS, folder / "js")
    storage = StaticStorage(location=folder)
    names = [path.relative_to(folder).as_posix() for path in sorted((folder / "js").rglob("*.js"))]
    for name, _hashed, processed in storage.post_process({name: (storage, name) for name in names}):
        assert not isinstance(processed, Exception), (name, processed)
    return folder / "js"


def test_the_project_uses_this_storage() -> None:
    assert import_string(settings.STORAGES["staticfiles"]["BACKEND"]) is StaticStorage


def test_every_import_of_a_collected_module_has_a_hash_and_a_file(collected: Path) -> None:
    count = 0
    for script in sorted(collected.rglob("*.js")):
        if HASHED.search(script.name):
            for imported in IMPORT.findall(script.read_text(encoding="utf-8")):
                assert HASHED.search(imported), f"{script.name} imports {imported}"
                assert (script.parent / imported).is_file(), imported
                count += 1
    assert count > 20


def test_every_script_is_a_module_but_the_theme() -> None:
    tags = [
        tag
        for template in sorted((ROOT / "templates").rglob("*.html"))
        for tag in re.findall(r"<script\b[^>]*static 'js/[^>]*>", template.read_text(encoding="utf-8"))
    ]
    classic = [tag for tag in tags if 'type="module"' not in tag]
    assert len(tags) > 6
    assert [name for tag in classic for name in re.findall(r"static 'js/([^']+)'", tag)] == CLASSIC * 2
