"""30 simulated days of a noisy price around a threshold: what each means against flapping does.

``python -m tests.functional.alerts.thirty_days`` prints the table. Each rule is checked by the monitor every quarter of
an hour, and then played again by the backtest over the same bars.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from api.chalicelib.alert_service import Alerts
from quant.contract.alerts import BacktestBody
from quant.contract.types import Time
from quant.domain.alert import AlertEvent, DeliveryStatus, EventKind
from quant.domain.bar import Bars
from quant.domain.interval import DAY, MINUTE
from quant.domain.market import Instrument
from quant.domain.ports import Watermark
from tests.functional.alerts.world import BTC, START, AlertWorld
from tests.functional.analyse.market import minute_bars

DAYS, THRESHOLD, EVERY = 30, 101.0, 15 * MINUTE
END = START + DAYS * DAY
HYSTERESIS, HOLD, COOLDOWN = {"clear_threshold": 100.5}, {"for_seconds": 300}, {"cooldown_seconds": 3_600}
VARIANTS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "hysteresis": HYSTERESIS,
    "for_seconds": HOLD,
    "cooldown": COOLDOWN,
    "hysteresis and for_seconds": HYSTERESIS | HOLD,
    "all three": HYSTERESIS | HOLD | COOLDOWN,
}


@dataclass(frozen=True)
class Outcome:
    """What the monitor recorded of a rule, and what the backtest says of it."""

    name: str
    events: tuple[AlertEvent, ...]
    notifications: int
    replayed: tuple[tuple[str, int], ...]
    replayed_notifications: int

    @property
    def fired(self) -> int:
        return sum(event.kind is EventKind.FIRED for event in self.events)

    @property
    def recorded(self) -> tuple[tuple[str, int], ...]:
        return tuple((event.id, event.time) for event in self.events)


def noisy_bars(days: int = DAYS, seed: int = 11) -> Bars:
    """A price that wanders around 100 with a half-life of two hours and shivers from minute to minute."""
    n = days * DAY // MINUTE
    rng = np.random.default_rng(seed)
    decay = 0.5 ** (1 / 120)
    pushes = np.sqrt(1 - decay**2) * rng.standard_normal(n)
    level = np.zeros(n)
    for t in range(1, n):
        level[t] = decay * level[t - 1] + pushes[t]
    return minute_bars(100 + level + 0.15 * rng.standard_normal(n), START + days * DAY)


def outcomes(days: int = DAYS) -> list[Outcome]:
    """All variants, watched at once."""
    world, bars = AlertWorld(), noisy_bars(days)
    world.storage.instruments.put([Instrument(BTC, "BTC", "USDT", 4, 2)])
    world.storage.bars.merge(BTC, bars)
    for number, changes in enumerate(VARIANTS.values()):
        world.rule(id=f"r{number}", interval="1m", threshold=THRESHOLD, now=START, **changes)
    for time in range(START + EVERY, START + days * DAY + 1, EVERY):
        # Bars count as known up to the watermark: what lies behind it has not happened yet.
        world.storage.bars.advance(Watermark(BTC, time, 10**9, 10**9 - 1, time - 1, True, time))
        world.now = time + 5_000
        world.check()
    return [_outcome(world, name, f"r{number}", days) for number, name in enumerate(VARIANTS)]


def _outcome(world: AlertWorld, name: str, rule_id: str, days: int) -> Outcome:
    events = tuple(world.events(rule_id))
    sent = [one for event in events for one in world.storage.alerts.deliveries(event.id)]
    asked = BacktestBody(rule_id=rule_id, start=Time(START), end=Time(START + days * DAY))
    found = Alerts(world.storage).replayed(asked, world.now)[1]
    rule = world.storage.rules.get(rule_id)
    assert rule is not None
    return Outcome(
        name,
        events,
        sum(one.status is DeliveryStatus.PENDING for one in sent),
        tuple((one.id_of(rule), one.time) for one in found.happened),
        found.notifications,
    )


def table(found: list[Outcome]) -> str:
    """Lines of text."""
    lines = [f"{'against flapping':28}{'fired':>8}{'events':>8}{'notifications':>15}{'a day':>8}   backtest"]
    for one in found:
        same = "the same events" if one.recorded == one.replayed else "OTHER EVENTS"
        per_day = one.notifications / DAYS
        lines.append(f"{one.name:28}{one.fired:8,}{len(one.events):8,}{one.notifications:15,}{per_day:8.1f}   {same}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(outcomes()))
