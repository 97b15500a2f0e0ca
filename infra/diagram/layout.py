"""Where everything stands: one A3 page, landscape, layers from top to bottom, what explains them on the right."""

from __future__ import annotations

from infra.diagram import boxes, text
from infra.diagram.canvas import Canvas, Cell, Rect, Style, font
from infra.diagram.icons import stencil
from infra.diagram.legend import HEAD, info_box, legend, panel
from infra.diagram.model import Architecture, Component, InfoBox, Layer
from infra.diagram.palette import BAND_FILL, BAND_LINE, LINE, PAPER, SHADES, SOFT_INK, TITLE_BAR
from infra.diagram.wires import connect

PAGE = Rect(0, 0, 1654, 1169)
"""A3, in hundredths of an inch."""
DRAWING = Rect(0, 0, 1644, 1160)
MAIN, SIDE, TAB, PAD = 1300.0, 1356.0, 30.0, 8.0
HEIGHTS = {"source": 81.0, "ingesting": 146.0, "storage": 176.0, "analytics": 122.0, "serving": 177.0, "alerts": 244.0}
GAPS = {"ingesting": 32.0, "storage": 32.0, "analytics": 34.0, "serving": 32.0, "alerts": 46.0}
TITLE_HEIGHT, FIRST = 44.0, 58.0


def lay_out(architecture: Architecture) -> Canvas:
    """The whole picture, in the middle of the page.

    Raises:
        DoesNotFitError: something was added that needs more room; give its layer more in HEIGHTS.
        KeyError: a component or an arrow has no place here yet.
    """
    canvas, layers = Canvas(), {layer.id: layer for layer in architecture.layers}
    _title(canvas, architecture.title)
    rows = _rows()
    split = rows["alerts"].columns([0.36, 0.64], 14)
    bands = {**rows, "presentation": split[0], "alerts": split[1]}
    for name, place in {
        "source": _source, "ingesting": _ingestion, "storage": _storage, "analytics": _analytics, "serving": _api,
        "presentation": _presentation, "alerts": _alerts,
    }.items():  # fmt: skip
        place(canvas, layers[name], _band(canvas, layers[name], bands[name]))
    _outside(canvas, layers["outside"], Rect(SIDE, rows["alerts"].y, DRAWING.w - SIDE, rows["alerts"].h))
    _side(canvas, architecture.boxes)
    connect(canvas, architecture.arrows)
    return canvas.moved((PAGE.w - DRAWING.w) / 2, (PAGE.h - DRAWING.h) / 2)


def _title(canvas: Canvas, title: str) -> None:
    style = {
        "html": 0, "rounded": 0, "fillColor": TITLE_BAR, "strokeColor": "none", "align": "center",
        "verticalAlign": "middle", "spacing": 0, **font(23, bold=True, colour=PAPER),
    }  # fmt: skip
    canvas.put(Cell("title", Rect(0, 0, DRAWING.w, TITLE_HEIGHT), title, style))


def _rows() -> dict[str, Rect]:
    rows, y = {}, FIRST
    for name, height in HEIGHTS.items():
        y += GAPS.get(name, 0.0)
        rows[name] = Rect(0, y, MAIN, height)
        y += height
    last = rows["alerts"]
    return rows | {"alerts": Rect(0, last.y, MAIN, DRAWING.bottom - last.y)}


def _band(canvas: Canvas, layer: Layer, rect: Rect) -> Rect:
    """The layer's band with its title upright on the left; returns the room beside it."""
    style: Style = {
        "swimlane": "", "horizontal": 0, "startSize": TAB, "html": 0, "rounded": 1, "absoluteArcSize": 1, "arcSize": 12,
        "fillColor": SHADES[layer.colour].line, "swimlaneFillColor": BAND_FILL, "strokeColor": BAND_LINE,
        "spacing": 0, "collapsible": 0, **font(11, bold=True, colour=PAPER),
    }  # fmt: skip
    canvas.put(Cell(layer.id, rect, text.wrapped(layer.title.upper(), 11, rect.h - 2 * PAD, bold=True), style))
    return rect.inset(TAB + 8, PAD, 10, PAD)


def _source(canvas: Canvas, layer: Layer, room: Rect) -> None:
    rest, stream, coinbase, simulator = layer.components
    widths = ((rest, 34, 200), (stream, 262, 250), (coinbase, 530, 300))
    for one, x, width in widths:
        boxes.cloud(canvas, one, Rect(x, room.y - 5, width, room.h + 10), layer.id)
    boxes.box(canvas, simulator, Rect(room.right - 250, room.y, 250, room.h), parent=layer.id)


def _ingestion(canvas: Canvas, layer: Layer, room: Rect) -> None:
    (service,) = layer.components
    inside = boxes.frame(canvas, service, room, layer.id)
    steps = Rect(inside.x, inside.y, inside.w, inside.h - 11)
    for one, rect in zip(service.inner, steps.columns([1] * len(service.inner), 46), strict=True):
        boxes.box(canvas, one, rect, parent=service.id, inner=True)


def _storage(canvas: Canvas, layer: Layer, room: Rect) -> None:
    resampler, ticks, bars, database = layer.components
    left, middle, right = (
        Rect(room.x, room.y, 266, room.h),
        Rect(374, room.y, 290, room.h),
        Rect(744, room.y, 546, room.h),
    )
    boxes.box(canvas, resampler, Rect(left.x, left.y, left.w, 122), parent=layer.id)
    _clock(canvas, layer, resampler, left.x + 14, left.bottom - 20)
    for one, rect in zip((ticks, bars), middle.grid(1, 2, 10), strict=True):
        boxes.box(canvas, one, rect, parent=layer.id)
    inside = boxes.frame(canvas, database, right, layer.id)
    for part, rect in zip(database.parts, inside.inset(6, 0).grid(3, 2, 12), strict=True):
        boxes.cylinder(canvas, database, part, rect)


def _analytics(canvas: Canvas, layer: Layer, room: Rect) -> None:
    statistics, pairs, scan = layer.components
    left, middle = Rect(room.x, room.y, 240, room.h), Rect(room.x + 262, room.y, 520, room.h)
    boxes.box(canvas, statistics, left, parent=layer.id)
    boxes.box(canvas, pairs, middle, columns=3, parent=layer.id)
    right = Rect(middle.right + 22, room.y, room.right - middle.right - 22, room.h)
    boxes.box(canvas, scan, Rect(right.x, right.y, 330, right.h), parent=layer.id)
    _clock(canvas, layer, scan, right.x + 358, room.y + room.h / 2 - 10)


def _api(canvas: Canvas, layer: Layer, room: Rect) -> None:
    (api,) = layer.components
    inside = boxes.frame(canvas, api, room, layer.id)
    columns = 6
    rows = -(-len(api.parts) // columns)
    for one, rect in zip(api.parts, inside.grid(columns, rows, 5), strict=False):
        boxes.part(canvas, api, one, rect)


def _presentation(canvas: Canvas, layer: Layer, room: Rect) -> None:
    dashboard, browser = layer.components
    browser_height = 38.0
    board = Rect(room.x, room.y, room.w, room.h - browser_height - 24)
    rest = boxes.box(canvas, dashboard, board, columns=2, parent=layer.id)
    rows = -(-len(dashboard.parts) // 3)
    for one, rect in zip(dashboard.parts, rest.inset(0, 2, 0, 2).grid(3, rows, 6), strict=False):
        boxes.part(canvas, dashboard, one, rect)
    boxes.box(
        canvas, browser, Rect(room.x + 60, room.bottom - browser_height, room.w - 120, browser_height), parent=layer.id
    )


def _alerts(canvas: Canvas, layer: Layer, room: Rect) -> None:
    monitor, manager, storage, notifier = layer.components
    top, bottom = Rect(room.x, room.y, room.w, 106), Rect(room.x, room.y + 130, room.w, room.h - 130)
    for one, rect in zip((storage, manager, monitor), top.columns([0.285, 0.28, 0.435], 62), strict=True):
        boxes.box(canvas, one, rect, parent=layer.id)
    inside = boxes.frame(canvas, notifier, bottom, layer.id)
    for part, rect in zip(notifier.parts, inside.grid(len(notifier.parts), 1, 8), strict=True):
        boxes.part(canvas, notifier, part, rect)


def _outside(canvas: Canvas, layer: Layer, room: Rect) -> None:
    # No band: its title would stand across the arrows that come in from the left.
    panel(canvas, layer.id, layer.title, room, SHADES[layer.colour].line)
    inside = room.inset(88, HEAD + 6, 10, 6)
    for one, rect in zip(layer.components, inside.grid(1, len(layer.components), 4), strict=True):
        boxes.cloud(canvas, one, rect, layer.id)


def _clock(canvas: Canvas, layer: Layer, one: Component, x: float, y: float) -> None:
    """What starts a scheduled component."""
    label = f"EventBridge\n{one.schedule}"
    style = boxes.shape(one.colour, fillColor=PAPER, strokeColor=LINE, shape="ellipse", rounded=0)
    clock = canvas.put(Cell(f"{one.id}/clock", Rect(x, y, 20, 20), "", style, layer.id))
    hands: Style = {
        "shape": stencil("clock"),
        "html": 0,
        "strokeColor": LINE,
        "strokeWidth": 1.3,
        "fillColor": "none",
    }
    canvas.put(Cell(f"{one.id}/hands", clock.rect, "", hands, clock.id))
    rect = Rect(x + 26, y - 2, text.width(label, boxes.SMALL) + 1, 2 * boxes.LINE)
    canvas.write(f"{one.id}/schedule", rect, label, parent=layer.id, colour=SOFT_INK)


def _side(canvas: Canvas, infos: tuple[InfoBox, ...]) -> None:
    """Legend and info boxes, with the room that is left shared out between them."""
    rects = [legend(canvas, Rect(SIDE, FIRST, DRAWING.w - SIDE, 0))]
    y = rects[0].bottom
    free = (
        canvas.rect("outside").y
        - 14
        - y
        - sum(info_box(Canvas(), one, Rect(SIDE, 0, DRAWING.w - SIDE, 0)).h for one in infos)
    )
    for one in infos:
        y += free / len(infos)
        y = info_box(canvas, one, Rect(SIDE, y, DRAWING.w - SIDE, 0)).bottom
