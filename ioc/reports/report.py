"""A report as PDF (A4): headings, paragraphs, tables, pictures and plain vector charts, with a footer that says what it is.

Every text is drawn as it stands: names from files are never read as markup.
"""

from __future__ import annotations

import datetime as dt
import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fpdf import FPDF, FontFace
from fpdf.enums import TableBordersLayout, WrapMode

from ioc.reports.fonts import font_index, unpacked

INK, SOFT, LINE, GROUND, BREACH, ACCENT = "#18202b", "#566170", "#c2c8d0", "#e8ebee", "#a8006d", "#0b6b66"
MARGIN_MM = 18.0
MISSING = "□"
_BASE = "latin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar of a chart: its value, the limit drawn as a tick, both in the chart's unit."""

    label: str
    value: float
    shown: str
    limit: float | None = None
    is_breach: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One line of a chart: (x, y) in the chart's units; a gap is a point whose y is None."""

    label: str
    points: Sequence[tuple[float, float | None]]
    is_reference: bool = False


class Report(FPDF):
    """A document under way. Add parts in reading order, then `finish`.

    Args:
        title: on the first page and in the file's properties.
        park: the park's name, in the footer.
        author: the person who asked for it.
        made: when, with its time zone.
        lang: words of the footer.
    """

    def __init__(self, *, title: str, park: str, author: str, made: dt.datetime, lang: Literal["zh", "en"] = "zh") -> None:
        super().__init__(format="A4")
        self._loaded: dict[str, set[str]] = {"": set(), "B": set()}
        self._lang = lang
        when = made.strftime("%Y-%m-%d %H:%M:%S %z").strip()
        self._foot = self._plain(" · ".join((park, title, when, author)))
        for style in ("", "B"):
            self.add_font("noto", style, unpacked(_BASE, style))
            self._loaded[style].add(_BASE)
        self._need(self._foot + "第页共/0123456789" + MISSING)
        self.set_margins(MARGIN_MM, MARGIN_MM)
        self.c_margin = 0.0
        self.set_auto_page_break(True, MARGIN_MM + 4)
        self.set_title(title)
        self.set_author(author)
        self.set_creation_date(made)
        self.set_font("noto", "", 10)
        self.add_page()
        self._write(title, size=20, style="B", after=1)
        self._write(self._foot.split(" · ", 2)[0] + " · " + when + " · " + author, size=9, colour=SOFT, after=5)

    # ------------------------------------------------------------------ parts
    def heading(self, text: str, level: int = 1, *, room_mm: float = 50) -> None:
        """A heading; it takes a new page rather than stand alone at the foot of one (less than `room_mm` below it)."""
        if self.get_y() > self.h - room_mm:
            self.add_page()
        self.ln(3 if level == 1 else 1)
        self._write(text, size=14 if level == 1 else 11.5, style="B", after=1.5)

    def paragraph(self, text: str, *, is_soft: bool = False) -> None:
        """A paragraph of body text; `is_soft` for notes and sources."""
        self._write(text, size=9 if is_soft else 10, colour=SOFT if is_soft else INK, after=1.5)

    def notice(self, text: str) -> None:
        """A line nobody overlooks: what the reader must know before the rest."""
        text = self._plain(text)
        self._need(text)
        self.set_font("noto", "B", 10)
        self.set_text_color(INK)
        self.set_fill_color(GROUND)
        self.set_x(self.l_margin)
        self.multi_cell(self.epw, 6.5, text, align="L", fill=True, wrapmode=WrapMode.WORD, padding=2,
                        new_x="LMARGIN", new_y="NEXT")
        self.ln(2)

    def legend(self, name: str, colours: Sequence[str], edges: Sequence[str], unit: str) -> None:
        """The classes of a painted quantity: one colour a class, its edges under it."""
        if self.get_y() + 16 > self.page_break_trigger:
            self.add_page()
        y, wide = self.get_y(), 12.0
        self._line_at(self.l_margin, y, f"{name} {unit}", size=8.5, colour=INK, width=36)
        for k, colour in enumerate(colours):
            self.set_fill_color(colour)
            self.rect(self.l_margin + 38 + wide * k, y, wide, 4, "F")
        for k, edge in enumerate(edges[: len(colours) + 1]):
            self._line_at(self.l_margin + 36 + wide * k, y + 4, edge, size=8, colour=SOFT, width=8)
        self.set_xy(self.l_margin, y + 11)

    def rows(self, head: Sequence[str], body: Sequence[Sequence[str]], *, widths: Sequence[float] | None = None,
             breaches: frozenset[tuple[int, int]] = frozenset()) -> None:
        """A table.

        Args:
            widths: shares of the page's width, any scale; equal where None.
            breaches: (row, column) of cells that break a rule; bold and magenta.
        """
        texts = [[self._plain(cell) for cell in row] for row in (head, *body)]
        self._need("".join("".join(row) for row in texts))
        self.set_font("noto", "", 9)
        self.set_draw_color(LINE)
        self.set_fill_color("#ffffff")
        self.set_text_color(INK)
        with self.table(borders_layout=TableBordersLayout.HORIZONTAL_LINES, col_widths=tuple(widths) if widths else None,
                        text_align="LEFT", line_height=5, padding=1,
                        wrapmode=WrapMode.CHAR if self._lang == "zh" else WrapMode.WORD,
                        headings_style=FontFace(emphasis="B", color=SOFT, fill_color=GROUND)) as table:
            for number, line in enumerate(texts):
                row = table.row()
                for column, cell in enumerate(line):
                    hit = (number - 1, column) in breaches
                    row.cell(cell, style=FontFace(emphasis="B", color=BREACH) if hit else None)
        self.ln(3)

    def picture(self, png: bytes, caption: str = "", *, share: float = 1.0) -> None:
        """A picture across a share of the page's width, with its caption under it."""
        from PIL import Image

        width = self.epw * share
        with Image.open(io.BytesIO(png)) as image:
            height = width * image.height / image.width
        if self.get_y() + height + 8 > self.page_break_trigger:
            self.add_page()
        self.image(io.BytesIO(png), w=width, h=height)
        self.ln(1)
        if caption:
            self._write(caption, size=8.5, colour=SOFT, after=2)

    @staticmethod
    def numbered(png: bytes, spots: Sequence[tuple[int, float, float]]) -> bytes:
        """A picture with numbers in breach-coloured discs.

        Args:
            spots: (number, x, y), pixels from the top left; spots off the picture are left out.
        """
        from PIL import Image, ImageDraw, ImageFont

        with Image.open(io.BytesIO(png)) as source:
            image = source.convert("RGB")
        pen, font = ImageDraw.Draw(image), ImageFont.load_default(26)
        for number, x, y in spots:
            if 0 <= x < image.width and 0 <= y < image.height:
                pen.line([(x, y), (x + 26, y - 34)], fill=BREACH, width=3)
                pen.ellipse([x + 4, y - 76, x + 48, y - 32], fill=BREACH, outline="white", width=3)
                pen.text((x + 26, y - 54), str(number), fill="white", font=font, anchor="mm")
        out = io.BytesIO()
        image.save(out, "PNG")
        return out.getvalue()

    def pictures(self, pair: Sequence[tuple[bytes, str]]) -> None:
        """Pictures side by side, each with its caption."""
        from PIL import Image

        gap, width = 4.0, (self.epw - 4.0 * (len(pair) - 1)) / len(pair)
        heights = []
        for png, _ in pair:
            with Image.open(io.BytesIO(png)) as image:
                heights.append(width * image.height / image.width)
        if self.get_y() + max(heights) + 10 > self.page_break_trigger:
            self.add_page()
        top = self.get_y()
        for column, (png, caption) in enumerate(pair):
            left = self.l_margin + column * (width + gap)
            self.image(io.BytesIO(png), x=left, y=top, w=width, h=heights[column])
            self._line_at(left, top + max(heights) + 1, caption, size=8.5, colour=SOFT, width=width)
        self.set_xy(self.l_margin, top + max(heights) + 8)

    def bars(self, bars: Sequence[Bar], *, unit: str, name_mm: float = 52) -> None:
        """Horizontal bars on one scale, with limits as ticks."""
        top = max([bar.value for bar in bars] + [bar.limit or 0 for bar in bars] + [1e-9]) * 1.08
        span = self.epw - name_mm - 28
        if len(bars) < 16 and self.get_y() + 6.5 * len(bars) > self.page_break_trigger:
            self.add_page()  # a short chart is read in one piece
        for bar in bars:
            if self.get_y() + 8 > self.page_break_trigger:
                self.add_page()
            y, left = self.get_y(), self.l_margin + name_mm
            self._line_at(self.l_margin, y, bar.label, size=9, colour=INK, width=name_mm - 2)
            self.set_fill_color(GROUND)
            self.rect(left, y + 1.4, span, 2.4, "F")
            self.set_fill_color(BREACH if bar.is_breach else SOFT)
            if bar.value > 0:
                self.rect(left, y + 1.4, span * min(1.0, bar.value / top), 2.4, "F")
            if bar.limit is not None:
                self.set_draw_color(INK)
                self.set_line_width(0.5)
                self.line(left + span * bar.limit / top, y + 0.6, left + span * bar.limit / top, y + 4.6)
            colour = BREACH if bar.is_breach else INK
            self._line_at(left + span + 2, y, f"{bar.shown} {unit}", size=9, colour=colour, width=26)
            self.set_xy(self.l_margin, y + 6.5)
        self.ln(2)

    def curves(self, curves: Sequence[Curve], *, unit: str, x_ticks: Sequence[tuple[float, str]],
               high_mm: float = 42) -> None:
        """Lines over one time or distance axis; reference lines grey and dashed."""
        known = [(x, y) for curve in curves for x, y in curve.points if y is not None]
        if not known:
            return
        if self.get_y() + high_mm + 12 > self.page_break_trigger:
            self.add_page()
        xs = [x for curve in curves for x, _ in curve.points]
        x0, x1 = min(xs), max(xs)
        y0, y1 = min(0.0, *(y for _, y in known)), max(y for _, y in known)
        x1, y1 = (x1 if x1 > x0 else x0 + 1), (y1 if y1 > y0 else y0 + 1)
        left, top, wide = self.l_margin + 14, self.get_y() + 5, self.epw - 16
        self._line_at(self.l_margin, top - 5, unit, size=8, colour=SOFT, width=40)
        self.set_line_width(0.2)
        for share in (0.0, 0.5, 1.0):
            y = top + high_mm * (1 - share)
            self.set_draw_color(LINE)
            self.line(left, y, left + wide, y)
            self._line_at(self.l_margin, y - 2.2, f"{y0 + share * (y1 - y0):.4g}", size=8, colour=SOFT, width=13)
        for x, label in x_ticks:
            self._line_at(left + wide * (x - x0) / (x1 - x0) - 6, top + high_mm + 1, label, size=8, colour=SOFT, width=16)
        for curve in curves:
            self.set_draw_color(SOFT if curve.is_reference else INK)
            self.set_line_width(0.25 if curve.is_reference else 0.45)
            self.set_dash_pattern(*((1.2, 1.0) if curve.is_reference else (0, 0)))
            for (xa, ya), (xb, yb) in zip(curve.points, curve.points[1:], strict=False):
                if ya is not None and yb is not None:
                    self.line(left + wide * (xa - x0) / (x1 - x0), top + high_mm * (1 - (ya - y0) / (y1 - y0)),
                              left + wide * (xb - x0) / (x1 - x0), top + high_mm * (1 - (yb - y0) / (y1 - y0)))
        self.set_dash_pattern(0, 0)
        self.set_xy(self.l_margin, top + high_mm + 7)
        self.paragraph(" · ".join(curve.label for curve in curves), is_soft=True)

    def finish(self) -> bytes:
        """The document."""
        return bytes(self.output())

    def footer(self) -> None:
        """On every page: park, title, time, person, page. Called by fpdf2."""
        self.set_y(-14)
        self.set_font("noto", "", 8)
        self.set_text_color(SOFT)
        foot = self._foot if len(self._foot) < 110 else self._foot[:109] + "…"
        self.cell(self.epw - 20, 5, foot)
        number = f"第 {self.page_no()} 页" if self._lang == "zh" else f"Page {self.page_no()}"
        self.cell(20, 5, number, align="R")

    # ------------------------------------------------------------------ text
    def _write(self, text: str, *, size: float, style: str = "", colour: str = INK, after: float = 0) -> None:
        text = self._plain(text)
        self._need(text)
        self.set_font("noto", style, size)
        self.set_text_color(colour)
        self.set_x(self.l_margin)
        self.multi_cell(self.epw, size * 0.52, text, align="L", wrapmode=WrapMode.WORD, new_x="LMARGIN", new_y="NEXT")
        self.ln(after)

    def _line_at(self, x: float, y: float, text: str, *, size: float, colour: str, width: float) -> None:
        text = self._plain(text).replace("\n", " ")
        self._need(text)
        self.set_font("noto", "", size)
        self.set_text_color(colour)
        while len(text) > 1 and self.get_string_width(text) > width:
            text = text[:-2] + "…" if len(text) > 2 else text[:1]
        self.set_xy(x, y)
        self.cell(width, 5, text)

    def _plain(self, text: str) -> str:
        """Text as it can be drawn: control characters out, what no piece has as what it stands for (₂: 2) or a box."""
        index = font_index()
        kept = (c for c in text if c == "\n" or unicodedata.category(c)[0] != "C")

        def drawn(c: str) -> str:
            if c == "\n" or c == "…" or index.piece_of(c):
                return c
            plain = unicodedata.normalize("NFKC", c)
            return plain if all(index.piece_of(p) for p in plain) else MISSING

        return "".join(drawn(c) for c in kept)

    def _need(self, text: str) -> None:
        """Load the pieces this text is drawn with, in both weights."""
        index = font_index()
        pieces = {piece for c in set(text) | {"…"} if (piece := index.piece_of(c))} - self._loaded[""]
        for piece in sorted(pieces):
            for style in ("", "B"):
                self.add_font(f"noto-{piece}", style, unpacked(piece, style))
                self._loaded[style].add(piece)
        if pieces:
            self.set_fallback_fonts([f"noto-{piece}" for piece in sorted(self._loaded[""] - {_BASE})])
