"""How the colours of the model look: a light fill for boxes, a strong line for borders and titles."""

from __future__ import annotations

from dataclasses import dataclass

from infra.diagram.model import Colour

INK, SOFT_INK, LINE, PAPER = "#1f2937", "#4b5563", "#475569", "#ffffff"
TITLE_BAR, BADGE = "#1e293b", "#334155"
BAND_FILL, BAND_LINE = "#fafbfc", "#d7dce3"
FONT = "Arial"


@dataclass(frozen=True, slots=True)
class Shade:
    fill: str
    line: str


SHADES = {
    Colour.EXTERNAL: Shade("#dcecfb", "#3f86c6"),
    Colour.INGESTION: Shade("#def3e2", "#2f8f4e"),
    Colour.STORAGE: Shade("#fde7cf", "#d07a1c"),
    Colour.PROCESSING: Shade("#e9dff7", "#7a4fc0"),
    Colour.DATABASE: Shade("#e5e8ec", "#69727f"),
    Colour.ANALYTICS: Shade("#d3f0ec", "#15857c"),
    Colour.API: Shade("#d9e4fd", "#2b63d4"),
    Colour.INTERFACE: Shade("#fcdde6", "#cc3f6c"),
    Colour.ALERTS: Shade("#fdf1bf", "#b8860b"),
}
