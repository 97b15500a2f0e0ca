"""Small line drawings for the titles of boxes, as draw.io's own stencils, so that no image has to be embedded."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from functools import cache
from math import cos, pi, sin
from urllib.parse import quote

SIZE = 20
Point = tuple[float, float]


@cache
def stencil(name: str) -> str:
    """The value of a style's ``shape``.

    Raises:
        KeyError: there is no icon of that name.
    """
    frame = f'<shape w="{SIZE}" h="{SIZE}" aspect="fixed" strokewidth="inherit">'
    drawing = f"{frame}<foreground>{_ICONS[name]}</foreground></shape>"
    # Stored, not compressed: every version of zlib then gives the same bytes.
    deflate = zlib.compressobj(0, zlib.DEFLATED, -15)
    data = deflate.compress(quote(drawing, safe="").encode()) + deflate.flush()
    return f"stencil({base64.b64encode(data).decode()})"


def _ring(x: float, y: float, w: float, h: float) -> str:
    return f'<ellipse x="{x:g}" y="{y:g}" w="{w:g}" h="{h:g}"/><stroke/>'


def _plate(x: float, y: float, w: float, h: float, corner: float = 2) -> str:
    return f'<roundrect x="{x:g}" y="{y:g}" w="{w:g}" h="{h:g}" arcsize="{corner * 100 / min(w, h):g}"/><stroke/>'


def _lines(*lines: Sequence[Point]) -> str:
    moves = []
    for (x, y), *rest in lines:
        moves.append(f'<move x="{x:.4g}" y="{y:.4g}"/>')
        moves.extend(f'<line x="{x:.4g}" y="{y:.4g}"/>' for x, y in rest)
    return f"<path>{''.join(moves)}</path><stroke/>"


def _teeth() -> str:
    turns = [pi / 4 * tooth for tooth in range(8)]
    return _lines(*[[(10 + r * cos(t), 10 + r * sin(t)) for r in (6, 9)] for t in turns])


def _arc(x: float, y: float, to_x: float) -> str:
    half = abs(to_x - x) / 2
    return (
        f'<path><move x="{x:g}" y="{y:g}"/>'
        f'<arc rx="{half:g}" ry="3" x-axis-rotation="0" large-arc-flag="0" sweep-flag="0" x="{to_x:g}" y="{y:g}"/>'
        "</path><stroke/>"
    )


_BELL = (
    '<path><move x="4" y="15"/><curve x1="6" y1="13" x2="4.5" y2="4" x3="10" y3="4"/>'
    '<curve x1="15.5" y1="4" x2="14" y2="13" x3="16" y3="15"/><close/></path><stroke/>'
)
_ICONS = {
    "gear": _ring(4, 4, 12, 12) + _ring(8, 8, 4, 4) + _teeth(),
    "database": _ring(3, 2, 14, 6) + _lines([(3, 5), (3, 15)], [(17, 5), (17, 15)]) + _arc(3, 10, 17) + _arc(3, 15, 17),
    "server": _plate(2, 3, 16, 6) + _plate(2, 11, 16, 6) + _lines([(5, 6), (6.5, 6)], [(5, 14), (6.5, 14)]),
    "monitor": _plate(2, 3, 16, 11) + _lines([(10, 14), (10, 17)], [(6, 17.5), (14, 17.5)]),
    "clock": _ring(2, 2, 16, 16) + _lines([(10, 5.5), (10, 10), (13.5, 12)]),
    "bell": _BELL + _lines([(8.5, 17.5), (11.5, 17.5)], [(10, 2), (10, 4)]),
    "chart": _lines([(3, 2), (3, 17), (18, 17)], [(5.5, 13), (9, 8.5), (12, 11), (17, 4.5)]),
    "globe": _ring(2, 2, 16, 16) + _ring(6.5, 2, 7, 16) + _lines([(2, 10), (18, 10)]),
}
