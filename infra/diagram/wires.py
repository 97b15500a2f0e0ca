"""Where the arrows run: straight where two boxes face each other, else along corners that are given here.

Nothing is left to draw.io's own routing, so a test can follow every arrow and find what it would run through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from infra.diagram.boxes import SMALL
from infra.diagram.canvas import Canvas, Point, Rect, Wire, font
from infra.diagram.model import Arrow
from infra.diagram.palette import LINE, PAPER, SOFT_INK

# Where the outline of draw.io's cloud is, in shares of its place.
CLOUD_BOTTOM, CLOUD_LEFT = (0.55, 0.95), (0.07, 0.38)
# Where a label stands that would hide a short arrow.
ABOVE = (0, -12)


@dataclass(frozen=True, slots=True)
class Route:
    """How an arrow runs.

    Attributes:
        points: from the places of source and target, and of any other cell, to all points of the line.
        label_at: share of its length at which the label stands.
        upright: the label runs along a vertical line.
    """

    points: Callable[[Rect, Rect, Callable[[str], Rect]], tuple[Point, ...]]
    label_at: float = 0.5
    offset: Point = (0, 0)
    upright: bool = False


def connect(canvas: Canvas, arrows: Iterable[Arrow]) -> None:
    """Draw the arrows, and those from clocks to what they start.

    Raises:
        KeyError: an arrow has no route, or leads to a cell that is not there.
    """
    for arrow in arrows:
        route = ROUTES[arrow.id]
        points = route.points(canvas.rect(arrow.source), canvas.rect(arrow.target), canvas.rect)
        style = wire_style(arrow.background, arrow.both) | ({"horizontal": 0} if route.upright else {})
        wire = Wire(arrow.id, arrow.source, arrow.target, points, style, arrow.label, route.label_at, route.offset)
        paper = _paper(canvas, wire.label_rect().at(0.5, 0.5))
        canvas.wires.append(replace(wire, style={**style, "labelBackgroundColor": paper}))
    for clock in [one for one in canvas.cells if one.endswith("/clock")]:
        _start(canvas, clock, clock.removesuffix("/clock"))


def _paper(canvas: Canvas, point: Point) -> str:
    """The colour that a label at this point stands on."""
    below = [one.style for one in canvas.cells.values() if one.rect.contains(Rect(*point, 0, 0))]
    return str(below[-1].get("swimlaneFillColor", below[-1]["fillColor"])) if below else PAPER


def wire_style(background: bool = False, both: bool = False) -> dict[str, str | int | float]:
    look: dict[str, str | int | float] = {
        "edgeStyle": "orthogonalEdgeStyle", "rounded": 1, "html": 0, "strokeColor": LINE, "strokeWidth": 1.3,
        "endArrow": "block", "endFill": 1, "endSize": 5, "startSize": 5, "labelBackgroundColor": PAPER,
        "spacing": 0, **font(SMALL, colour=SOFT_INK),
    }  # fmt: skip
    look |= {"dashed": 1, "dashPattern": "1.5 3", "fixDash": 1} if background else {}
    return look | ({"startArrow": "block", "startFill": 1} if both else {"startArrow": "none"})


def _start(canvas: Canvas, clock: str, component: str) -> None:
    at, box = canvas.rect(clock), canvas.rect(component)
    if at.y >= box.bottom:
        points = (at.at(0.5, 0), (at.at(0.5, 0)[0], box.bottom))
    else:
        points = (at.at(0, 0.5), (box.right, at.at(0, 0.5)[1]))
    canvas.wires.append(Wire(f"{clock}--{component}", clock, component, points, wire_style(background=True)))


def down(x: float = 0.5, of: str = "source", label_at: float = 0.5, offset: Point = (0, 0)) -> Route:
    """Straight down, at a share of the width of one of its ends."""

    def points(source: Rect, target: Rect, rect: Callable[[str], Rect]) -> tuple[Point, ...]:
        at = (source if of == "source" else target).at(x, 0)[0]
        return (at, source.bottom), (at, target.y)

    return Route(points, label_at, offset)


def up(x: float = 0.5) -> Route:
    """Straight up, at a share of the target's width."""

    def points(source: Rect, target: Rect, rect: Callable[[str], Rect]) -> tuple[Point, ...]:
        return (target.at(x, 0)[0], source.y), (target.at(x, 0)[0], target.bottom)

    return Route(points)


def right(y: float = 0.5, of: str = "source", offset: Point = (0, 0)) -> Route:
    """Straight to the right, at a share of the height of one of its ends."""

    def points(source: Rect, target: Rect, rect: Callable[[str], Rect]) -> tuple[Point, ...]:
        at = (source if of == "source" else target).at(0, y)[1]
        return (source.right, at), (target.x, at)

    return Route(points, offset=offset)


def left(y: float = 0.5, of: str = "source") -> Route:
    """Straight to the left."""

    def points(source: Rect, target: Rect, rect: Callable[[str], Rect]) -> tuple[Point, ...]:
        at = (source if of == "source" else target).at(0, y)[1]
        return (source.x, at), (target.right, at)

    return Route(points)


def steps(x: float, y: float, to_x: float, label_at: float = 0.5) -> Route:
    """Down from the source, along ``y`` of the way between both, down to the target."""

    def points(source: Rect, target: Rect, rect: Callable[[str], Rect]) -> tuple[Point, ...]:
        start, end = source.at(x, 1), target.at(to_x, 0)
        turn = start[1] + y * (end[1] - start[1])
        return start, (start[0], turn), (end[0], turn), end

    return Route(points, label_at)


def rain() -> Route:
    """Straight down out of a cloud."""

    def points(source: Rect, target: Rect, rect: Callable[[str], Rect]) -> tuple[Point, ...]:
        start = source.at(*CLOUD_BOTTOM)
        return start, (start[0], target.y)

    return Route(points)


def under(depth: float) -> Route:
    """From below the source along the bottom to below the target."""

    def points(source: Rect, target: Rect, rect: Callable[[str], Rect]) -> tuple[Point, ...]:
        start, end = source.at(0.5, 1), target.at(0.5, 1)
        return start, (start[0], start[1] + depth), (end[0], end[1] + depth), end

    return Route(points)


def fan(y: float, lane: float) -> Route:
    """To the right, up or down in a lane of the channel, to a cloud."""

    def points(source: Rect, target: Rect, rect: Callable[[str], Rect]) -> tuple[Point, ...]:
        start, end = source.at(1, y), target.at(*CLOUD_LEFT)
        x = rect("alerts").right + lane
        return start, (x, start[1]), (x, end[1]), end

    return Route(points, 1, (-54, ABOVE[1]))


def channel(y: float, lane: float, turn: float, to_x: float, label_at: float) -> Route:
    """Out of the source to the right, down the channel between the layers and the legend, back in above the target."""

    def points(source: Rect, target: Rect, rect: Callable[[str], Rect]) -> tuple[Point, ...]:
        start, end = source.at(1, y), target.at(to_x, 0)
        x, below = rect("storage").right + lane, rect("serving").bottom + turn
        return start, (x, start[1]), (x, below), (end[0], below), end

    return Route(points, label_at)


def _beside(y: float, lane: float, to_y: float) -> Route:
    def points(source: Rect, target: Rect, rect: Callable[[str], Rect]) -> tuple[Point, ...]:
        start, end = source.at(1, y), target.at(1, to_y)
        x = rect("storage").right + lane
        return start, (x, start[1]), (x, end[1]), end

    return Route(points, upright=True)


def _reversed(route: Route) -> Route:
    def points(source: Rect, target: Rect, rect: Callable[[str], Rect]) -> tuple[Point, ...]:
        return tuple(reversed(route.points(target, source, rect)))

    return Route(points, 1 - route.label_at, route.offset)


ROUTES: dict[str, Route] = {
    "exchange-rest--ingestion": rain(),
    "exchange--ingestion": rain(),
    "coinbase--ingestion": rain(),
    "simulator--ingestion": down(),
    "client--adapters": right(offset=ABOVE),
    "adapters--sequencing": right(offset=ABOVE),
    "sequencing--journal": right(offset=ABOVE),
    "journal--archiver": right(offset=ABOVE),
    "healing--sequencing": under(9),
    "journal--ticks": steps(0.3, 0.72, 0.7),
    "archiver--database:ArchiveBucket": down(0.35),
    "ticks--database:tick_data": right(0.7, of="target"),
    "bars--database:ohlc_data": right(0.5, of="target"),
    "ticks--resampler": left(0.5),
    "resampler--bars": right(0.15, of="target"),
    "resampler--statistics": down(0.78, label_at=0.7),
    "resampler--pairs": steps(0.93, 0.7, 0.2),
    "bars--scan": steps(0.8, 0.5, 0.15),
    "database--api": _beside(0.9, 12, 0.5),
    "scan--database:analytics_cache": up(),
    "statistics--api": down(),
    "pairs--api": down(),
    "scan--api": down(),
    "api--dashboard": down(of="target"),
    "dashboard--browser": down(offset=(34, 0)),
    "api--alert-storage": down(0.25, of="target"),
    "alert-storage--database": _reversed(channel(0.6, 24, 17, 0.75, 0.8)),
    "database--manager": channel(0.3, 40, 33, 0.5, 0.8),
    "monitor--manager": left(),
    "manager--alert-storage": left(),
    "manager--notifier": down(offset=(22, 0)),
    "notifier--email-servers": fan(0.2, 14),
    "notifier--topic": fan(0.4, 24),
    "notifier--telegram": fan(0.6, 34),
    "notifier--webhooks": fan(0.8, 44),
}
