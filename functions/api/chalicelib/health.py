"""GET /health: cheap enough to be asked each second, and never waiting for what does not answer."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from quant.contract.platform import Check, DataQuality, HealthAnswer, MonitorHealth, SymbolHealth
from quant.domain.interval import MINUTE, SECOND
from quant.domain.market import Market
from quant.domain.ports import Heartbeat, MarketPulse, Watermark
from quant.errors import StorageError
from quant.storage.storage import Storage

LATE_AFTER = 60 * SECOND
SILENT_AFTER = 30 * SECOND
RESAMPLED_WITHIN = 5 * MINUTE
CHECKED_WITHIN = 3 * MINUTE
KEPT = SECOND
# What changes by the minute is looked at every ten seconds, however often somebody asks.
SLOW_KEPT = 10 * SECOND
PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of looking at one part. ``problem`` is the kind of the error, never its words."""

    value: Any = None
    problem: str | None = None

    @property
    def check(self) -> Check:
        return Check(ok=self.problem is None, problem=self.problem)


@dataclass(slots=True)
class Prober:
    """Looks at all parts at once and waits for none longer than ``patience`` seconds.

    A part that still hangs from the last time is not asked again before it has answered.
    """

    patience: float = PATIENCE
    _pool: ThreadPoolExecutor | None = None
    _asked: dict[str, Future[Any]] = field(default_factory=dict)

    def look(self, parts: Mapping[str, Callable[[], Any]]) -> dict[str, Outcome]:
        pool = self._pool = self._pool or ThreadPoolExecutor(8, thread_name_prefix="health")
        deadline = time.monotonic() + self.patience
        for name, part in parts.items():
            if name not in self._asked or self._asked[name].done():
                self._asked[name] = pool.submit(part)
        return {name: self._outcome(self._asked[name], deadline) for name in parts}

    @staticmethod
    def _outcome(asked: Future[Any], deadline: float) -> Outcome:
        try:
            return Outcome(asked.result(max(deadline - time.monotonic(), 0)))
        except TimeoutError:
            return Outcome(problem="Timeout")
        except StorageError as exc:
            return Outcome(problem=type(exc).__name__)


@dataclass(slots=True)
class Health:
    """
    Attributes:
        checks: by name, what raises a StorageError when that part cannot be used; beside the tables.
        version: of this deployment.
    """

    storage: Storage
    checks: Mapping[str, Callable[[], object]]
    version: str
    prober: Prober = field(default_factory=Prober)
    _kept: tuple[int, HealthAnswer] | None = None
    _slow: tuple[int, dict[str, Outcome]] | None = None

    def look(self, now: int) -> HealthAnswer:
        """How everything is; an answer of this second is given again."""
        if self._kept is None or not 0 <= now - self._kept[0] < KEPT:
            self._kept = (now, self._looked(now))
        return self._kept[1]

    def _looked(self, now: int) -> HealthAnswer:
        parts: dict[str, Callable[[], Any]] = {
            "tick_data": self.storage.heartbeats.all,
            "ohlc_data": self.storage.bars.watermarks,
        }
        slow = self._slow is None or not 0 <= now - self._slow[0] < SLOW_KEPT
        seldom = {**self.checks, "quality": self._quality, "monitor": self._monitor}
        found = self.prober.look({**parts, **seldom} if slow else parts)
        if slow:
            self._slow = (now, {name: found.pop(name) for name in seldom})
        assert self._slow is not None
        outcomes = found | self._slow[1]
        quality, monitor = outcomes.pop("quality"), outcomes.pop("monitor")
        down = [name for name, outcome in outcomes.items() if outcome.problem]
        beats: tuple[Heartbeat, ...] = outcomes["tick_data"].value or ()
        marks: dict[Market, Watermark] = outcomes["ohlc_data"].value or {}
        alive = [beat for beat in beats if now - beat.time <= SILENT_AFTER]
        symbols = _symbols(beats, marks)
        reasons = down or _reasons(now, alive, symbols, quality) + _unchecked(now, monitor)
        return HealthAnswer(
            status="down" if down else "degraded" if reasons else "ok",
            version=self.version,
            time=now,
            market=_kind(beats),
            reasons=reasons,
            checks={name: outcome.check for name, outcome in outcomes.items()},
            ingestor=_summed(alive) | {"quarantined_by_reason": _counted(alive, "quarantined_by_reason")},
            gaps=_gaps(beats),
            data=quality.value,
            monitor=monitor.value,
            symbols=symbols,
        )

    def _quality(self) -> DataQuality:
        return DataQuality(
            damaged_chunks=len(self.storage.ticks.damaged()),
            dirty_marks=len(self.storage.ticks.dirty_marks()),
            incomplete_minutes=len(self.storage.bars.incomplete()),
            differing_bars=len(self.storage.bars.differences()),
        )

    def _monitor(self) -> MonitorHealth | None:
        report = self.storage.alerts.report()
        if report is None:
            return None
        return MonitorHealth(last_run=report.finished_at, rules=report.rules, errors=len(report.errors))


def _unchecked(now: int, monitor: Outcome) -> list[str]:
    """Why alerts may not come."""
    if monitor.problem:
        return [f"the alert monitor's last report: {monitor.problem}"]
    told: MonitorHealth | None = monitor.value
    if told is None or now - told.last_run <= CHECKED_WITHIN:
        return []
    return [f"alert rules were last checked {(now - told.last_run) / 1000:.0f} s ago"]


def newest_pulses(beats: Sequence[Heartbeat]) -> dict[Market, MarketPulse]:
    """What the ingestors said last of each market."""
    pulses: dict[Market, MarketPulse] = {}
    for pulse in (pulse for beat in beats for pulse in beat.pulses):
        if pulse.market not in pulses or pulse.last_id >= pulses[pulse.market].last_id:
            pulses[pulse.market] = pulse
    return pulses


def _kind(beats: Sequence[Heartbeat]) -> Any:
    return beats[-1].source if beats else None


def _symbols(beats: Sequence[Heartbeat], marks: Mapping[Market, Watermark]) -> list[SymbolHealth]:
    return [
        SymbolHealth(
            exchange=market.exchange,
            symbol=market.symbol,
            last_id=pulse.last_id,
            last_time=pulse.last_time or None,
            lag_ms=pulse.lag_ms,
            holes_open=pulse.counters.get("holes_open", 0),
            missing_ids=pulse.counters.get("missing_ids", 0),
            watermark=marks[market].time if market in marks else None,
        )
        for market, pulse in sorted(newest_pulses(beats).items())
    ]


def _summed(beats: Sequence[Heartbeat]) -> dict[str, Any]:
    """Figures of all living ingestors together; those that are no numbers are left out."""
    total: dict[str, Any] = {}
    for name, value in (pair for beat in beats for pair in beat.figures.items()):
        if isinstance(value, int | float):
            total[name] = round(total.get(name, 0) + value, 3)
    return total


def _counted(beats: Sequence[Heartbeat], name: str) -> dict[str, int]:
    """One figure that counts by reason, of all ingestors together."""
    total: Counter[str] = Counter()
    for beat in beats:
        found = beat.figures.get(name)
        total.update(found if isinstance(found, dict) else {})
    return dict(total)


def _gaps(beats: Sequence[Heartbeat]) -> list[dict[str, Any]]:
    """Recorded gaps as the newest heartbeat of each shard tells them: trades that only a backfill brings."""
    newest = {beat.shard: beat for beat in beats}
    told = (gap for beat in newest.values() for gap in beat.figures.get("recorded_gaps", []))
    return sorted(told, key=lambda gap: (gap["exchange"], gap["symbol"], gap["first_id"]))


def _reasons(now: int, alive: Sequence[Heartbeat], symbols: Sequence[SymbolHealth], quality: Outcome) -> list[str]:
    """Why the platform is not healthy although its parts answer."""
    reasons = [] if alive else ["no ingestor has given a sign of life for 30 s"]
    if quality.problem:
        reasons.append(f"the registers of damaged and differing data: {quality.problem}")
    if any(beat.source == "replay" for beat in alive):
        return reasons
    for row in symbols:
        if row.lag_ms is not None and row.lag_ms > LATE_AFTER:
            reasons.append(f"{row.symbol} is {row.lag_ms / 1000:.0f} s late")
        if row.watermark and row.last_time and row.last_time - row.watermark > RESAMPLED_WITHIN:
            reasons.append(f"bars of {row.symbol} end {(row.last_time - row.watermark) / 1000:.0f} s ago")
    return reasons
