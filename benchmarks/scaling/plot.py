"""Draws page times against the number of studies as SVG, from the results of benchmarks/million.py."""

from __future__ import annotations

import json
import math
from html import escape
from pathlib import Path
from typing import Any

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 420, 60, 230, 40, 50
TARGET_MS = 150
COLOURS = ("#1b6ca8", "#c0392b", "#1e8449", "#8e44ad", "#b9770e", "#117a65", "#5d6d7e", "#a93226", "#2e4053")
SHOWN = (
    "films", "films, deep page", "films, by a subject's code", "film", "worklist", "dashboard", "project",
    "API list", "audit trail",
)  # fmt: skip


def draw(results: Path, docs: Path) -> None:
    """Write one picture an engine into `docs`."""
    for path in sorted(results.glob("million-*.json")):
        found = json.loads(path.read_text("utf-8"))
        (docs / f"{path.stem}.svg").write_text(picture(found), "utf-8")


def picture(found: dict[str, Any]) -> str:
    """Return the SVG of p95 by number of studies, both axes logarithmic."""
    sizes = [one["studies"] for one in found["sizes"]]
    key = "p95_ms" if "p95_ms" in next(iter(found["sizes"][0]["pages"].values())) else "alone_ms"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12"><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="22" font-size="15">{escape(found["engine"])}: 95th percentile of page times, '
        f"ten people, {escape(found['date'])}, {escape(found['commit'])}</text>",
    ]
    for value in (10, 30, 100, 300, 1000):
        parts.append(_level(value, f"{value} ms", "#ddd"))
    parts.append(_level(TARGET_MS, "150 ms", "#c0392b", dash=' stroke-dasharray="6 4"'))
    for size in sizes:
        parts.append(
            f'<text x="{_x(size, sizes):.0f}" y="{HEIGHT - 25}" text-anchor="middle">{size:,}</text>'
        )
    parts.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 7}" text-anchor="middle">studies</text>'
    )
    for number, name in enumerate(SHOWN):
        points = [
            (_x(one["studies"], sizes), _y(one["pages"][name][key]))
            for one in found["sizes"]
            if name in one["pages"]
        ]
        if not points:
            continue
        colour = COLOURS[number % len(COLOURS)]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
        place = TOP + 12 + 20 * number
        parts.append(
            f'<rect x="{WIDTH - RIGHT + 20}" y="{place - 9}" width="12" height="12" fill="{colour}"/>'
        )
        parts.append(f'<text x="{WIDTH - RIGHT + 38}" y="{place + 1}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _level(value: float, label: str, colour: str, dash: str = "") -> str:
    y = _y(value)
    return (
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour}"{dash}/>'
        f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
    )


def _x(size: int, sizes: list[int]) -> float:
    low, high = math.log(min(sizes)), math.log(max(sizes))
    return LEFT + 20 + (WIDTH - RIGHT - LEFT - 40) * (math.log(size) - low) / ((high - low) or 1)


def _y(milliseconds: float) -> float:
    low, high = math.log(5), math.log(2000)
    share = (math.log(min(2000, max(5, milliseconds))) - low) / (high - low)
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share
