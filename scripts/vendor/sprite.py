"""Joins the named icons of @tabler/icons into one SVG sprite: sprite.py FOLDER NAMES_FILE > icons.svg."""

import re
import sys
from pathlib import Path

_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg">\n'
    "<!-- From Tabler Icons 3.51.0 (MIT, Copyright 2020-2026 Paweł Kuna): static/vendor/tabler/LICENSE -->\n"
)
_SYMBOL = (
    '<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" '
    'stroke-linecap="round" stroke-linejoin="round">{body}</symbol>\n'
)


def main(folder: Path, names: Path) -> None:
    """Print the sprite."""
    sys.stdout.write(_HEAD)
    for name in sorted(names.read_text().split()):
        source = (folder / f"{name}.svg").read_text()
        body = re.sub(r"\s*\n\s*", "", re.search(r"<svg[^>]*>(.*)</svg>", source, re.DOTALL)[1])  # type: ignore[index]
        body = body.replace('<path stroke="none" d="M0 0h24v24H0z" fill="none" />', "")
        sys.stdout.write(_SYMBOL.format(name=name, body=body))
    sys.stdout.write("</svg>\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
