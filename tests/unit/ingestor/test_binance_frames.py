from __future__ import annotations

import json
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestor.exchanges.base import Reply, ShutdownNotice
from ingestor.exchanges.binance import Binance
from quant.domain.decimals import format_scaled, parse_scaled
from quant.domain.market import Instrument
from quant.domain.trade import Trades
from tests.unit.ingestor.trades import BTC, START


def binance(price_decimals: int = 2, quantity_decimals: int = 5) -> Binance:
    adapter = Binance("ws://host:1", "http://host:2")
    adapter.learn([Instrument(BTC, "BTC", "USDT", price_decimals, quantity_decimals)])
    return adapter


def frame(number: int, price: str = "61837.63000000", quantity: str = "0.02000000", maker: bool = True) -> bytes:
    time = START + number
    maker_text = "true" if maker else "false"
    return (
        f'{{"stream":"btcusdt@trade","data":{{"e":"trade","E":{time},"s":"BTCUSDT","t":{1000 + number},"p":"{price}",'
        f'"q":"{quantity}","T":{time},"m":{maker_text},"M":true}}}}'
    ).encode()


def same(left: Trades, right: Trades) -> bool:
    more = max(left.price_decimals, right.price_decimals), max(left.quantity_decimals, right.quantity_decimals)
    pairs = zip(left.rescaled(*more).columns(), right.rescaled(*more).columns(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def test_a_trade_frame_is_read_exactly() -> None:
    (found,) = binance().parse([frame(1)]).arrivals
    assert found.market == BTC
    columns = [column.tolist() for column in found.trades.columns()]
    assert columns == [[1001], [1001], [START + 1], [6183763], [2000], [True]]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 8), st.integers(0, 8), st.integers(1, 8), st.integers(0, 2**32))
def test_the_fast_way_reads_what_the_exact_way_reads(
    price_decimals: int, quantity_decimals: int, whole: int, seed: int
) -> None:
    """Whatever decimals the instrument has and the frames show, as long as 18 digits hold them."""
    rng = random.Random(seed)
    shown = rng.randint(1, 10)
    texts = []
    for _ in range(80):
        numbers = [rng.randrange(1, 10 ** (whole + shown)) for _ in range(2)]
        if rng.random() < 0.7:
            numbers = [number - number % 10 ** max(shown - 2, 0) + 10 ** max(shown - 2, 0) for number in numbers]
        texts.append(tuple(format_scaled(number, shown) for number in numbers))
    frames = [frame(k, price, quantity, k % 3 == 0) for k, (price, quantity) in enumerate(texts)]
    fast = binance(price_decimals, quantity_decimals).parse(frames)
    (found,) = fast.arrivals
    assert found.trades.ids.tolist() == [1000 + k for k in range(80)]
    assert found.frames.tolist() == list(range(80))
    decimals = found.trades.price_decimals, found.trades.quantity_decimals
    assert found.trades.prices.tolist() == [parse_scaled(price, decimals[0]) for price, _ in texts]
    assert found.trades.quantities.tolist() == [parse_scaled(quantity, decimals[1]) for _, quantity in texts]
    assert found.trades.buyer_is_maker.tolist() == [k % 3 == 0 for k in range(80)]
    slowly = binance(price_decimals, quantity_decimals).parse([one + b" " for one in frames]).arrivals[0]
    assert same(found.trades, slowly.trades)


def test_the_order_of_arrival_is_kept_across_layouts() -> None:
    order = list(range(200))
    random.Random(7).shuffle(order)
    frames = [frame(k, f"{10 ** (k % 4)}.50000000", maker=k % 2 == 0) for k in order]
    (found,) = binance().parse(frames).arrivals
    assert found.trades.ids.tolist() == [1000 + k for k in order]


def bad_frames() -> list[bytes]:
    good = frame(50).decode()
    return [
        b"",
        b"not json",
        good[:-3].encode(),
        good.replace('"t":1050', '"t":"1050"').encode(),
        good.replace('"t":1050', '"t":01050').encode(),
        good.replace('"t":1050', '"t":1e3').encode(),
        good.replace('"t":1050', '"t":99999999999999999999').encode(),
        good.replace("61837.63000000", "61837.6300x000").encode(),
        good.replace("61837.63000000", "61837,63000000").encode(),
        good.replace("61837.63000000", "NaN").encode(),
        good.replace("61837.63000000", "1e5").encode(),
        good.replace('"p":"61837.63000000"', '"p":61837.63').encode(),
        good.replace('"m":true', '"m":null').encode(),
        good.replace('"m":true', '"m":1').encode(),
        good.replace('"s":"BTCUSDT"', '"s":"btc usdt"').encode(),
        good.replace("0.02000000", "0.0000000000000002").encode(),
        b"\xff\xfe" + good.encode(),
        b"[]",
        b'{"stream":"btcusdt@trade","data":{}}',
        b"[" * 5000,
    ]


@pytest.mark.parametrize("bad", bad_frames(), ids=lambda bad: bad[:12].decode("latin-1"))
def test_a_bad_frame_costs_no_other(bad: bytes) -> None:
    frames = [frame(k) for k in range(100)]
    frames.insert(60, bad)
    parsed = binance().parse(frames)
    assert len(parsed.rejected) == 1
    assert parsed.rejected[0].frame == bad
    assert parsed.arrivals[0].trades.ids.tolist() == [1000 + k for k in range(100)]


def test_two_halves_of_a_frame_are_two_bad_frames() -> None:
    whole = frame(1)
    parsed = binance().parse([frame(0), whole[:60], whole[61:], frame(2)])
    assert [rejected.reason for rejected in parsed.rejected] == ["json", "json"]
    assert parsed.arrivals[0].trades.ids.tolist() == [1000, 1002]


def test_numbers_that_need_more_decimals_widen_the_batch_only() -> None:
    adapter = binance(2, 5)
    (wide,) = adapter.parse([frame(0), frame(1, price="0.12345678")]).arrivals
    assert wide.trades.price_decimals == 8
    assert wide.trades.prices.tolist() == [6183763000000, 12345678]
    assert adapter.parse([frame(2)]).arrivals[0].trades.price_decimals == 2


def test_frames_of_futures_and_older_frames_are_read() -> None:
    frames = [
        b'{"stream":"btcusdt@trade","data":{"e":"trade","E":1785685177439,"T":1785685177439,"s":"BTCUSDT","t":7947325360,'
        b'"p":"63113.20","q":"0.001","X":"MARKET","m":false,"st":1}}',
        b'{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":7947325361,"p":"61837.63000000","q":"0.02000000","b":88,'
        b'"a":50,"T":1723161255342,"m":true,"M":true}',
    ]
    (found,) = binance().parse(frames).arrivals
    assert found.trades.ids.tolist() == [7947325360, 7947325361]


def test_other_streams_are_ignored_and_not_bad() -> None:
    frames = [
        b'{"stream":"x@bookTicker","data":{"u":1,"s":"BTCUSDT","b":"1.0","B":"3.0","a":"2.0","A":"1.5"}}',
        b'{"stream":"x@depth","data":{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":1,"u":2,"b":[["1","2"]],"a":[]}}',
        b'{"stream":"x@kline_1m","data":{"e":"kline","E":1,"s":"BTCUSDT","k":{"t":1}}}',
        b'{"stream":"!ticker@arr","data":[{"e":"24hrTicker"}]}',
        b'{"e":"24hrTicker","p":1,"q":[2]}',
        b'{"lastUpdateId":1,"bids":[],"asks":[]}',
    ]
    parsed = binance().parse(frames)
    assert (parsed.ignored, parsed.rejected, parsed.arrivals) == (6, (), ())


def test_answers_and_notices_are_events() -> None:
    frames = [
        '{"result":null,"id":1}',
        '{"code":2,"msg":"Invalid request","id":"a"}',
        '{"error":{"code":2,"msg":"x"},"id":1}',
        '{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}}',
    ]
    first, second, third, fourth = binance().parse(frames).events
    assert first == Reply("1")
    assert second == Reply("a", "2: Invalid request")
    assert isinstance(third, Reply)
    assert third.error
    assert fourth == ShutdownNotice()


def test_many_symbols_are_subscribed_in_groups() -> None:
    opening = binance().opening([f"S{k}USDT" for k in range(250)])
    assert opening.url.startswith("ws://host:1/stream?streams=s0usdt@trade/s1usdt@trade/")
    assert opening.url.count("@trade") == 100
    assert [len(json.loads(sent)["params"]) for sent in opening.frames] == [100, 50]
