"""Which trade id a moment begins with, asked of the exchange."""

from __future__ import annotations

from ingestor.exchanges.base import Exchange
from ingestor.rest import RestClient
from quant.domain.trade import Trades
from quant.errors import UnsupportedError

_FIRST_STEP = 1_000


async def newest_trade(exchange: Exchange, client: RestClient, symbol: str) -> Trades:
    """The last trade there is, perhaps as an aggregate; empty where there never was one."""
    request = exchange.newest_aggregate(symbol)
    found = exchange.read_aggregates(await client.fetch(request, attempts=5), symbol).trades
    return found.take(slice(-1, None))


async def first_id_at(exchange: Exchange, client: RestClient, symbol: str, time: int) -> int:
    """The id of the first trade at ``time`` (ms) or later; the id that comes next where there is none yet.

    Raises:
        ExchangeError, FrameError: the exchange does not say.
    """
    can_search = True
    try:
        request = exchange.aggregates_from_time(symbol, time, 1)
        found = exchange.read_aggregates(await client.fetch(request, attempts=5), symbol).trades
        if len(found):
            return found.first_id
    except UnsupportedError:
        can_search = False
    newest = await newest_trade(exchange, client, symbol)
    if not len(newest):
        return 0
    if can_search or int(newest.times[-1]) < time:
        return newest.last_id + 1
    return await _searched(exchange, client, symbol, time, newest.last_id)


async def _searched(exchange: Exchange, client: RestClient, symbol: str, time: int, newest: int) -> int:
    """By bisection over the ids, whose times do not fall: in growing steps back, then halving."""
    high, step = newest, _FIRST_STEP
    low = max(high - step, 0)
    while low > 0 and not await _is_before(exchange, client, symbol, low, time):
        high, step = low, step * 2
        low = max(high - step, 0)
    while high - low > 1:
        middle = (low + high) // 2
        if await _is_before(exchange, client, symbol, middle, time):
            low = middle
        else:
            high = middle
    return high


async def _is_before(exchange: Exchange, client: RestClient, symbol: str, trade_id: int, time: int) -> bool:
    request = exchange.trades_from(symbol, trade_id, 1)
    found = exchange.read_trades(await client.fetch(request, attempts=5), symbol)
    return not len(found) or int(found.times[0]) < time
