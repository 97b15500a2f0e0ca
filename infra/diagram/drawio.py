"""A canvas as a draw.io file, in plain ASCII, uncompressed, so that a change can be read in a diff."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from infra.diagram.canvas import Canvas, Cell, Point, Rect, Style, Wire

ROOT, LAYER = "0", "1"
_EDITOR = {
    "dx": "0", "dy": "0", "grid": "0", "gridSize": "10", "guides": "1", "tooltips": "1", "connect": "1", "arrows": "1",
    "fold": "0", "page": "1", "pageScale": "1", "background": "#ffffff", "math": "0", "shadow": "0",
}  # fmt: skip


def to_drawio(canvas: Canvas, page: Rect, name: str) -> str:
    """The file's text."""
    file = ET.Element("mxfile", {"host": "infra.diagram", "type": "device"})
    diagram = ET.SubElement(file, "diagram", {"id": "architecture", "name": name})
    size = {"pageWidth": _number(page.w), "pageHeight": _number(page.h)}
    root = ET.SubElement(ET.SubElement(diagram, "mxGraphModel", {**_EDITOR, **size}), "root")
    ET.SubElement(root, "mxCell", {"id": ROOT})
    ET.SubElement(root, "mxCell", {"id": LAYER, "parent": ROOT})
    for cell in canvas.cells.values():
        _vertex(root, cell, canvas)
    for wire in canvas.wires:
        _edge(root, wire, canvas)
    ET.indent(file, " ")
    data: bytes = ET.tostring(file, encoding="us-ascii")
    return data.decode("ascii") + "\n"


def style_text(style: Style) -> str:
    """As draw.io writes it; a key without a value stands alone."""
    return "".join(f"{key}={value};" if value != "" else f"{key};" for key, value in style.items())


def _vertex(root: ET.Element, cell: Cell, canvas: Canvas) -> None:
    attributes = {
        "id": cell.id, "value": cell.value, "style": style_text(cell.style), "vertex": "1",
        "parent": cell.parent or LAYER,
    }  # fmt: skip
    within = canvas.rect(cell.parent) if cell.parent else Rect(0, 0, 0, 0)
    place = {
        "x": _number(cell.rect.x - within.x), "y": _number(cell.rect.y - within.y),
        "width": _number(cell.rect.w), "height": _number(cell.rect.h), "as": "geometry",
    }  # fmt: skip
    ET.SubElement(ET.SubElement(root, "mxCell", attributes), "mxGeometry", place)


def _edge(root: ET.Element, wire: Wire, canvas: Canvas) -> None:
    style, ends = dict(wire.style), {}
    if wire.source:
        ends = {"source": wire.source, "target": wire.target}
        style |= _port("exit", canvas.rect(wire.source), wire.points[0])
        style |= _port("entry", canvas.rect(wire.target), wire.points[-1])
    attributes = {
        "id": wire.id, "value": _padded(wire.label), "style": style_text(style), "edge": "1", "parent": LAYER, **ends,
    }  # fmt: skip
    place = {"x": _number(2 * wire.label_at - 1), "relative": "1", "as": "geometry"}
    geometry = ET.SubElement(ET.SubElement(root, "mxCell", attributes), "mxGeometry", place)
    if not wire.source:
        _point(geometry, wire.points[0], "sourcePoint")
        _point(geometry, wire.points[-1], "targetPoint")
    if len(wire.points) > 2:
        corners = ET.SubElement(geometry, "Array", {"as": "points"})
        for point in wire.points[1:-1]:
            _point(corners, point)
    if wire.offset != (0, 0):
        _point(geometry, wire.offset, "offset")


def _padded(label: str) -> str:
    """With a space that stays on both sides of each line, so that the arrow does not touch its label."""
    return "\n".join(f"\u00a0{line}\u00a0" for line in label.split("\n")) if label else ""


def _port(end: str, rect: Rect, point: Point) -> dict[str, str | int | float]:
    x, y = (point[0] - rect.x) / rect.w, (point[1] - rect.y) / rect.h
    return {f"{end}X": _number(x), f"{end}Y": _number(y), f"{end}Dx": 0, f"{end}Dy": 0, f"{end}Perimeter": 0}


def _point(parent: ET.Element, point: Point, name: str = "") -> None:
    ET.SubElement(parent, "mxPoint", {"x": _number(point[0]), "y": _number(point[1])} | ({"as": name} if name else {}))


def _number(value: float) -> str:
    return f"{round(value, 4):g}" if abs(value) < 1000 else f"{round(value, 2):.8g}"
