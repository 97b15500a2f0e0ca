"""Cells and wires on a page, and the check that every text fits its cell.

The unit is a hundredth of an inch, as draw.io counts pages; a font of 10 units is printed at 7.2 points.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from infra.diagram import text
from infra.diagram.palette import FONT, INK

UNITS_PER_INCH = 100
SMALLEST_FONT = 10
"""In units: 7.2 pt on paper."""
TOP_MARGIN = 5
"""What draw.io leaves above a text that stands at the top of its cell, beside ``spacingTop``."""

Point = tuple[float, float]
Style = Mapping[str, str | int | float]


class DoesNotFitError(ValueError):
    """A text is larger than its cell, or a cell leaves the one that it is in."""


@dataclass(frozen=True, slots=True)
class Rect:
    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        return self.x + self.w

    @property
    def bottom(self) -> float:
        return self.y + self.h

    def at(self, fx: float, fy: float) -> Point:
        """The point at these shares of width and height."""
        return self.x + fx * self.w, self.y + fy * self.h

    def inset(self, left: float, top: float, right: float | None = None, bottom: float | None = None) -> Rect:
        right, bottom = left if right is None else right, top if bottom is None else bottom
        return Rect(self.x + left, self.y + top, self.w - left - right, self.h - top - bottom)

    def columns(self, shares: Sequence[float], gap: float) -> list[Rect]:
        """Side by side, as wide as their shares say."""
        room, x, found = self.w - gap * (len(shares) - 1), self.x, []
        for share in shares:
            found.append(Rect(x, self.y, room * share / sum(shares), self.h))
            x = found[-1].right + gap
        return found

    def grid(self, columns: int, rows: int, gap: float) -> list[Rect]:
        """Row by row."""
        h = (self.h - gap * (rows - 1)) / rows
        lines = [Rect(self.x, self.y + row * (h + gap), self.w, h) for row in range(rows)]
        return [cell for line in lines for cell in line.columns([1] * columns, gap)]

    def contains(self, other: Rect) -> bool:
        slack = 1e-6
        return (
            self.x <= other.x + slack and other.right <= self.right + slack
            and self.y <= other.y + slack and other.bottom <= self.bottom + slack
        )  # fmt: skip

    def overlaps(self, other: Rect) -> bool:
        return self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom


@dataclass(frozen=True, slots=True)
class Cell:
    """A shape with a text.

    Attributes:
        rect: on the page, whatever the parent.
        parent: id of the cell that it moves with, or "".
    """

    id: str
    rect: Rect
    value: str
    style: Style
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Wire:
    """An arrow along ``points``: its ends, which lie on the borders of source and target, and its corners.

    Attributes:
        source, target: cells, or "" for a line that hangs free.
        label_at: share of its length at which the label stands.
        offset: of the label from there.
    """

    id: str
    source: str
    target: str
    points: tuple[Point, ...]
    style: Style
    label: str = ""
    label_at: float = 0.5
    offset: Point = (0, 0)

    def label_rect(self) -> Rect:
        """Where the label is printed."""
        x, y = along(self.points, self.label_at)
        size = float(self.style["fontSize"])
        w, h = text.width(self.label, size) + 10, text.height(self.label, size)
        return Rect(x + self.offset[0] - w / 2, y + self.offset[1] - h / 2, w, h)


def along(points: Sequence[Point], share: float) -> Point:
    """The point at a share of the length of a line of straight pieces."""
    pieces = [(a, b, abs(b[0] - a[0]) + abs(b[1] - a[1])) for a, b in pairwise(points)]
    left = share * sum(length for *_, length in pieces)
    for (ax, ay), (bx, by), length in pieces:
        if left <= length and length:
            return ax + (bx - ax) * left / length, ay + (by - ay) * left / length
        left -= length
    return points[-1]


@dataclass(slots=True)
class Canvas:
    """Collects what is drawn, in the order of drawing."""

    cells: dict[str, Cell] = field(default_factory=dict)
    wires: list[Wire] = field(default_factory=list)

    def put(self, cell: Cell) -> Cell:
        """Add a cell.

        Raises:
            DoesNotFitError: it leaves its parent.
            ValueError: its id is taken.
        """
        if cell.id in self.cells:
            raise ValueError(f"there are two cells {cell.id!r}")
        if cell.parent and not self.cells[cell.parent].rect.contains(cell.rect):
            raise DoesNotFitError(f"{cell.id} leaves {cell.parent}: {cell.rect} in {self.cells[cell.parent].rect}")
        self.cells[cell.id] = cell
        return cell

    def write(
        self, id_: str, rect: Rect, value: str, *, parent: str = "", size: float = SMALLEST_FONT, bold: bool = False,
        align: str = "left", colour: str = INK, style: Style | None = None,
    ) -> Cell:  # fmt: skip
        """A text without a border, at the top of ``rect``.

        Raises:
            DoesNotFitError: the text is larger than ``rect``, or smaller than can be read on paper.
        """
        check_fit(id_, value, rect, size, bold)
        look: dict[str, str | int | float] = {
            "text": "", "html": 0, "strokeColor": "none", "fillColor": "none", "align": align, "verticalAlign": "top",
            "spacing": 0, "spacingTop": -TOP_MARGIN, **font(size, bold, colour), **(style or {}),
        }  # fmt: skip
        return self.put(Cell(id_, rect, value, look, parent))

    def rect(self, id_: str) -> Rect:
        return self.cells[id_].rect

    def moved(self, dx: float, dy: float) -> Canvas:
        """All of it elsewhere on the page."""
        cells = {
            one.id: replace(one, rect=replace(one.rect, x=one.rect.x + dx, y=one.rect.y + dy))
            for one in self.cells.values()
        }
        wires = [replace(one, points=tuple((x + dx, y + dy) for x, y in one.points)) for one in self.wires]
        return Canvas(cells, wires)

    def leaves(self) -> Iterator[Cell]:
        """Cells that no other cell is in."""
        parents = {one.parent for one in self.cells.values()}
        return (one for one in self.cells.values() if one.id not in parents)


def font(size: float, bold: bool = False, colour: str = INK, italic: bool = False) -> dict[str, str | int | float]:
    return {"fontFamily": FONT, "fontSize": size, "fontStyle": bold + 2 * italic, "fontColor": colour}


def check_fit(id_: str, value: str, rect: Rect, size: float, bold: bool = False) -> None:
    """Raise DoesNotFitError where ``value`` is larger than ``rect`` or too small to be read."""
    if size < SMALLEST_FONT:
        raise DoesNotFitError(f"{id_} is printed at {size:g} units, less than {SMALLEST_FONT}")
    w, h = text.width(value, size, bold), text.height(value, size)
    if w > rect.w + 0.01 or h > rect.h + 0.01:
        raise DoesNotFitError(f"{id_}: {value!r} needs {w:.1f} × {h:.1f} and has {rect.w:.1f} × {rect.h:.1f}")  # noqa: RUF001


def bounds(rects: Iterable[Rect]) -> Rect:
    """The least rectangle around all of them."""
    known = list(rects)
    x, y = min(one.x for one in known), min(one.y for one in known)
    return Rect(x, y, max(one.right for one in known) - x, max(one.bottom for one in known) - y)
