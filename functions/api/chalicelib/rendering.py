"""Answers as text. Exact decimals are written as JSON numbers out of scaled integers, never by way of a float."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from quant.domain.bar import COMPLETE, SOURCES, UNKNOWN, Bars, Sums
from quant.domain.decimals import VWAP_EXTRA_DECIMALS, format_scaled, vwap
from quant.domain.market import Instrument
from quant.domain.trade import Trades

BAR_FIELDS = (
    "time", "open", "high", "low", "close", "volume", "quote_volume", "vwap", "trades", "taker_buy_volume",
    "taker_buy_quote_volume", "first_id", "last_id", "closed", "complete", "source",
)  # fmt: skip
_JSON_WORDS = ("false", "true", "null")
_CSV_WORDS = ("false", "true", "")
TICK_FIELDS = ("id", "time", "price", "quantity", "buyer_is_maker", "last_id")
Column = tuple[str, Sequence[Sequence[object]]]
"""How a cell is written, and the columns of values that the writing takes."""


def bars_json(bars: Bars, closed: Sequence[bool]) -> str:
    sources = [f'"{SOURCES[value]}"' for value in bars.source.tolist()]
    return "[" + ",".join(_objects(BAR_FIELDS, _bar_columns(bars, closed, sources, _JSON_WORDS))) + "]"


def bars_csv(bars: Bars, closed: Sequence[bool]) -> str:
    sources = [SOURCES[value] for value in bars.source.tolist()]
    return _csv(BAR_FIELDS, _bar_columns(bars, closed, sources, _CSV_WORDS))


def ticks_json(trades: Trades) -> str:
    """Trades in the order that they come in; an aggregate also tells its last id."""
    aggregates = [f',"last_id":{last}' if last != first else "" for first, last in _ids(trades)]
    columns = [*_tick_columns(trades, _JSON_WORDS), ("%s", [aggregates])]
    written = ",".join(f'"{name}":{cell}' for name, (cell, _) in zip(TICK_FIELDS[:-1], columns[:-1], strict=True))
    return "[" + ",".join(_rows("{" + written + "%s}", columns)) + "]"


def ticks_csv(trades: Trades) -> str:
    lasts = [last if last != first else "" for first, last in _ids(trades)]
    return _csv(TICK_FIELDS, [*_tick_columns(trades, _CSV_WORDS), ("%s", [lasts])])


def _ids(trades: Trades) -> Iterator[tuple[int, int]]:
    return zip(trades.ids.tolist(), trades.last_ids.tolist(), strict=True)


def _tick_columns(trades: Trades, words: Sequence[str]) -> list[Column]:
    return [
        ("%d", [trades.ids.tolist()]),
        ("%d", [trades.times.tolist()]),
        _exact(trades.prices, trades.price_decimals),
        _exact(trades.quantities, trades.quantity_decimals),
        ("%s", [[words[value] for value in trades.buyer_is_maker.tolist()]]),
    ]


def instrument_fields(instrument: Instrument) -> dict[str, str | int]:
    return {
        "exchange": instrument.market.exchange,
        "symbol": instrument.market.symbol,
        "base": instrument.base,
        "quote": instrument.quote,
        "price_decimals": instrument.price_decimals,
        "quantity_decimals": instrument.quantity_decimals,
    }


def _bar_columns(bars: Bars, closed: Sequence[bool], sources: Sequence[str], words: Sequence[str]) -> list[Column]:
    price, quantity, null = bars.price_decimals, bars.quantity_decimals, words[2]
    averages = map(vwap, bars.quote_volume.tolist(), bars.volume.tolist())
    return [
        ("%d", [bars.time.tolist()]),
        *(_exact(getattr(bars, name), price) for name in ("open", "high", "low", "close")),
        _exact(bars.volume, quantity),
        _exact(bars.quote_volume, price + quantity),
        ("%s", [[null if one is None else format_scaled(one, price + VWAP_EXTRA_DECIMALS) for one in averages]]),
        ("%d", [bars.trades.tolist()]),
        _exact(bars.taker_buy_volume, quantity),
        _exact(bars.taker_buy_quote_volume, price + quantity),
        ("%s", [[null if value < 0 else value for value in bars.first_id.tolist()]]),
        ("%s", [[null if value < 0 else value for value in bars.last_id.tolist()]]),
        ("%s", [[words[value] for value in closed]]),
        ("%s", [[null if value == UNKNOWN else words[value == COMPLETE] for value in bars.complete.tolist()]]),
        ("%s", [sources]),
    ]


def _exact(values: Sums, decimals: int) -> Column:
    """Scaled integers, none of them negative, as whole part and fraction: both are split for all rows at once."""
    if not decimals:
        return "%d", [values.tolist()]
    whole, fraction = np.divmod(values, 10**decimals)
    return f"%d.%0{decimals}d", [whole.tolist(), fraction.tolist()]


def _objects(fields: Sequence[str], columns: Sequence[Column]) -> Iterator[str]:
    written = ",".join(f'"{name}":{cell}' for name, (cell, _) in zip(fields, columns, strict=True))
    return _rows("{" + written + "}", columns)


def _csv(fields: Sequence[str], columns: Sequence[Column]) -> str:
    rows = _rows(",".join(cell for cell, _ in columns), columns)
    return "\n".join([",".join(fields), *rows, ""])


def _rows(written: str, columns: Sequence[Column]) -> Iterator[str]:
    """One formatting of a whole row is several times faster than one of each cell."""
    return map(written.__mod__, zip(*(values for _, parts in columns for values in parts), strict=True))
