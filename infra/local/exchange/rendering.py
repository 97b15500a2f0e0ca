"""Events, REST rows and klines as Binance prints them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from infra.local.exchange.bars import Bar
from infra.local.exchange.market import Event
from infra.local.exchange.trades import SCALE, Trades, text

_BOOL = ("false", "true")


class Aggregate(NamedTuple):
    """Trades of one taker order at one price."""

    id: int
    price: int
    quantity: int
    first: int
    last: int
    time: int
    buyer_is_maker: bool


def trade_events(symbol: str, trades: Trades, now: int) -> list[Event]:
    stream = f"{symbol.lower()}@trade"
    rows = zip(
        range(trades.first_id, trades.stop_id),
        trades.times.tolist(),
        trades.prices.tolist(),
        trades.quantities.tolist(),
        trades.buyer_is_maker.tolist(),
        strict=True,
    )
    return [
        Event(symbol, stream, trade_frame(symbol, number, time, text(price), text(quantity), maker, now), number)
        for number, time, price, quantity, maker in rows
    ]


def trade_frame(symbol: str, number: int, time: int, price: str, quantity: str, maker: bool, now: int) -> str:
    return (
        f'{{"e":"trade","E":{max(now, time)},"s":"{symbol}","t":{number},"p":"{price}","q":"{quantity}",'
        f'"T":{time},"m":{_BOOL[maker]},"M":true}}'
    )


def aggregate_events(symbol: str, trades: Trades, now: int) -> list[Event]:
    stream = f"{symbol.lower()}@aggTrade"
    return [
        Event(
            symbol,
            stream,
            f'{{"e":"aggTrade","E":{max(now, one.time)},"s":"{symbol}","a":{one.id},"p":"{text(one.price)}",'
            f'"q":"{text(one.quantity)}","f":{one.first},"l":{one.last},"T":{one.time},'
            f'"m":{_BOOL[one.buyer_is_maker]},"M":true}}',
        )
        for one in aggregates(trades)
    ]


def aggregates(trades: Trades) -> Iterator[Aggregate]:
    """The batch's trades put together by aggregate id."""
    rows = zip(
        trades.aggregates.tolist(),
        trades.prices.tolist(),
        trades.quantities.tolist(),
        range(trades.first_id, trades.stop_id),
        trades.times.tolist(),
        trades.buyer_is_maker.tolist(),
        strict=True,
    )
    current: Aggregate | None = None
    for number, price, quantity, trade, time, maker in rows:
        if current is not None and current.id == number:
            current = current._replace(quantity=current.quantity + quantity, last=trade)
            continue
        if current is not None:
            yield current
        current = Aggregate(number, price, quantity, trade, trade, time, maker)
    if current is not None:
        yield current


def aggregate_row(one: Aggregate) -> dict[str, object]:
    return {
        "a": one.id,
        "p": text(one.price),
        "q": text(one.quantity),
        "f": one.first,
        "l": one.last,
        "T": one.time,
        "m": one.buyer_is_maker,
        "M": True,
    }


def trade_rows(trades: Trades) -> list[dict[str, object]]:
    rows = zip(
        range(trades.first_id, trades.stop_id),
        trades.times.tolist(),
        trades.prices.tolist(),
        trades.quantities.tolist(),
        trades.buyer_is_maker.tolist(),
        strict=True,
    )
    return [
        {
            "id": number,
            "price": text(price),
            "qty": text(quantity),
            "quoteQty": text(price * quantity // SCALE),
            "time": time,
            "isBuyerMaker": maker,
            "isBestMatch": True,
        }
        for number, time, price, quantity, maker in rows
    ]


def kline_row(bar: Bar, interval: int) -> list[object]:
    return [
        bar.time,
        *_prices(bar),
        text(bar.volume),
        bar.time + interval - 1,
        text(bar.quote_volume // SCALE),
        bar.trades,
        text(bar.taker_buy_volume),
        text(bar.taker_buy_quote_volume // SCALE),
        "0",
    ]


def kline_event(symbol: str, name: str, bar: Bar, interval: int, closed: bool, now: int) -> Event:
    open_, high, low, close = _prices(bar)
    data = (
        f'{{"e":"kline","E":{now},"s":"{symbol}","k":{{"t":{bar.time},"T":{bar.time + interval - 1},"s":"{symbol}",'
        f'"i":"{name}","f":{bar.first_id},"L":{bar.last_id},"o":"{open_}","c":"{close}","h":"{high}","l":"{low}",'
        f'"v":"{text(bar.volume)}","n":{bar.trades},"x":{_BOOL[closed]},"q":"{text(bar.quote_volume // SCALE)}",'
        f'"V":"{text(bar.taker_buy_volume)}","Q":"{text(bar.taker_buy_quote_volume // SCALE)}","B":"0"}}}}'
    )
    return Event(symbol, f"{symbol.lower()}@kline_{name}", data)


def _prices(bar: Bar) -> Sequence[str]:
    return text(bar.open), text(bar.high), text(bar.low), text(bar.close)
