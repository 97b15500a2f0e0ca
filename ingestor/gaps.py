"""Trades that healing does not bring back by itself: recorded, so that they are shown until they are there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
import numpy as np

from ingestor.idset import Span
from quant.domain.bar import COMPLETE
from quant.domain.interval import HOUR, M1, MINUTE, floor
from quant.domain.market import Market
from quant.domain.ports import BarRepository, Heartbeat
from quant.domain.trade import Ints

FIGURE = "recorded_gaps"
_MOST = 100
_NAME = "gaps.json"


class Gap(msgspec.Struct, frozen=True, order=True):
    """Ids first_id…last_id of a market, traded between ``start`` and ``end`` (ms)."""

    exchange: str
    symbol: str
    first_id: int
    last_id: int
    start: int
    end: int
    reason: str

    @property
    def market(self) -> Market:
        return Market(self.exchange, self.symbol)


class Gaps:
    """The newest hundred gaps. Heartbeats carry them; a file beside the journal keeps them for longer."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME
        self._known = set(_read(self._path))

    def record(self, gaps: Iterable[Gap]) -> None:
        before = set(self._known)
        self._known |= set(gaps)
        self._known = set(sorted(self._known, key=lambda gap: gap.end)[-_MOST:])
        if self._known != before:
            self._keep()

    def close(self, gap: Gap) -> None:
        """Its trades are there now."""
        self._known.discard(gap)
        self._keep()

    def take_over(self, beats: Iterable[Heartbeat], markets: Iterable[Market]) -> None:
        """What other processes have recorded of these markets."""
        mine = set(markets)
        found = (gap for beat in beats for gap in _parsed(beat.figures.get(FIGURE)))
        self.record(gap for gap in found if gap.market in mine)

    def all(self) -> list[Gap]:
        return sorted(self._known)

    def figure(self) -> list[dict[str, object]]:
        """As the heartbeat carries them."""
        return [msgspec.to_builtins(gap) for gap in self.all()]

    def _keep(self) -> None:
        # A convenience for long absences: where the disk refuses, the heartbeat still has them.
        try:
            new = self._path.with_suffix(".new")
            new.write_bytes(msgspec.json.encode(self.all()))
            new.replace(self._path)
        except OSError:
            return


def close_filled(gaps: Gaps, bars: BarRepository) -> list[Gap]:
    """Close those that bars of our own cover completely by now; which they were."""
    closed = []
    for gap in gaps.all():
        found = bars.read(gap.market, M1, floor(gap.start, MINUTE), gap.end + HOUR)
        whole = found.take((found.complete == COMPLETE) & (found.last_id >= gap.first_id))
        if not missing_between(whole.first_id, whole.last_id, gap.first_id, gap.last_id):
            gaps.close(gap)
            closed.append(gap)
    return closed


def missing_between(ids: Ints, last_ids: Ints, first: int, last: int) -> list[Span]:
    """The ids of first…last that are in none of the ranges ids…last_ids, which ascend by id."""
    if not len(ids):
        return [(first, last)] if first <= last else []
    starts = np.concatenate([[first], np.maximum.accumulate(last_ids) + 1])
    ends = np.concatenate([ids - 1, [last]])
    return [(int(a), int(b)) for a, b in zip(starts, ends, strict=True) if a <= b]


def _read(path: Path) -> list[Gap]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Gap])
    except (OSError, msgspec.DecodeError):
        return []


def _parsed(figure: object) -> list[Gap]:
    try:
        return msgspec.convert(figure or [], list[Gap])
    except msgspec.ValidationError:
        return []
