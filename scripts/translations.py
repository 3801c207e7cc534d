"""The catalogues of translations: collect the strings, bring each catalogue up to date, compile, check.

python scripts/translations.py update    after texts were written or changed
python scripts/translations.py compile   after translating in locale/*/LC_MESSAGES/django.po
python scripts/translations.py check     says what is missing; the tests do the same
python scripts/translations.py missing de   prints what German lacks
"""

import ast
import io
import re
import sys
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

import django
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("core", "audit", "accounts", "diagnosis", "reading", "insight", "operations", "pneumoweb")
# Sentences of the library, which knows no Django: dictionaries whose values pages translate.
LIBRARY = {"pneumoml/scope/gate.py": "SENTENCES", "pneumoml/explain/reliability.py": "SENTENCES"}
KEYWORDS: dict[str, object] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
_PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%%|%[sd]")


@cache
def collect() -> Catalog:
    """Return every string of code, templates and the library's sentences, with the files that hold it."""
    catalog = Catalog(project="pneumoweb")
    for path in _files("*.py", *(ROOT / package for package in PACKAGES)):
        _add(catalog, path, path.read_text(encoding="utf-8"))
    for path in _files("*.html", ROOT / "templates"):
        marked = templatize(path.read_text(encoding="utf-8"), origin=str(path))
        _add(catalog, path, "\n".join(line.lstrip() for line in marked.splitlines()))
    for name, dictionary in LIBRARY.items():
        for sentence in _values(ROOT / name, dictionary):
            catalog.add(sentence, locations=[(name, 1)])
    return catalog


def _files(pattern: str, *folders: Path) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in sorted(folder.rglob(pattern)) if "migrations" not in path.parts)


def _add(catalog: Catalog, path: Path, source: str) -> None:
    name = path.relative_to(ROOT).as_posix()
    found = extract("python", io.BytesIO(source.encode()), KEYWORDS)  # type: ignore[arg-type]
    for line, message, comments, context in found:
        if message:
            catalog.add(message, locations=[(name, line)], auto_comments=comments, context=context)


def _values(path: Path, dictionary: str) -> list[str]:
    """Return the values of a dictionary of sentences, read without importing its module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.AnnAssign)
            else []
        )
        if any(isinstance(target, ast.Name) and target.id == dictionary for target in targets):
            value = node.value  # type: ignore[union-attr]
            if isinstance(value, ast.Dict):
                return [ast.literal_eval(sentence) for sentence in value.values]
    raise LookupError(f"{path} has no dictionary {dictionary}")


def languages() -> list[str]:
    """Return the codes of the settings that need a catalogue: all but the one that the code is written in."""
    return [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


def catalogue_file(language: str) -> Path:
    """Return the path of a language's catalogue."""
    return ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def read(language: str) -> Catalog:
    """Read a catalogue as it is stored; an empty one where there is none yet."""
    path = catalogue_file(language)
    if not path.exists():
        return Catalog(locale=language, project="pneumoweb", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def update() -> None:
    """Bring every catalogue up to date with the code: new strings empty, gone ones dropped, none guessed."""
    for language in languages():
        catalog = read(language)
        catalog.update(collect(), no_fuzzy_matching=True, update_creation_date=False)
        catalog.obsolete.clear()
        catalog.header_comment = (
            "# Texts of pneumoweb. Written by scripts/translations.py, translated by hand."
        )
        path = catalogue_file(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_po(file, catalog, width=110, sort_by_file=True, include_lineno=False, omit_header=False)


def compiled(language: str) -> bytes:
    """Return the catalogue as Django reads it."""
    buffer = io.BytesIO()
    write_mo(buffer, read(language))
    return buffer.getvalue()


def compile_all() -> None:
    """Write the compiled file beside every catalogue."""
    for language in languages():
        catalogue_file(language).with_suffix(".mo").write_bytes(compiled(language))


def faults(language: str) -> list[str]:
    """Return what is wrong with a catalogue: missing, fuzzy, other placeholders, not compiled."""
    catalog, found = read(language), []
    for message in collect():
        if message.id:
            stored = catalog.get(message.id, message.context)
            found += [f"{_short(message)}: {fault}" for fault in _faults_of(stored)]
    binary = catalogue_file(language).with_suffix(".mo")
    if not binary.exists() or binary.read_bytes() != compiled(language):
        found.append("the compiled file is not that of the catalogue: run compile")
    return found


def _faults_of(stored: Message | None) -> Iterator[str]:
    if stored is None:
        yield "not in the catalogue: run update"
        return
    sources = stored.id if isinstance(stored.id, tuple) else (stored.id,)
    texts = stored.string if isinstance(stored.string, tuple) else (stored.string,)
    if not all(texts):
        yield "not translated"
        return
    if stored.fuzzy:
        yield "marked as fuzzy"
    wanted = placeholders(sources[-1])
    for text in texts:
        # In the singular a count may be said in words.
        if placeholders(text) != wanted and not (len(texts) > 1 and placeholders(text) < wanted):
            yield f"other placeholders than {sorted(wanted)}"
        if text.count('"') != sources[-1].count('"'):
            yield "straight quotation marks, which end an attribute of HTML"


def placeholders(text: str) -> set[str]:
    """Return the names of the %(…)s and {…} in a text; %s and %d as they are."""
    named = {match.group(1) or match.group(0) for match in _PLACEHOLDER.finditer(text)} - {"%%"}
    try:
        braces = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError:  # a brace that stands for itself
        braces = set()
    return named | braces


def _short(message: Message) -> str:
    text = message.id[0] if isinstance(message.id, tuple) else message.id
    return f"“{textwrap.shorten(text, 70)}” ({', '.join(sorted({place for place, _ in message.locations}))})"


def missing(language: str) -> list[str]:
    """Return the strings that a language lacks."""
    return [fault for fault in faults(language) if fault.endswith("not translated")]


def main(words: list[str]) -> int:
    """Do what the first word asks for; 0 when all is well."""
    match words:
        case ["update"]:
            update()
        case ["compile"]:
            compile_all()
        case ["missing", language] if language in languages():
            print("\n".join(missing(language)))
        case ["check"]:
            found = [f"{language}: {fault}" for language in languages() for fault in faults(language)]
            print("\n".join(found) or "Every catalogue is complete.")
            return 1 if found else 0
        case _:
            print(__doc__)
            return 2
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pneumoweb.settings")
    django.setup()
    sys.exit(main(sys.argv[1:]))
