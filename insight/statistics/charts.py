"""Coordinates of lines and bars as SVG attributes, never localised."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

WIDTH, HEIGHT = 380, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 10, 24


@dataclass(frozen=True)
class Rect:
    """A filled box; `tone` is the end of its CSS class, `opacity` is "1" where it is solid."""

    x: str
    y: str
    width: str
    height: str
    tone: str = ""
    opacity: str = "1"


@dataclass(frozen=True)
class Label:
    """A word at a place; `anchor` is SVG's text-anchor."""

    x: str
    y: str
    text: str
    anchor: str = "middle"


@dataclass(frozen=True)
class Line:
    """A line through points, as SVG's path data; `tone` is the end of its CSS class."""

    path: str
    tone: str = "grid"


@dataclass(frozen=True)
class Picture:
    """One drawing: description, parts, and key (tone and word)."""

    description: str
    width: int = WIDTH
    height: int = HEIGHT
    rects: list[Rect] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    dots: list[tuple[str, str, str]] = field(default_factory=list)
    key: list[tuple[str, str]] = field(default_factory=list)


def at(value: float) -> str:
    """Write a coordinate."""
    return f"{value:.1f}"


def nice_top(value: float) -> float:
    """The next round number at or above a value: 1, 2 or 5 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value - 1e-9)


@dataclass(frozen=True)
class Plot:
    """Axes from 0 to `x_top` and 0 to `y_top` within a picture's frame."""

    x_top: float
    y_top: float
    height: int = HEIGHT

    def x(self, value: float) -> float:
        """The x coordinate of a value."""
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * value / self.x_top

    def y(self, value: float) -> float:
        """The y coordinate of a value."""
        return self.height - _BOTTOM - (self.height - _TOP - _BOTTOM) * value / self.y_top

    def path(self, points: Sequence[tuple[float, float]]) -> str:
        """Path data of a line through points."""
        return "M" + "L".join(f"{at(self.x(x))} {at(self.y(y))}" for x, y in points)

    def grid(self, ticks: Sequence[tuple[float, str]]) -> tuple[list[Line], list[Label]]:
        """Horizontal lines with their labels on the left."""
        lines = [Line(self.path([(0, value), (self.x_top, value)])) for value, _ in ticks]
        labels = [Label(at(_LEFT - 5), at(self.y(value) + 3.5), text, "end") for value, text in ticks]
        return lines, labels

    def below(self, ticks: Sequence[tuple[float, str]]) -> list[Label]:
        """Labels under the horizontal axis."""
        return [Label(at(self.x(value)), at(self.height - _BOTTOM + 15), text) for value, text in ticks]


def stacked_bars(
    description: str,
    columns: Sequence[Sequence[int]],
    *,
    tones: Sequence[tuple[str, str]],
    names: Sequence[str],
) -> Picture:
    """Stacked bars; `tones` gives each part's tone and word."""
    top = nice_top(max((sum(column) for column in columns), default=0))
    plot = Plot(len(columns), top)
    lines, labels = plot.grid([(share * top, f"{share * top:g}") for share in (0, 0.5, 1)])
    rects = []
    for place, column in enumerate(columns):
        below = 0
        for part, (tone, _) in zip(column, tones, strict=True):
            if part:
                width = at(plot.x(0.8) - plot.x(0))
                height = at(plot.y(0) - plot.y(part))
                rects.append(Rect(at(plot.x(place + 0.1)), at(plot.y(below + part)), width, height, tone))
            below += part
    labels += plot.below(_some(names))
    return Picture(description, rects=rects, lines=lines, labels=labels, key=list(tones))


def curves(
    description: str,
    series: Sequence[Sequence[float | None]],
    *,
    tones: Sequence[tuple[str, str]],
    names: Sequence[str],
    unit: str,
) -> Picture:
    """Values over time as lines with dots; a missing value breaks the line."""
    top = nice_top(max((value for values in series for value in values if value is not None), default=0))
    plot = Plot(len(names), top)
    lines, labels = plot.grid([(share * top, f"{share * top:g} {unit}") for share in (0, 0.5, 1)])
    dots = []
    for values, (tone, _) in zip(series, tones, strict=True):
        points = [(place + 0.5, value) for place, value in enumerate(values) if value is not None]
        dots += [(at(plot.x(x)), at(plot.y(y)), tone) for x, y in points]
        lines += [Line(plot.path(run), tone) for run in _runs(values) if len(run) > 1]
    labels += plot.below(_some(names))
    return Picture(description, lines=lines, labels=labels, dots=dots, key=list(tones))


def roc_curve(
    description: str,
    points: Sequence[tuple[float, float]],
    operating: tuple[float, float],
    axes: tuple[str, str],
) -> Picture:
    """The ROC curve with the diagonal and the operating point as a dot; `axes`: the names of x and y."""
    height = 340
    plot = Plot(1, 1, height)
    quarters = [(share, f"{100 * share:.0f}%") for share in (0, 0.25, 0.5, 0.75, 1)]
    lines, labels = plot.grid(quarters)
    lines += [Line(plot.path([(0, 0), (1, 1)]), "chance"), Line(plot.path(points), "first")]
    labels += [*plot.below(quarters[:-1])]
    labels += [
        Label(at(plot.x(0.97)), at(plot.y(0.03)), axes[0], "end"),
        Label(at(plot.x(0.02)), at(20), axes[1], "start"),
    ]
    dots = [(at(plot.x(operating[0])), at(plot.y(operating[1])), "point")]
    return Picture(description, height=height, lines=lines, labels=labels, dots=dots)


def intervals(description: str, rows: Sequence[tuple[str, float, float | None, float | None]]) -> Picture:
    """Forest plot: figures from −1 to 1 with their intervals, one below the other."""
    ends = [low if low is not None else value for _, value, low, _ in rows]
    least = -1.0 if min(ends, default=0.0) < -0.5 else -0.5 if min(ends, default=0.0) < 0 else 0.0
    height = 20 + 34 * len(rows) + 20

    def x(value: float) -> str:
        return at(12 + (WIDTH - 24) * (value - least) / (1 - least))

    ticks = [least + (1 - least) * part / 4 for part in range(5)]
    picture = Picture(description, height=height)
    picture.lines.extend(Line(f"M{x(tick)} 6V{height - 22}") for tick in ticks)
    picture.labels.extend(Label(x(tick), at(height - 8), f"{tick:g}") for tick in ticks)
    for number, (name, value, low, high) in enumerate(rows):
        y = 34 + 34 * number
        picture.labels.append(Label(at(14), at(y - 10), name, "start"))
        if low is not None and high is not None:
            picture.lines.append(
                Line(f"M{x(low)} {y}H{x(high)}M{x(low)} {y - 4}V{y + 4}M{x(high)} {y - 4}V{y + 4}", "first")
            )
        picture.dots.append((x(value), at(y), "first"))
    return picture


def shaded_rows(description: str, rows: Sequence[tuple[str, Sequence[int]]], names: Sequence[str]) -> Picture:
    """Heat map of histograms, one a row: the larger a bin's share, the darker its cell."""
    step = 16
    bins, height = len(names), 22 + step * len(rows)
    left, width = 86, (WIDTH - 86 - 6) / len(names)
    picture = Picture(description, height=height)
    for number, (name, counts) in enumerate(rows):
        y, total = 4 + step * number, sum(counts)
        picture.labels.append(Label(at(left - 6), at(y + step - 5), name, "end"))
        for place in range(bins):
            part = counts[place] / total if total else 0.0
            box = (at(left + width * place), at(y), at(width - 1), at(step - 1))
            picture.rects.append(Rect(*box, "empty" if not total else "shade", f"{0.06 + 0.94 * part:.2f}"))
    picture.labels.extend(
        Label(at(left + width * (place + 0.5)), at(height - 5), name) for place, name in enumerate(names)
    )
    return picture


def _some(names: Sequence[str]) -> list[tuple[float, str]]:
    """At most six of the names with their x values, evenly spread."""
    step = max(1, math.ceil(len(names) / 6))
    return [(place + 0.5, names[place]) for place in range(0, len(names), step)]


def _runs(values: Sequence[float | None]) -> list[list[tuple[float, float]]]:
    """Runs without a missing value, as points."""
    runs: list[list[tuple[float, float]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((place + 0.5, value))
    return runs
