"""The picture as it is computed: nothing overlaps, nothing is cut, every arrow can be followed."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from infra.diagram.architecture import ARCHITECTURE
from infra.diagram.canvas import SMALLEST_FONT, UNITS_PER_INCH, Canvas, Cell, DoesNotFitError, Point, Rect, Wire
from infra.diagram.layout import PAGE, TAB, lay_out
from infra.diagram.model import Layer, Part
from infra.diagram.render import BORDER

CANVAS = lay_out(ARCHITECTURE)
WIRES = [wire for wire in CANVAS.wires if wire.source]
BANDS = {layer.id for layer in ARCHITECTURE.layers}
ROOT = Path(__file__).parents[3]


def _ancestors(id_: str) -> Iterator[str]:
    while id_:
        yield id_
        id_ = CANVAS.cells[id_].parent


def _pieces(wire: Wire) -> list[Rect]:
    """The straight pieces of a wire as thin rectangles."""
    return [
        Rect(min(ax, bx), min(ay, by), max(abs(bx - ax), 0.01), max(abs(by - ay), 0.01))
        for (ax, ay), (bx, by) in pairwise(wire.points)
    ]


def _obstacles(wire: Wire) -> list[Cell]:
    """What a wire must not run through: all but bands, its own ends and what these are drawn in."""
    free = BANDS | set(_ancestors(wire.source)) | set(_ancestors(wire.target))
    return [cell for cell in CANVAS.cells.values() if cell.id not in free]


def test_nothing_lies_on_anything_else() -> None:
    overlapping = [
        (one.id, other.id)
        for one, other in combinations(CANVAS.cells.values(), 2)
        if one.parent == other.parent and one.rect.inset(0.01, 0.01).overlaps(other.rect)
    ]
    assert overlapping == []


def test_everything_is_inside_of_what_it_belongs_to_and_of_the_page() -> None:
    for cell in CANVAS.cells.values():
        around = CANVAS.cells[cell.parent].rect if cell.parent else PAGE
        assert around.contains(cell.rect), cell.id


def test_nothing_stands_on_the_title_of_a_band() -> None:
    tabs = {id_: replace(CANVAS.rect(id_), w=TAB) for id_ in BANDS - {"outside"}}
    for cell in CANVAS.cells.values():
        assert not (cell.parent in tabs and tabs[cell.parent].overlaps(cell.rect)), cell.id
    for wire in WIRES:
        assert not [id_ for id_, tab in tabs.items() for piece in _pieces(wire) if tab.overlaps(piece)], wire.id


def test_every_text_can_be_read_on_paper() -> None:
    smallest = min(
        float(cell.style["fontSize"]) for cell in (*CANVAS.cells.values(), *WIRES) if "fontSize" in cell.style
    )
    assert smallest >= SMALLEST_FONT
    assert smallest / UNITS_PER_INCH * 72 >= 7


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.id)
def test_an_arrow_runs_straight_and_through_no_box(wire: Wire) -> None:
    assert all(ax == pytest.approx(bx) or ay == pytest.approx(by) for (ax, ay), (bx, by) in pairwise(wire.points))
    # As broad as an arrow's head.
    broad = [piece.inset(-3, 0) if piece.h > piece.w else piece.inset(0, -3) for piece in _pieces(wire)]
    crossed = [cell.id for cell in _obstacles(wire) for piece in broad if cell.rect.overlaps(piece)]
    assert crossed == []


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.id)
def test_an_arrow_ends_where_its_boxes_are(wire: Wire) -> None:
    for id_, (x, y) in ((wire.source, wire.points[0]), (wire.target, wire.points[-1])):
        rect, tip = CANVAS.rect(id_), Rect(x, y, 0, 0)
        assert rect.contains(tip)
        # A cloud's outline lies inside of its place; all else is met at its border.
        inner = rect.inset(0.01, 0.01)
        assert CANVAS.cells[id_].style.get("shape") == "cloud" or not inner.contains(tip)


def test_no_two_arrows_meet() -> None:
    crossing = [
        (one.id, other.id)
        for one, other in combinations(WIRES, 2)
        if any(a.overlaps(b) for a in _pieces(one) for b in _pieces(other))
    ]
    assert crossing == []


@pytest.mark.parametrize("wire", [wire for wire in WIRES if wire.label], ids=lambda wire: wire.id)
def test_a_label_covers_nothing(wire: Wire) -> None:
    label = _label(wire)
    assert [cell.id for cell in _solid() if cell.rect.overlaps(label)] == []
    others = [other for other in WIRES if other is not wire]
    assert [other.id for other in others if any(piece.overlaps(label) for piece in _pieces(other))] == []
    assert [other.id for other in others if other.label and _label(other).overlaps(label)] == []


def _solid() -> list[Cell]:
    """Cells that a label must not cover: all but bands and the frames that labels stand in."""
    frames = BANDS | {one.id for one in ARCHITECTURE.components() if one.inner}
    return [cell for cell in CANVAS.cells.values() if cell.id not in frames]


def _label(wire: Wire) -> Rect:
    rect = wire.label_rect()
    if "horizontal" not in wire.style:
        return rect
    x, y = rect.at(0.5, 0.5)
    return Rect(x - rect.h / 2, y - rect.w / 2, rect.h, rect.w)


def test_every_arrow_shows_something_of_itself_beside_its_label() -> None:
    for wire in WIRES:
        length = sum(piece.w + piece.h for piece in _pieces(wire))
        label = _label(wire)
        hidden = sum(_common(piece, label) for piece in _pieces(wire)) if wire.label else 0
        assert length - hidden >= 14, f"{wire.id} shows {length - hidden:.0f} of {length:.0f}"


def _common(one: Rect, other: Rect) -> float:
    w, h = min(one.right, other.right) - max(one.x, other.x), min(one.bottom, other.bottom) - max(one.y, other.y)
    return max(w, h) if w > 0 and h > 0 else 0


def test_background_arrows_are_dotted_and_the_primary_path_is_solid() -> None:
    for arrow in ARCHITECTURE.arrows:
        (wire,) = [one for one in WIRES if one.id == arrow.id]
        assert ("dashed" in wire.style) == arrow.background
        assert (wire.style["startArrow"] == "block") == arrow.both


def test_draw_io_routes_the_arrows_as_they_were_laid_out() -> None:
    """The bends of the exported SVG are those of the layout."""
    title = CANVAS.rect("title")
    paths = [one.get("d", "") for one in ET.parse(ROOT / "architecture.svg").iter("{http://www.w3.org/2000/svg}path")]
    drawn = [_bends(path) for path in paths]
    for wire in (one for one in WIRES if len(one.points) > 2):
        bends = [(x - title.x + BORDER, y - title.y + BORDER) for x, y in wire.points[1:-1]]
        assert any(_are_close(bends, found) for found in drawn), wire.id


def _bends(path: str) -> list[Point]:
    return [(float(x), float(y)) for x, y in re.findall(r"Q ([\d.]+) ([\d.]+)", path)]


def _are_close(bends: list[Point], drawn: list[Point]) -> bool:
    return len(bends) == len(drawn) and all(
        abs(x - u) <= 1 and abs(y - v) <= 1 for (x, y), (u, v) in zip(bends, drawn, strict=True)
    )


def test_what_does_not_fit_is_refused_and_named() -> None:
    def crowded(layer: Layer) -> Layer:
        (api,) = layer.components
        again = tuple(replace(part, name=f"{part.name}/again") for part in api.parts)
        return replace(layer, components=(replace(api, parts=api.parts + again),))

    layers = tuple(crowded(layer) if layer.id == "serving" else layer for layer in ARCHITECTURE.layers)
    with pytest.raises(DoesNotFitError, match="api:GET /health"):
        lay_out(replace(ARCHITECTURE, layers=layers))


def test_two_cells_of_one_id_are_refused() -> None:
    canvas = Canvas()
    canvas.put(Cell("one", PAGE, "", {}))
    with pytest.raises(ValueError, match="two cells 'one'"):
        canvas.put(Cell("one", PAGE, "", {}))


def test_the_same_model_gives_the_same_layout() -> None:
    again = lay_out(ARCHITECTURE)
    assert again.cells == CANVAS.cells
    assert again.wires == CANVAS.wires


def test_every_part_of_the_model_is_placed() -> None:
    parts: list[tuple[str, Part]] = [(one.id, part) for one in ARCHITECTURE.components() for part in one.parts]
    assert [f"{owner}:{part.name}" for owner, part in parts if f"{owner}:{part.name}" not in CANVAS.cells] == []
