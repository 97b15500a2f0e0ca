"""Symbols, ticks and bars: what is asked for and what is answered."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from quant.contract.operation import ANSWER, REQUEST, Cache, Operation
from quant.contract.types import Cursor, End, Exchange, IntervalName, Nothing, Order, Start, Symbol

MAX_BARS, MAX_TICKS = 1_000, 1_000
Milliseconds = Annotated[int, Meta(description="Milliseconds since the epoch, UTC.")]
NextCursor = Annotated[str | None, Meta(description="Where the next page begins; null on the last page.")]


Format = Annotated[
    Literal["json", "csv"], Meta(description="csv: the header X-Next-Cursor says where the next page begins.")
]
NEXT_CURSOR = {"X-Next-Cursor": "With format=csv: where the next page begins; absent on the last page."}


class SymbolRow(Struct, **ANSWER):
    exchange: str
    symbol: str
    base: str
    quote: str
    price_decimals: int
    quantity_decimals: int
    last_price: float | None
    last_time: Milliseconds | None
    change_24h: float | None
    change_24h_percent: float | None
    quote_volume_24h: float | None
    complete: (
        Annotated[float, Meta(ge=0, le=1, description="Share of the day's own 1m bars that hold every trade.")] | None
    )


class SymbolsAnswer(Struct, **ANSWER):
    market: Annotated[str | None, Meta(description="live, simulated or replay; null before the first heartbeat.")]
    symbols: list[SymbolRow]


class TicksParameters(Struct, **REQUEST):
    symbol: Symbol
    exchange: Exchange = "binance"
    start: Start | None = None
    end: End | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_TICKS, description="Ticks per page.")] = 500
    order: (
        Annotated[Order, Meta(description="By trade id. Without it: desc, or asc where a start is given.")] | None
    ) = None
    cursor: Cursor | None = None
    format: Format = "json"


class Tick(Struct, **ANSWER, omit_defaults=True):
    id: Annotated[int, Meta(description="The exchange's own id; ids are contiguous.")]
    time: Milliseconds
    price: float
    quantity: float
    buyer_is_maker: bool
    last_id: Annotated[int | None, Meta(description="Of an aggregate of several trades: its last id.")] = None


class TicksAnswer(Struct, **ANSWER):
    exchange: str
    symbol: str
    ticks: list[Tick]
    next_cursor: NextCursor


class OhlcParameters(Struct, **REQUEST):
    symbol: Symbol
    exchange: Exchange = "binance"
    interval: IntervalName = "1m"
    start: Start | None = None
    end: End | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_BARS, description="Bars per page.")] = 500
    cursor: Cursor | None = None
    fill: Annotated[
        Literal["none", "previous"],
        Meta(description="previous: intervals without a trade are bars of no volume at the previous close."),
    ] = "none"
    format: Format = "json"


class Bar(Struct, **ANSWER):
    time: Annotated[int, Meta(description="Start of the bar, milliseconds since the epoch, UTC.")]
    open: float
    high: float
    low: float
    close: float
    volume: Annotated[float, Meta(description="Base asset.")]
    quote_volume: Annotated[float, Meta(description="Quote asset: the sum of price times quantity, exact.")]
    vwap: Annotated[float | None, Meta(description="Null where nothing was traded.")]
    trades: int
    taker_buy_volume: float
    taker_buy_quote_volume: float
    first_id: int | None
    last_id: int | None
    closed: Annotated[bool, Meta(description="Whether it can change no more, but by a healed trade.")]
    complete: Annotated[
        bool | None,
        Meta(description="Whether every trade of the exchange is in it; null for the exchange's own bars."),
    ]
    source: Literal["exchange", "trades"]


class OhlcAnswer(Struct, **ANSWER):
    exchange: str
    symbol: str
    interval: str
    price_decimals: int
    quantity_decimals: int
    bars: list[Bar]
    next_cursor: NextCursor


SYMBOLS = Operation(
    id="listSymbols",
    brief=True,
    method="GET",
    path="/symbols",
    tag="market",
    summary="Every followed symbol, the most traded first",
    parameters=Nothing,
    body=Nothing,
    answer=SymbolsAnswer,
)
TICKS = Operation(
    id="listTicks",
    brief=True,
    method="GET",
    path="/ticks/{symbol}",
    tag="market",
    summary="Trades of a symbol",
    description="Without a start the newest come first; with one they come in the order of time.",
    parameters=TicksParameters,
    body=Nothing,
    answer=TicksAnswer,
    cache=Cache.SETTLED,
    media=("application/json", "text/csv"),
    headers=NEXT_CURSOR,
)
OHLC = Operation(
    id="listBars",
    brief=True,
    method="GET",
    path="/ohlc/{symbol}",
    tag="market",
    summary="Bars of a symbol, up to the last trade",
    description="Without a start the newest bars; with one the first bars from there on, page by page.",
    parameters=OhlcParameters,
    body=Nothing,
    answer=OhlcAnswer,
    cache=Cache.SETTLED,
    media=("application/json", "text/csv"),
    headers=NEXT_CURSOR,
)
OPERATIONS = (SYMBOLS, TICKS, OHLC)
