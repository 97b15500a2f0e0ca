"""The use cases behind the routes: functions of ports, the query and now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from api.chalicelib import rendering
from quant.contract.market import OhlcParameters, TicksParameters
from quant.contract.types import Nothing
from quant.domain.bar import COMPLETE, Bars
from quant.domain.decimals import format_scaled
from quant.domain.interval import DAY, HOUR, M1, MINUTE, SECOND, Interval, ceil, floor
from quant.domain.market import Instrument, Market
from quant.domain.ports import Heartbeat, MarketPulse
from quant.errors import StorageError, UnknownSymbolError, ValidationError
from quant.http.answers import Answer
from quant.http.call import Call
from quant.live_bars import LiveBars, Tail, filled, is_closed
from quant.storage.storage import Storage

LATE_AFTER = 60 * SECOND
SILENT_AFTER = 30 * SECOND
RESAMPLED_WITHIN = 5 * MINUTE
_KNOWN_FOR = 30 * SECOND
_SUMMARY_FOR = MINUTE


@dataclass(frozen=True, slots=True)
class Day:
    """The last 24 h of a symbol: what was turned over, to sort by, and the fields that are shown."""

    turnover: float
    fields: dict[str, Any]


@dataclass(slots=True)
class MarketData:
    """Health, symbols, ticks and bars.

    Attributes:
        storage: all repositories.
        checks: by name, what raises a StorageError when that part cannot be used.
        tick_ttl: how far back ticks are kept, ms.
        version: of this deployment.
    """

    storage: Storage
    checks: dict[str, Callable[[], object]]
    tick_ttl: int
    version: str
    _instruments: dict[Market, Instrument] = field(default_factory=dict)
    _instruments_read: int = 0
    _summaries: dict[Market, tuple[int, Day]] = field(default_factory=dict)

    def health(self, now: int) -> Answer:
        checks = {name: _checked(check) for name, check in self.checks.items()}
        is_up = all(check["ok"] for check in checks.values())
        beats = self.storage.heartbeats.all() if is_up else ()
        marks = self.storage.bars.watermarks() if is_up else {}
        alive = [beat for beat in beats if now - beat.time <= SILENT_AFTER]
        pulses = _newest_pulses(beats)
        symbols = [
            {
                "exchange": market.exchange,
                "symbol": market.symbol,
                "last_id": pulse.last_id,
                "last_time": pulse.last_time or None,
                "lag_ms": pulse.lag_ms,
                "holes_open": pulse.counters.get("holes_open", 0),
                "missing_ids": pulse.counters.get("missing_ids", 0),
                "watermark": marks[market].time if market in marks else None,
            }
            for market, pulse in sorted(pulses.items())
        ]
        reasons = (
            _reasons(now, alive, symbols) if is_up else [name for name, check in checks.items() if not check["ok"]]
        )
        body = {
            "status": "down" if not is_up else "degraded" if reasons else "ok",
            "version": self.version,
            "time": now,
            "market": beats[-1].source if beats else None,
            "reasons": reasons,
            "checks": checks,
            "ingestor": _summed(alive) | {"quarantined_by_reason": _counted(alive, "quarantined_by_reason")},
            "gaps": _gaps(beats),
            "data": self._data_quality() if is_up else None,
            "symbols": symbols,
        }
        return Answer(_json(body).encode(), status=200 if is_up else 503)

    def _data_quality(self) -> dict[str, int]:
        return {
            "damaged_chunks": len(self.storage.ticks.damaged()),
            "dirty_marks": len(self.storage.ticks.dirty_marks()),
            "incomplete_minutes": len(self.storage.bars.incomplete()),
            "differing_bars": len(self.storage.bars.differences()),
        }

    def symbols(self, now: int) -> Answer:
        beats = self.storage.heartbeats.all()
        pulses = _newest_pulses(beats)
        instruments = self.storage.instruments.all()
        listed = sorted(instruments, key=lambda one: (-self._summary(one.market, now).turnover, one.market))
        rows = [self._symbol(one, pulses.get(one.market), now) for one in listed]
        body = f'{{"market":{_json(beats[-1].source if beats else None)},"symbols":[{",".join(rows)}]}}'
        return Answer(body.encode())

    def ticks(self, call: Call[TicksParameters, Nothing]) -> Answer:
        asked, now = call.parameters, call.now
        market = self._market(asked.symbol, asked.exchange, now)
        start, end = ordered(asked.start, asked.end)
        cursor = call.position() or {}
        newest_first = (asked.order or ("desc" if start is None else "asc")) == "desc"
        trades = self.storage.ticks.read(
            market,
            max(start or 0, now - self.tick_ttl),
            min(end or now + HOUR, now + HOUR),
            first_id=cursor.get("from", 0),
            last_id=cursor.get("to"),
            limit=asked.limit + 1,
            newest_first=newest_first,
        )
        more = len(trades) > asked.limit
        trades = trades.take(slice(-asked.limit, None) if newest_first else slice(asked.limit))
        next_cursor = None
        if more:
            further = {"to": trades.first_id - 1} if newest_first else {"from": trades.last_id + 1}
            next_cursor = call.next_cursor(**further)
        if newest_first:
            trades = trades.take(slice(None, None, -1))
        head = f'"exchange":{_json(market.exchange)},"symbol":{_json(market.symbol)}'
        body = f'{{{head},"ticks":{rendering.ticks_json(trades)},"next_cursor":{_json(next_cursor)}}}'
        return Answer(body.encode())

    def ohlc(self, call: Call[OhlcParameters, Nothing]) -> Answer:
        asked, now = call.parameters, call.now
        market = self._market(asked.symbol, asked.exchange, now)
        interval = Interval.parse(asked.interval)
        start, end = ordered(asked.start, asked.end)
        start = (call.position() or {}).get("time", start)
        live = LiveBars(self.storage.ticks, self.storage.bars)
        tail = live.tail(market, now)
        fill = asked.fill == "previous"
        bars, next_time = _page(live, tail, market, interval, start, end, asked.limit, fill, now)
        instrument = self._instruments[market]
        bars = bars.rescaled(
            max(bars.price_decimals, instrument.price_decimals),
            max(bars.quantity_decimals, instrument.quantity_decimals),
        )
        closed = is_closed(bars, tail).tolist()
        next_cursor = None if next_time is None else call.next_cursor(time=next_time)
        if asked.format == "csv":
            headers = {"X-Next-Cursor": next_cursor} if next_cursor else {}
            return Answer(rendering.bars_csv(bars, closed).encode(), "text/csv; charset=utf-8", headers=headers)
        head = msgspec.json.encode(
            {"exchange": market.exchange, "symbol": market.symbol, "interval": interval.name}
        ).decode()[1:-1]
        decimals = f'"price_decimals":{bars.price_decimals},"quantity_decimals":{bars.quantity_decimals}'
        body = f'{{{head},{decimals},"bars":{rendering.bars_json(bars, closed)},"next_cursor":{_json(next_cursor)}}}'
        return Answer(body.encode())

    def _market(self, symbol: str, exchange: str, now: int) -> Market:
        market = Market(exchange, symbol.upper())
        if now - self._instruments_read > _KNOWN_FOR or market not in self._instruments:
            self._instruments = {one.market: one for one in self.storage.instruments.all()}
            self._instruments_read = now
        if market not in self._instruments:
            raise UnknownSymbolError(exchange, symbol)
        return market

    def _symbol(self, instrument: Instrument, pulse: MarketPulse | None, now: int) -> str:
        summary = self._summary(instrument.market, now)
        row: dict[str, Any] = rendering.instrument_fields(instrument) | {
            "last_price": msgspec.Raw((pulse.last_price if pulse and pulse.last_price else "null").encode()),
            "last_time": (pulse.last_time or None) if pulse else None,
            **summary.fields,
        }
        return _json(row)

    def _summary(self, market: Market, now: int) -> Day:
        """Change and completeness over the last 24 h, out of 1m bars; kept for a minute."""
        kept = self._summaries.get(market)
        if kept is None or now - kept[0] >= _SUMMARY_FOR:
            bars = self.storage.bars.read(market, M1, now - DAY, now)
            kept = self._summaries[market] = (now, _day(bars))
        return kept[1]


def _page(
    live: LiveBars,
    tail: Tail,
    market: Market,
    interval: Interval,
    start: int | None,
    end: int | None,
    limit: int,
    fill: bool,
    now: int,
) -> tuple[Bars, int | None]:
    """The bars asked for, and where the next page begins."""
    high = ceil(min(end or now + HOUR, now + HOUR), interval.ms)
    if start is None:
        bars = live.read_newest(market, interval, high, limit, tail)
        if fill and len(bars):
            newest = int(bars.time[-1]) + interval.ms
            bars = filled(bars, int(bars.time[0]), newest, Bars.empty(interval.ms)).take(slice(-limit, None))
        return bars, None
    low = ceil(start, interval.ms)
    if fill:
        last = min(high, floor(max(tail.open_from, low), interval.ms) + interval.ms)
        stop = min(last, low + limit * interval.ms)
        bars = live.read(market, interval, low, stop, tail)
        before = live.read_newest(market, interval, low, 1, tail)
        return filled(bars, low, stop, before), stop if stop < last else None
    bars = live.read_oldest(market, interval, low, high, limit + 1, tail)
    if len(bars) <= limit:
        return bars, None
    return bars.take(slice(limit)), int(bars.time[limit])


def ordered(start: int | None, end: int | None) -> tuple[int | None, int | None]:
    """Both times.

    Raises:
        ValidationError: the end is not after the start.
    """
    if start is not None and end is not None and end <= start:
        raise ValidationError("end", "must be after start")
    return start, end


def _day(bars: Bars) -> Day:
    if not len(bars):
        return Day(0.0, dict.fromkeys(("change_24h", "change_24h_percent", "quote_volume_24h", "complete")))
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


def _newest_pulses(beats: tuple[Heartbeat, ...]) -> dict[Market, MarketPulse]:
    pulses: dict[Market, MarketPulse] = {}
    for pulse in (pulse for beat in beats for pulse in beat.pulses):
        if pulse.market not in pulses or pulse.last_id >= pulses[pulse.market].last_id:
            pulses[pulse.market] = pulse
    return pulses


def _summed(beats: list[Heartbeat]) -> dict[str, float]:
    """Figures of all living ingestors together; those that are no numbers are left out."""
    total: dict[str, float] = {}
    for name, value in (pair for beat in beats for pair in beat.figures.items()):
        if isinstance(value, int | float):
            total[name] = round(total.get(name, 0) + value, 3)
    return total


def _counted(beats: list[Heartbeat], name: str) -> dict[str, int]:
    """One figure that counts by reason, of all ingestors together."""
    total: Counter[str] = Counter()
    for beat in beats:
        found = beat.figures.get(name)
        total.update(found if isinstance(found, dict) else {})
    return dict(total)


def _gaps(beats: tuple[Heartbeat, ...]) -> list[dict[str, Any]]:
    """Recorded gaps as the newest heartbeat of each shard tells them: trades that only a backfill brings."""
    newest = {beat.shard: beat for beat in beats}
    told = (gap for beat in newest.values() for gap in beat.figures.get("recorded_gaps", []))
    return sorted(told, key=lambda gap: (gap["exchange"], gap["symbol"], gap["first_id"]))


def _reasons(now: int, alive: list[Heartbeat], symbols: list[dict[str, Any]]) -> list[str]:
    """Why the platform is not healthy although its parts answer."""
    reasons = [] if alive else ["no ingestor has given a sign of life for 30 s"]
    if any(beat.source == "replay" for beat in alive):
        return reasons
    for row in symbols:
        if row["lag_ms"] is not None and row["lag_ms"] > LATE_AFTER:
            reasons.append(f"{row['symbol']} is {row['lag_ms'] / 1000:.0f} s late")
        if row["watermark"] and row["last_time"] and row["last_time"] - row["watermark"] > RESAMPLED_WITHIN:
            reasons.append(f"bars of {row['symbol']} end {(row['last_time'] - row['watermark']) / 1000:.0f} s ago")
    return reasons


def _checked(check: Callable[[], object]) -> dict[str, Any]:
    try:
        check()
    except StorageError as exc:
        return {"ok": False, "problem": type(exc).__name__}
    return {"ok": True}


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
