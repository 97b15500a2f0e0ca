"""GET /symbols: every followed symbol with its last price and its day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from api.chalicelib.health import newest_pulses
from api.chalicelib.rendering import instrument_fields
from api.chalicelib.results import Results
from quant.domain.bar import COMPLETE, Bars
from quant.domain.decimals import format_scaled
from quant.domain.interval import DAY, M1, MINUTE
from quant.domain.market import Instrument, Market
from quant.domain.ports import MarketPulse
from quant.storage.storage import Storage

# The analyst's figures are a minute old at most; older than this they are taken out of bars.
_FRESH = 3 * MINUTE
_SUMMARY_FOR = MINUTE


@dataclass(frozen=True, slots=True)
class Day:
    """The last 24 h of a symbol: what was turned over, to sort by, and the fields that are shown."""

    turnover: float
    fields: dict[str, Any]


NOTHING = Day(0.0, dict.fromkeys(("change_24h", "change_24h_percent", "quote_volume_24h", "complete")))


@dataclass(slots=True)
class SymbolList:
    """The day's figures are those that the analyst has published: one read for all symbols together. Only a symbol that
    it does not know yet is summed up out of its bars, once a minute."""

    storage: Storage
    results: Results
    _summaries: dict[Market, tuple[int, Day]] = field(default_factory=dict)

    def body(self, now: int) -> bytes:
        beats = self.storage.heartbeats.all()
        pulses = newest_pulses(beats)
        instruments = self.storage.instruments.all()
        published = self._published(now)
        days = {one.market: self._day(one, published, now) for one in instruments}
        listed = sorted(instruments, key=lambda one: (-days[one.market].turnover, one.market))
        rows = [_row(one, pulses.get(one.market), days[one.market]) for one in listed]
        return msgspec.json.encode({"market": beats[-1].source if beats else None, "symbols": rows})

    def _published(self, now: int) -> Mapping[tuple[str, str], Any]:
        found = self.results.latest("stats", now)
        if found is None or now - found["computed_at"] > _FRESH:
            return {}
        return {(row["exchange"], row["symbol"]): row["summary"] for row in found["symbols"] if row["summary"]}

    def _day(self, instrument: Instrument, published: Mapping[tuple[str, str], Any], now: int) -> Day:
        summary = published.get(instrument.market)
        if summary is not None:
            return _of_summary(summary, instrument.price_decimals)
        kept = self._summaries.get(instrument.market)
        if kept is None or now - kept[0] >= _SUMMARY_FOR:
            bars = self.storage.bars.read(instrument.market, M1, now - DAY, now)
            kept = self._summaries[instrument.market] = (now, _of_bars(bars))
        return kept[1]


def _row(instrument: Instrument, pulse: MarketPulse | None, day: Day) -> dict[str, Any]:
    return instrument_fields(instrument) | {
        "last_price": msgspec.Raw((pulse.last_price if pulse and pulse.last_price else "null").encode()),
        "last_time": (pulse.last_time or None) if pulse else None,
        **day.fields,
    }


def _of_summary(summary: Mapping[str, Any], decimals: int) -> Day:
    price, counted = summary["price"], summary["completeness"]
    own = counted["complete"] + counted["incomplete"]
    quote_volume = summary["volume"]["quote"]
    fields = {
        # Both ends are floats of exact decimals: rounded to as many decimals their difference is exact again.
        "change_24h": msgspec.Raw(f"{price['change']:.{decimals}f}".encode()),
        "change_24h_percent": round(price["change_percent"], 4),
        "quote_volume_24h": quote_volume,
        "complete": round(counted["complete"] / own, 6) if own else None,
    }
    return Day(quote_volume, fields)


def _of_bars(bars: Bars) -> Day:
    if not len(bars):
        return NOTHING
    opened, change = int(bars.open[0]), int(bars.close[-1]) - int(bars.open[0])
    quote_volume, decimals = sum(bars.quote_volume.tolist()), bars.price_decimals + bars.quantity_decimals
    own = bars.complete[bars.complete >= 0]
    fields = {
        "change_24h": msgspec.Raw(format_scaled(change, bars.price_decimals).encode()),
        "change_24h_percent": round(100 * change / opened, 4),
        "quote_volume_24h": msgspec.Raw(format_scaled(quote_volume, decimals).encode()),
        "complete": round(float((own == COMPLETE).mean()), 6) if len(own) else None,
    }
    return Day(quote_volume / 10**decimals, fields)
