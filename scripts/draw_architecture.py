"""Draw docs/architecture.svg from the imports, or check it: python -m scripts.draw_architecture [--check]."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from dataclasses import dataclass
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "architecture.svg"
WIDTH, MARGIN, GAP = 1180, 20, 44
ASIDE = 60  # pixels at the right edge for arrows that pass a layer by
LINE, HEAD, CELL = 18, 48, 196
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1d2733 }
.name { font-weight: 600; font-size: 15px }
.small { font-size: 12px; fill: #51606f }
rect { fill: #f5f8fb; stroke: #7d8fa3 }
.part { fill: #fff; stroke: #c3ced9 }
path { stroke: #44617f; fill: none; stroke-width: 1.6; marker-end: url(#tip) }
"""


@dataclass(frozen=True)
class Package:
    """A top-level package: what it holds, its packages inside, and which packages it imports directly."""

    name: str
    says: str
    inside: tuple[str, ...]
    imports: tuple[str, ...]


@dataclass(frozen=True)
class Box:
    """A package with its place in the picture, in pixels."""

    package: Package
    left: int
    top: int
    width: int
    height: int

    @property
    def middle(self) -> int:
        """The horizontal middle."""
        return self.left + self.width // 2


def layers() -> list[list[str]]:
    """Return the layers of pyproject.toml, the topmost first."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    (apps,) = [contract for contract in tools["importlinter"]["contracts"] if contract["id"] == "apps"]
    return [[name.strip() for name in layer.split("|")] for layer in apps["layers"]]


def read_packages(names: list[str]) -> dict[str, Package]:
    """Return each package with what its docstring says and what its modules import."""
    graph = grimp.build_graph(*names, cache_dir=None)
    found = {}
    for name in names:
        modules = [name, *graph.find_descendants(name)]
        imported = {
            other.partition(".")[0]
            for module in modules
            if ".migrations" not in module
            for other in graph.find_modules_directly_imported_by(module)
        }
        folders = (path.parent for path in sorted((ROOT / name).glob("*/__init__.py")))
        inside = tuple(folder.name for folder in folders if folder.name not in ("migrations", "templatetags"))
        others = tuple(other for other in names if other in imported - {name})
        found[name] = Package(name, _docstring(name), inside, others)
    return found


def _docstring(name: str) -> str:
    tree = ast.parse((ROOT / name / "__init__.py").read_text("utf-8"))
    return re.sub(r"\.$", "", (ast.get_docstring(tree) or "").partition("\n")[0])


def nearest(package: Package, packages: dict[str, Package]) -> list[str]:
    """Return the imports that no other import of the package reaches already: the arrows worth drawing."""

    def reached(name: str) -> set[str]:
        below = set(packages[name].imports)
        return below.union(*(reached(other) for other in below))

    beyond = set().union(*(reached(other) for other in package.imports))
    return [name for name in package.imports if name not in beyond]


def place(packages: dict[str, Package]) -> list[Box]:
    """Give each package its place: a row a layer, boxes of one row beside each other."""
    boxes, top = [], MARGIN
    for layer in layers():
        width = (WIDTH - ASIDE - 2 * MARGIN - (len(layer) - 1) * MARGIN) // len(layer)
        columns = max(1, (width - 2 * MARGIN) // CELL)
        rows = max(-(-len(packages[name].inside) // columns) for name in layer)
        height = HEAD + LINE + rows * 30 + 10
        for number, name in enumerate(layer):
            boxes.append(Box(packages[name], MARGIN + number * (width + MARGIN), top, width, height))
        top += height + GAP
    return boxes


def draw_box(box: Box) -> list[str]:
    """Return the SVG elements of one package."""
    package, left = box.package, box.left + MARGIN
    lines = [
        f'<rect x="{box.left}" y="{box.top}" width="{box.width}" height="{box.height}" rx="8"/>',
        f'<text class="name" x="{left}" y="{box.top + 24}">{package.name}/</text>',
        f'<text x="{left}" y="{box.top + 24 + LINE}">{escape(package.says)}</text>',
    ]
    if package.imports:
        told = escape(f"imports {', '.join(package.imports)}")
        lines.append(f'<text class="small" x="{left}" y="{box.top + 24 + 2 * LINE}">{told}</text>')
    columns = max(1, (box.width - 2 * MARGIN) // CELL)
    for number, part in enumerate(package.inside):
        x = left + number % columns * CELL
        y = box.top + HEAD + LINE + number // columns * 30 + 6
        lines.append(f'<rect class="part" x="{x}" y="{y}" width="{CELL - 10}" height="24" rx="5"/>')
        lines.append(f'<text class="small" x="{x + 9}" y="{y + 16}">{part}/</text>')
    return lines


def draw_arrow(source: Box, target: Box, track: int) -> str:
    """Return the arrow from a package to one below it: straight to the next layer, else along the edge."""
    top, bottom = source.top + source.height, target.top
    if bottom - top <= GAP:
        across = source.middle if source.width <= target.width else target.middle
        return f'<path d="M {across} {top} V {bottom - 3}"/>'
    edge = WIDTH - ASIDE + 2 + 14 * track
    start = (source.left + source.width, source.top + source.height - 14)
    end = (target.left + target.width, target.top + 14 + 8 * track)
    return f'<path d="M {start[0]} {start[1]} H {edge} V {end[1]} H {end[0] + 3}"/>'


def picture() -> str:
    """Return the whole SVG."""
    packages = read_packages([name for layer in layers() for name in layer])
    boxes = place(packages)
    by_name = {box.package.name: box for box in boxes}
    height = boxes[-1].top + boxes[-1].height + MARGIN
    parts = [line for box in boxes for line in draw_box(box)]
    track = 0
    for box in boxes:
        for name in nearest(box.package, packages):
            parts.append(draw_arrow(box, by_name[name], track))
            track += by_name[name].top - box.top - box.height > GAP
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
            "<title>The packages of pneumoweb and who imports whom</title>",
            f"<style>{STYLE}</style>",
            '<defs><marker id="tip" markerWidth="9" markerHeight="9" refX="7" refY="4" orient="auto">',
            '<polygon points="0 0, 8 4, 0 8" fill="#44617f"/></marker></defs>',
            f'<rect width="{WIDTH}" height="{height}" style="fill:#fff;stroke:none"/>',
            *parts,
            "</svg>\n",
        ]
    )


def main() -> None:
    """Draw the picture, or with --check say whether the one that is there is still true."""
    if "--check" not in sys.argv[1:]:
        PICTURE.write_text(picture(), "utf-8")
    elif PICTURE.read_text("utf-8") != picture():
        sys.exit("docs/architecture.svg differs from the imports: run python -m scripts.draw_architecture")


if __name__ == "__main__":
    main()
