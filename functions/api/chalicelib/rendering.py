"""Answers as text. Exact decimals are written as JSON numbers out of scaled integers, never by way of a float."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from quant.domain.bar import COMPLETE, SOURCES, UNKNOWN, Bars
from quant.domain.decimals import VWAP_EXTRA_DECIMALS, format_scaled, vwap
from quant.domain.market import Instrument
from quant.domain.trade import Trades

BAR_FIELDS = (
    "time", "open", "high", "low", "close", "volume", "quote_volume", "vwap", "trades", "taker_buy_volume",
    "taker_buy_quote_volume", "first_id", "last_id", "closed", "complete", "source",
)  # fmt: skip
_NULL = "null"


def bars_json(bars: Bars, closed: Sequence[bool]) -> str:
    return "[" + ",".join(_object(BAR_FIELDS, row) for row in _bar_rows(bars, closed)) + "]"


def bars_csv(bars: Bars, closed: Sequence[bool]) -> str:
    rows = (",".join("" if cell == _NULL else cell.strip('"') for cell in row) for row in _bar_rows(bars, closed))
    return "\n".join([",".join(BAR_FIELDS), *rows, ""])


def ticks_json(trades: Trades) -> str:
    """Trades in the order that they come in; an aggregate also tells its last id."""
    rows = zip(
        trades.ids.tolist(),
        trades.last_ids.tolist(),
        trades.times.tolist(),
        trades.prices.tolist(),
        trades.quantities.tolist(),
        trades.buyer_is_maker.tolist(),
        strict=True,
    )
    return "[" + ",".join(_tick(trades, *row) for row in rows) + "]"


def _tick(trades: Trades, trade_id: int, last_id: int, time: int, price: int, quantity: int, is_maker: bool) -> str:
    aggregate = f'"last_id":{last_id},' if last_id != trade_id else ""
    return (
        f'{{"id":{trade_id},{aggregate}"time":{time},"price":{format_scaled(price, trades.price_decimals)},'
        f'"quantity":{format_scaled(quantity, trades.quantity_decimals)},'
        f'"buyer_is_maker":{"true" if is_maker else "false"}}}'
    )


def instrument_fields(instrument: Instrument) -> dict[str, str | int]:
    return {
        "exchange": instrument.market.exchange,
        "symbol": instrument.market.symbol,
        "base": instrument.base,
        "quote": instrument.quote,
        "price_decimals": instrument.price_decimals,
        "quantity_decimals": instrument.quantity_decimals,
    }


def _object(fields: Sequence[str], cells: Sequence[str]) -> str:
    pairs = (f'"{field}":{cell}' for field, cell in zip(fields, cells, strict=True))
    return "{" + ",".join(pairs) + "}"


def _bar_rows(bars: Bars, closed: Sequence[bool]) -> Iterator[tuple[str, ...]]:
    price, quantity = bars.price_decimals, bars.quantity_decimals
    prices = [_decimals(getattr(bars, name).tolist(), price) for name in ("open", "high", "low", "close")]
    volumes, quotes = bars.volume.tolist(), bars.quote_volume.tolist()
    averages = [vwap(quote, volume) for quote, volume in zip(quotes, volumes, strict=True)]
    return zip(
        map(str, bars.time.tolist()),
        *prices,
        _decimals(volumes, quantity),
        _decimals(quotes, price + quantity),
        [_NULL if value is None else format_scaled(value, price + VWAP_EXTRA_DECIMALS) for value in averages],
        map(str, bars.trades.tolist()),
        _decimals(bars.taker_buy_volume.tolist(), quantity),
        _decimals(bars.taker_buy_quote_volume.tolist(), price + quantity),
        [_NULL if value < 0 else str(value) for value in bars.first_id.tolist()],
        [_NULL if value < 0 else str(value) for value in bars.last_id.tolist()],
        ["true" if value else "false" for value in closed],
        [_certificate(value) for value in bars.complete.tolist()],
        [f'"{SOURCES[value]}"' for value in bars.source.tolist()],
        strict=True,
    )


def _decimals(values: Sequence[int], decimals: int) -> list[str]:
    return [format_scaled(value, decimals) for value in values]


def _certificate(value: int) -> str:
    if value == UNKNOWN:
        return _NULL
    return "true" if value == COMPLETE else "false"
