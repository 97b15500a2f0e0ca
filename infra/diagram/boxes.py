"""How a component looks: its box, icon, path, AWS badge, functions and sub-boxes."""

from __future__ import annotations

from infra.diagram import text
from infra.diagram.canvas import SMALLEST_FONT, TOP_MARGIN, Canvas, Cell, DoesNotFitError, Rect, Style, check_fit, font
from infra.diagram.icons import stencil
from infra.diagram.model import Colour, Component, Function, Kind, Part
from infra.diagram.palette import BADGE, PAPER, SHADES, SOFT_INK

TITLE, INNER_TITLE, PART_TITLE, SMALL = 13, 11.5, 10.5, SMALLEST_FONT
LINE = SMALL * text.LINE_HEIGHT
LEFT, TOP = 8, 5
ICON = 17


def shape(colour: Colour, **more: str | int | float) -> dict[str, str | int | float]:
    """The style of a coloured box; ``more`` overrides it."""
    shade = SHADES[colour]
    return {
        "rounded": 1, "absoluteArcSize": 1, "arcSize": 10, "html": 0, "fillColor": shade.fill,
        "strokeColor": shade.line, "strokeWidth": 1, "align": "left", "verticalAlign": "top", "spacing": 0, **more,
    }  # fmt: skip


def box(canvas: Canvas, one: Component, rect: Rect, *, columns: int = 1, parent: str = "", inner: bool = False) -> Rect:
    """A component with all its lines; returns what room is left below them.

    Raises:
        DoesNotFitError: there is too little room.
    """
    size = INNER_TITLE if inner else TITLE
    left = LEFT + (ICON + 5 if one.icon else 0)
    fill: Style = {"fillColor": PAPER} if inner else {}
    style = shape(one.colour, spacingLeft=left, spacingTop=TOP - TOP_MARGIN, **font(size, bold=True), **fill)
    badge = _badge_width(one)
    check_fit(one.id, one.title, rect.inset(left, TOP, badge, 0), size, bold=True)
    canvas.put(Cell(one.id, rect, one.title, style, parent))
    if one.icon:
        _icon(canvas, one, Rect(rect.x + LEFT, rect.y + TOP, ICON, ICON))
    if one.aws:
        _badge(canvas, one, Rect(rect.right - badge, rect.y + TOP, badge - 6, 15))
    y = rect.y + TOP + text.height(one.title, size)
    lines = [(path_line(one), "path", True)] * bool(one.path)
    lines += [(note, f"note{at}", False) for at, note in enumerate(one.notes)]
    for line, name, is_path in lines:
        place = Rect(rect.x + left, y, rect.w - left - LEFT / 2, LINE)
        canvas.write(f"{one.id}/{name}", place, line, parent=one.id, colour=SOFT_INK, style={"fontStyle": 2 * is_path})
        y += LINE
    return functions(canvas, one, Rect(rect.x + LEFT, y + 4, rect.w - 1.5 * LEFT, rect.bottom - y - 6), columns)


def frame(canvas: Canvas, one: Component, rect: Rect, parent: str = "") -> Rect:
    """A component that others are drawn in: title, path and functions in one line; returns the room below it.

    Raises:
        DoesNotFitError: there is too little room.
    """
    left, badge = LEFT + (ICON + 5 if one.icon else 0), _badge_width(one)
    style = shape(one.colour, spacingLeft=left, spacingTop=TOP - TOP_MARGIN, **font(TITLE, bold=True))
    canvas.put(Cell(one.id, rect, one.title, style, parent))
    if one.icon:
        _icon(canvas, one, Rect(rect.x + LEFT, rect.y + TOP, ICON, ICON))
    _badge(canvas, one, Rect(rect.right - badge, rect.y + TOP, badge - 6, 15))
    x, y = rect.x + left + text.width(one.title, TITLE, bold=True) + 10, rect.y + TOP + 2.5
    soft: Style = {"fontColor": SOFT_INK}
    lines: list[tuple[str, str, Style]] = [("path", path_line(one), {**soft, "fontStyle": 2})]
    lines += [(f"note{at}", note, soft) for at, note in enumerate(one.notes)]
    lines += [(f"function{at}", f"• {function.text}", {}) for at, function in enumerate(one.functions)]
    for name, line, look in lines:
        place = Rect(x, y, text.width(line, SMALL) + 1, LINE)
        canvas.write(f"{one.id}/{name}", place, line, parent=one.id, style=look)
        x = place.right + 18
    if x - 18 > rect.right - badge:
        raise DoesNotFitError(f"the title line of {one.id} runs into its badge")
    return rect.inset(LEFT, TOP + TITLE * text.LINE_HEIGHT + 4, LEFT, LEFT)


def functions(canvas: Canvas, one: Component, rect: Rect, columns: int = 1) -> Rect:
    """The component's functions in so many columns; returns the room below."""
    if not one.functions:
        return rect
    rows = -(-len(one.functions) // columns)
    for at, column in enumerate(rect.columns([1] * columns, 8)):
        chosen = one.functions[at * rows : (at + 1) * rows]
        if chosen:
            place = Rect(column.x, column.y, column.w, rows * LINE)
            canvas.write(f"{one.id}/functions{at}", place, bullets(chosen), parent=one.id)
    return rect.inset(0, rows * LINE + 4, 0, 0)


def bullets(chosen: tuple[Function, ...]) -> str:
    return "\n".join(f"• {one.text}" for one in chosen)


def part(canvas: Canvas, owner: Component, one: Part, rect: Rect, style: Style | None = None) -> Cell:
    """A sub-box: a title and a line below it."""
    place = rect.inset(6, 3, 4, 1)
    check_fit(part_id(owner, one), one.title, place, PART_TITLE, bold=True)
    look = shape(owner.colour, fillColor=PAPER, spacingLeft=6, spacingTop=3 - TOP_MARGIN, **font(PART_TITLE, bold=True))
    cell = canvas.put(Cell(part_id(owner, one), rect, one.title, {**look, **(style or {})}, owner.id))
    if one.text:
        below = Rect(place.x, place.y + PART_TITLE * text.LINE_HEIGHT, place.w, LINE)
        canvas.write(f"{cell.id}/text", below, part_line(one), parent=cell.id, colour=SOFT_INK)
    return cell


def cylinder(canvas: Canvas, owner: Component, one: Part, rect: Rect) -> Cell:
    """A table or a bucket."""
    cap, used = 7, PART_TITLE * text.LINE_HEIGHT + LINE
    top = round((rect.h + cap - used) / 2)
    look = shape(
        owner.colour, shape="cylinder3", boundedLbl=0, backgroundOutline=1, size=cap, fillColor=PAPER, rounded=0,
        align="center", spacingTop=top - TOP_MARGIN, **font(PART_TITLE, bold=True),
    )  # fmt: skip
    place = rect.inset(3, top, 3, 0)
    check_fit(part_id(owner, one), one.title, place, PART_TITLE, bold=True)
    cell = canvas.put(Cell(part_id(owner, one), rect, one.title, look, owner.id))
    below = Rect(place.x, place.y + PART_TITLE * text.LINE_HEIGHT, place.w, LINE)
    canvas.write(f"{cell.id}/text", below, one.text, parent=cell.id, align="center", colour=SOFT_INK)
    return cell


def cloud(canvas: Canvas, one: Component, rect: Rect, parent: str = "") -> None:
    """Something outside: its title and notes in the middle."""
    used = text.height(one.title, INNER_TITLE) + len(one.notes) * LINE
    # draw.io counts spacings in whole units.
    top = round((rect.h - used) / 2)
    place = rect.inset(10, top, 10, top - 2)
    check_fit(one.id, one.title, place, INNER_TITLE, bold=True)
    look = shape(one.colour, shape="cloud", align="center", spacingTop=top - TOP_MARGIN, **font(INNER_TITLE, bold=True))
    canvas.put(Cell(one.id, rect, one.title, look, parent))
    y = rect.y + top + text.height(one.title, INNER_TITLE)
    for at, note in enumerate(one.notes):
        below = Rect(place.x, y + at * LINE, place.w, LINE)
        canvas.write(f"{one.id}/note{at}", below, note, parent=one.id, align="center", colour=SOFT_INK)


def path_line(one: Component) -> str:
    """Where it is in the repository, and the function of template.yaml that it is started as."""
    return " · ".join([one.path, *one.logical_ids])


def part_line(one: Part) -> str:
    """The methods of a route, and what the part is for."""
    if one.kind is not Kind.ROUTE:
        return one.text
    return f"{one.name.partition(' ')[0].replace(',', ' ')} · {one.text}"


def part_id(owner: Component, one: Part) -> str:
    return f"{owner.id}:{one.name}"


def _badge_width(one: Component) -> float:
    """With the margin on its right."""
    return text.width(one.aws, SMALL, bold=True) + 16 if one.aws else 4.0


def _badge(canvas: Canvas, one: Component, rect: Rect) -> None:
    style = {
        "rounded": 1, "arcSize": 50, "html": 0, "fillColor": BADGE, "strokeColor": "none", "spacing": 0,
        "align": "center", "verticalAlign": "middle", **font(SMALL, bold=True, colour=PAPER),
    }  # fmt: skip
    if rect.x < canvas.rect(one.id).x:
        raise DoesNotFitError(f"the badge of {one.id} is wider than its box")
    canvas.put(Cell(f"{one.id}/aws", rect, one.aws, style, one.id))


def _icon(canvas: Canvas, one: Component, rect: Rect) -> None:
    style: Style = {
        "shape": stencil(one.icon), "html": 0, "fillColor": "none", "strokeColor": SHADES[one.colour].line,
        "strokeWidth": 1.3, "aspect": "fixed",
    }  # fmt: skip
    canvas.put(Cell(f"{one.id}/icon", rect, "", style, one.id))
