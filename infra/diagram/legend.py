"""What explains the picture: the legend and the info boxes."""

from __future__ import annotations

from infra.diagram import text
from infra.diagram.boxes import LINE, SMALL, shape
from infra.diagram.canvas import Canvas, Cell, Rect, Style, Wire, font
from infra.diagram.icons import stencil
from infra.diagram.model import Colour, InfoBox
from infra.diagram.palette import BADGE, BAND_FILL, BAND_LINE, PAPER, SHADES, SOFT_INK, TITLE_BAR
from infra.diagram.palette import LINE as LINE_COLOUR
from infra.diagram.wires import wire_style

HEAD, STEP, NAMES = 22.0, 16.5, 82.0


def legend(canvas: Canvas, rect: Rect) -> Rect:
    """Shapes and arrows on the left, colours on the right; returns the place it takes."""
    rect = panel(canvas, "legend", "Legend", Rect(rect.x, rect.y, rect.w, HEAD + 10 + 9 * STEP))
    left, right = rect.inset(12, HEAD + 6, 12, 4).columns([1.5, 1], 10)
    _shapes(canvas, left)
    for at, colour in enumerate(Colour):
        place = Rect(right.x, right.y + at * STEP, 22, 11)
        canvas.put(Cell(f"legend/{colour.name}", place, "", shape(colour, arcSize=5), "legend"))
        name = Rect(place.right + 8, place.y - 0.5, right.right - place.right - 8, LINE)
        canvas.write(f"legend/{colour.name}/name", name, colour.value, parent="legend")
    return rect


def info_box(canvas: Canvas, one: InfoBox, rect: Rect) -> Rect:
    """Remarks in two columns: what each is about, and what it says; returns the place that the box takes."""
    room = rect.w - NAMES - 24
    texts = [text.wrapped(remark.text, SMALL, room) for remark in one.remarks]
    names = [text.wrapped(remark.title, SMALL, NAMES - 4, bold=True) for remark in one.remarks]
    heights = [
        max(text.height(name, SMALL), text.height(said, SMALL)) + 3 for name, said in zip(names, texts, strict=True)
    ]
    rect = panel(canvas, one.id, one.title, Rect(rect.x, rect.y, rect.w, HEAD + 9 + sum(heights)))
    y = rect.y + HEAD + 6
    for at, (name, said, height) in enumerate(zip(names, texts, heights, strict=True)):
        canvas.write(f"{one.id}/{at}", Rect(rect.x + 12, y, NAMES, height), name, parent=one.id, bold=True)
        place = Rect(rect.x + 12 + NAMES, y, room, height)
        canvas.write(f"{one.id}/{at}/text", place, said, parent=one.id, colour=SOFT_INK)
        y += height
    return rect


def panel(canvas: Canvas, id_: str, title: str, rect: Rect, fill: str = TITLE_BAR) -> Rect:
    """A titled frame; returns its place."""
    style: Style = {
        "swimlane": "", "startSize": HEAD, "html": 0, "rounded": 1, "absoluteArcSize": 1, "arcSize": 12, "spacing": 0,
        "fillColor": fill, "swimlaneFillColor": BAND_FILL, "strokeColor": BAND_LINE, "collapsible": 0,
        **font(12, bold=True, colour=PAPER),
    }  # fmt: skip
    return canvas.put(Cell(id_, rect, title, style)).rect


def _shapes(canvas: Canvas, room: Rect) -> None:
    grey = SHADES[Colour.DATABASE].line
    badge = font(SMALL, bold=True, colour=PAPER)
    samples: tuple[tuple[str, Style], ...] = (
        ("Component, service", {"rounded": 1, "absoluteArcSize": 1, "arcSize": 8}),
        ("Database", {"shape": "cylinder3", "size": 4, "backgroundOutline": 1}),
        ("External API", {"shape": "cloud"}),
        ("AWS service it runs on", {"rounded": 1, "arcSize": 50, "fillColor": BADGE, "strokeColor": "none", **badge}),
        ("Schedule that starts it", {"shape": stencil("clock"), "strokeColor": LINE_COLOUR, "aspect": "fixed"}),
        ("Data flow", {}),
        ("Async, background", {}),
    )
    step = room.h / len(samples)
    for at, (name, look) in enumerate(samples):
        middle = room.y + (at + 0.5) * step
        if look:
            width = 16 if look.get("aspect") else 34
            sample = Rect(room.x + 17 - width / 2, middle - 8, width, 16)
            style = {"html": 0, "fillColor": PAPER, "strokeColor": grey, **look}
            value = "AWS" if look.get("fillColor") == BADGE else ""
            canvas.put(Cell(f"legend/shape{at}", sample, value, style, "legend"))
        else:
            ends = ((room.x, middle), (room.x + 34, middle))
            canvas.wires.append(Wire(f"legend/arrow{at}", "", "", ends, wire_style(background=at == len(samples) - 1)))
        place = Rect(room.x + 42, middle - LINE / 2, room.w - 42, LINE)
        canvas.write(f"legend/name{at}", place, name, parent="legend")
