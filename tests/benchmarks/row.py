"""One measured figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """``ratio`` says how many times better than the peer, or the share of the peer's where the goal is a share; both
    were measured in the same run. ``value`` is None where nothing could be measured, and ``peer`` then says why."""

    name: str
    value: float | None
    unit: str
    peer: str = ""
    ratio: float | None = None
    goal: str = ""

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name != "goal"}


def table(rows: Sequence[Row]) -> str:
    cells = [("name", "value", "unit", "ratio", "peer", "goal")]
    cells += [
        (
            row.name,
            "-" if row.value is None else f"{row.value:,.4g}",
            row.unit,
            "" if row.ratio is None else f"{row.ratio:,.3g}",
            row.peer,
            row.goal,
        )
        for row in rows
    ]
    widths = [max(len(line[place]) for line in cells) for place in range(len(cells[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
