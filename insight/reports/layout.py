"""Layout of PDF reports: page, fonts, headings, tables, score bar, QR code."""

import importlib.util
import io
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, Literal

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from reportlab import rl_config
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing, Line, Polygon, Rect, String
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, Image, PageTemplate, Paragraph, Spacer, Table

REGULAR, BOLD = "DejaVuSans", "DejaVuSans-Bold"
MARGIN, FOOT = 18 * mm, 20 * mm
WIDTH = A4[0] - 2 * MARGIN
INK, GREY, LINE, SOFT, BAND = (
    HexColor(code) for code in ("#1a2433", "#5b6675", "#c9d1db", "#eef2f6", "#f2d49b")
)
_SIZES = {"title": 17, "heading": 11.5, "text": 9.2, "small": 7.6, "strong": 10.5}

_SPACE_BEFORE = {"heading": 9, "strong": 5}


@cache
def _register_fonts() -> frozenset[int]:
    """Register DejaVu Sans, which matplotlib ships, with reportlab; return the characters it contains."""
    place = importlib.util.find_spec("matplotlib")  # found, not imported: that takes a second
    if place is None or not place.submodule_search_locations:
        raise RuntimeError("matplotlib is not installed, and with it the fonts of reports")
    folder = Path(place.submodule_search_locations[0]) / "mpl-data" / "fonts" / "ttf"
    fonts = [TTFont(name, str(folder / f"{name}.ttf")) for name in (REGULAR, BOLD)]
    for font in fonts:
        pdfmetrics.registerFont(font)
    held = [frozenset(font.face.charToGlyph) for font in fonts]
    rl_config.useA85 = 0  # binary pictures: ASCII encoding takes seconds
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)
    return held[0] & held[1]


def printable(text: str) -> str:
    """Return the text without control characters; one missing from the font becomes [U+4E2D]."""
    held = _register_fonts()
    kept = []
    for character in unicodedata.normalize("NFC", text):
        if character == "\n" or ord(character) in held:
            kept.append(character)
        elif unicodedata.category(character) not in ("Cc", "Cf"):
            kept.append(f"[U+{ord(character):04X}]")
    return "".join(kept)


@cache
def _style(name: str, bold: bool) -> ParagraphStyle:
    _register_fonts()
    size = _SIZES[name]
    return ParagraphStyle(
        name,
        fontName=BOLD if bold else REGULAR,
        fontSize=size,
        leading=size * 1.4,
        textColor=GREY if name == "small" else INK,
        spaceBefore=_SPACE_BEFORE.get(name, 0),
        spaceAfter=3 if name in ("title", "heading") else 2,
        keepWithNext=name in ("title", "heading", "strong"),
    )


def text(words: str, kind: str = "text", *, bold: bool = False, link: str = "") -> Paragraph:
    """Return a paragraph; `kind` is title, heading, strong, text or small. Line ends are kept."""
    body = escape(printable(words), quote=False).replace("\n", "<br/>")
    if link:
        body = f'<a href="{escape(link)}">{body}</a>'
    return Paragraph(body, _style(kind, bold or kind in ("title", "heading", "strong")))


def gap(height: float = 3) -> Spacer:
    """Return vertical space of so many millimetres."""
    return Spacer(1, height * mm)


def facts(pairs: Sequence[tuple[str, str]], *, width: float = WIDTH, names: float = 42 * mm) -> Table:
    """Return names and values in two columns."""
    rows = [
        [text(name, "small"), text(value, "small" if _is_hash(value) else "text")] for name, value in pairs
    ]
    style: list[Any] = [("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (0, -1), 0), *_TIGHT]
    return Table(rows, colWidths=[names, width - names], style=style, hAlign="LEFT")


def _is_hash(value: str) -> bool:
    """A SHA-256 fits on one line only in small letters."""
    return len(value) == 64 and " " not in value


_TIGHT: list[Any] = [("TOPPADDING", (0, 0), (-1, -1), 1.2), ("BOTTOMPADDING", (0, 0), (-1, -1), 1.2)]


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, shares: Sequence[float]) -> Table:
    """Return a table whose heading is repeated on each page; `shares` are the columns' parts of the width."""
    drawn = [[text(cell, "small", bold=True) for cell in header]]
    drawn += [[text(cell, "small") for cell in row] for row in rows]
    style: list[Any] = [
        ("BACKGROUND", (0, 0), (-1, 0), SOFT),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        *_TIGHT,
    ]
    widths = [WIDTH * part / sum(shares) for part in shares]
    return Table(drawn, colWidths=widths, repeatRows=1, style=style, hAlign="LEFT")


def side_by_side(left: Flowable, right: Flowable, *, left_width: float) -> Table:
    """Return two flowables side by side, aligned at the top."""
    style: list[Any] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 0),
    ]
    return Table([[left, right]], colWidths=[left_width, WIDTH - left_width], style=style)


def picture(data: bytes, *, width: float, height: float) -> Image:
    """Return a PNG or JPEG picture, as large as fits into the box."""
    return Image(io.BytesIO(data), width=width, height=height, kind="proportional", hAlign="LEFT")


def qr_code(address: str, *, side: float = 26 * mm) -> Drawing:
    """Return the address as a QR code (correction level M)."""
    code = QrCodeWidget(address, barLevel="M", barBorder=2)
    left, bottom, right, top = code.getBounds()
    drawing = Drawing(side, side, transform=[side / (right - left), 0, 0, side / (top - bottom), 0, 0])
    drawing.add(code)
    drawing.hAlign = "RIGHT"
    return drawing


def score_bar(*, score: float, threshold: float, low: float, high: float, labels: Sequence[str]) -> Drawing:
    """Draw a score on a bar of 0 to 100, with the borderline band and the operating point.

    `labels` are the words for the score (above the bar) and for operating point and band (below it).
    """
    _register_fonts()
    wide, thick, base = WIDTH * 0.72, 7, 20
    drawing = Drawing(wide, 46)
    drawing.add(_box(0, base, wide, thick, SOFT))
    drawing.add(_box(wide * low / 100, base, wide * (high - low) / 100, thick, BAND))
    mark, place = wide * threshold / 100, wide * score / 100
    drawing.add(Line(mark, base - 4, mark, base + thick + 4, strokeColor=INK, strokeWidth=1))
    top = base + thick
    drawing.add(
        Polygon([place, top + 1, place - 4, top + 9, place + 4, top + 9], fillColor=INK, strokeColor=None)
    )
    for at, height, words in ((place, top + 11, labels[0]), (mark, 7, labels[1])):
        drawing.add(
            String(
                at,
                height,
                printable(words),
                fontName=REGULAR,
                fontSize=7.6,
                fillColor=INK,
                textAnchor=_anchor(at / wide),
            )
        )
    return drawing


def _box(x: float, y: float, width: float, height: float, colour: Color) -> Rect:
    box = Rect(x, y, width, height)
    box.fillColor, box.strokeColor, box.strokeWidth = colour, LINE, 0.4
    return box


def _anchor(place: float) -> Literal["start", "middle", "end"]:
    """The text anchor of a label at a position (0 to 1) that keeps it on the bar."""
    if place < 0.3:
        return "start"
    return "end" if place > 0.7 else "middle"


class _Pages(Canvas):
    """A canvas that writes page footers once the number of pages is known."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - reportlab's name
        """Keep the page until all exist."""
        self._kept.append(dict(self.__dict__))
        self._startPage()  # type: ignore[attr-defined]  # reportlab's own way to do this

    def save(self) -> None:
        """Write every page with its footer."""
        for page in self._kept:
            self.__dict__.update(page)
            self._footer(len(self._kept))
            super().showPage()
        super().save()

    def _footer(self, pages: int) -> None:
        self.setStrokeColor(LINE)
        self.line(MARGIN, 15 * mm, A4[0] - MARGIN, 15 * mm)
        self.setFillColor(INK)
        self.setFont(BOLD, 8)
        self.drawString(MARGIN, 10.5 * mm, settings.DISCLAIMER)
        self.setFont(REGULAR, 7.6)
        self.setFillColor(GREY)
        number = _("Page %(page)d of %(pages)d") % {"page": self.getPageNumber(), "pages": pages}
        self.drawRightString(A4[0] - MARGIN, 10.5 * mm, printable(number))


def moment(at: datetime) -> str:
    """Write a time in UTC, alike in every language."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def document(title: str, parts: Sequence[Flowable]) -> bytes:
    """Return the PDF file. Equal parts give equal bytes; the metadata name no person and no time."""
    _register_fonts()
    out = io.BytesIO()
    frame = Frame(MARGIN, FOOT, WIDTH, A4[1] - FOOT - MARGIN, 0, 0, 0, 0)
    BaseDocTemplate(
        out,
        pagesize=A4,
        pageTemplates=[PageTemplate(frames=[frame])],
        title=title,
        author="pneumoweb",
        creator="pneumoweb",
        subject=settings.DISCLAIMER,
        lang=get_language() or "en",
        displayDocTitle=True,
        initialFontName=REGULAR,
        invariant=1,
    ).build(list(parts), canvasmaker=_Pages)
    return out.getvalue()
