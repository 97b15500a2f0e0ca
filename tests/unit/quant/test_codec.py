"""Packed trades read back exactly, and damage is always noticed."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant.domain.chunk import MAX_CHUNK_TRADES
from quant.domain.interval import MINUTE
from quant.domain.market import Market
from quant.domain.trade import INT64_MAX, Trades, concatenate
from quant.errors import ChunkError, DataError
from quant.storage import codec, varint
from quant.storage.envelope import compress, seal, unseal
from tests.unit.quant.strategies import START, rows, trades

MARKET = Market("binance", "BTCUSDT")


@settings(max_examples=200)
@given(trades(widest=INT64_MAX))
def test_every_legal_trade_survives(batch: Trades) -> None:
    chunks = codec.pack(MARKET, batch)
    back = concatenate([codec.unpack(chunk) for chunk in chunks])
    assert rows(back) == rows(batch)
    assert (back.price_decimals, back.quantity_decimals) == (batch.price_decimals, batch.quantity_decimals)


@settings(max_examples=200)
@given(st.lists(trades(max_size=12, widest=INT64_MAX), max_size=5))
def test_chunks_of_many_markets_are_those_of_each_alone(batches: list[Trades]) -> None:
    named = [(Market("binance", f"COIN{at}"), batch) for at, batch in enumerate(batches)]
    chunks = codec.pack_all(named)
    assert chunks == [chunk for market, batch in named for chunk in codec.pack(market, batch)]
    together = codec.unpack_all(chunks)
    assert [rows(one) for one in together if isinstance(one, Trades)] == [rows(codec.unpack(one)) for one in chunks]


@settings(max_examples=200)
@given(st.lists(trades(max_size=12), min_size=2, max_size=5), st.data())
def test_damage_costs_no_chunk_but_its_own(batches: list[Trades], data: st.DataObject) -> None:
    chunks = [codec.pack(MARKET, batch)[0] for batch in batches]
    at = data.draw(st.integers(0, len(chunks) - 1))
    payload = data.draw(st.binary(max_size=80))
    found = codec.unpack_all([*chunks[:at], replace(chunks[at], payload=payload), *chunks[at + 1 :]])
    error = found.pop(at)
    assert isinstance(error, ChunkError)
    assert error.key == chunks[at].key
    sound = [codec.unpack(chunk) for chunk in (*chunks[:at], *chunks[at + 1 :])]
    assert [rows(one) for one in found if isinstance(one, Trades)] == list(map(rows, sound))


@settings(max_examples=300)
@given(trades(max_size=12), st.binary(max_size=60), st.data())
def test_numbers_that_do_not_fit_are_refused_though_the_checksum_is_right(
    batch: Trades, body: bytes, data: st.DataObject
) -> None:
    chunk, whole = codec.pack(MARKET, batch)[0], codec.pack(Market("binance", "ETHUSDT"), batch)[0]
    forged = replace(chunk, payload=_with_body(chunk.payload, body))
    found, after = codec.unpack_all([forged, whole])
    assert isinstance(after, Trades)
    assert rows(after) == rows(codec.unpack(whole))
    if isinstance(found, Trades):
        assert (found.first_id, found.last_id, len(found)) == (chunk.first_id, chunk.last_id, chunk.count)


@pytest.mark.parametrize("frame", ["", "e0" + "00" * 7 + "10", "a0" + "ff" * 4 + "010000", "00" + "ff" * 20])
def test_a_body_that_names_a_size_of_its_own_is_refused(frame: str) -> None:
    """Of an exabyte, of 4 GB: the library would set aside as much, and run out of memory."""
    chunk = codec.pack(MARKET, _one_trade())[0]
    _, rest = unseal(chunk.payload)
    _, at = varint.decode_some(rest, 6)
    forged = replace(chunk, payload=seal(unseal(chunk.payload)[0], rest[:at] + bytes.fromhex(frame)))
    with pytest.raises(ChunkError):
        codec.unpack(forged)


def test_the_first_market_whose_trades_are_not_legal_is_named() -> None:
    good, bad = _one_trade(), replace(_one_trade(), quantities=np.array([0]))
    with pytest.raises(DataError, match="trades of binance:BADUSDT hold a price or quantity"):
        codec.pack_all([(MARKET, good), (Market("binance", "BADUSDT"), bad), (MARKET, good)])


def test_what_was_stored_before_stays_readable() -> None:
    """A payload as the first release stored it: level 6, one chunk at a time."""
    payload = bytes.fromhex(
        "010f0808d1c60707056480c0bda39332d3b6f902c0843d904e0000c900009070700208020800000003000e03fe0d020438020301800464"
    )
    chunk = replace(codec.pack(MARKET, _five_trades())[0], payload=payload)
    assert rows(codec.unpack(chunk)) == rows(_five_trades())


@given(trades())
def test_a_chunk_lies_in_one_minute_and_spans_a_bounded_number_of_ids(batch: Trades) -> None:
    for chunk in codec.pack(MARKET, batch):
        assert chunk.first_time // MINUTE == chunk.last_time // MINUTE
        assert chunk.count <= MAX_CHUNK_TRADES
        ids = codec.unpack(chunk).ids.tolist()
        assert ids[-1] - ids[0] < MAX_CHUNK_TRADES


def test_many_trades_of_one_minute_and_far_ids_are_cut() -> None:
    ids = [*range(25_000), 40_000, 49_999, 50_000]
    columns = [[START] * len(ids), [1] * len(ids), [1] * len(ids), [True] * len(ids)]
    batch = Trades.of(ids, *columns, price_decimals=0, quantity_decimals=0)
    chunks = codec.pack(MARKET, batch)
    assert [(one.first_id, one.last_id) for one in chunks] == [
        (0, 9_999), (10_000, 19_999), (20_000, 24_999), (40_000, 49_999), (50_000, 50_000)
    ]  # fmt: skip
    assert rows(concatenate([codec.unpack(chunk) for chunk in chunks])) == rows(batch)


@given(trades())
def test_the_key_is_a_function_of_the_content(batch: Trades) -> None:
    assert codec.pack(MARKET, batch) == codec.pack(MARKET, batch.take(np.arange(len(batch))))


@settings(max_examples=300)
@given(trades(max_size=12), st.data())
def test_a_damaged_chunk_is_an_error_and_never_other_trades(batch: Trades, data: st.DataObject) -> None:
    chunk = codec.pack(MARKET, batch)[0]
    payload = bytearray(chunk.payload)
    at = data.draw(st.integers(0, len(payload) - 1))
    if data.draw(st.booleans()):
        payload[at] ^= data.draw(st.integers(1, 255))
    else:
        del payload[at:]
    with pytest.raises(ChunkError) as caught:
        codec.unpack(replace(chunk, payload=bytes(payload)))
    assert caught.value.key == chunk.key


@given(st.binary(max_size=80))
def test_any_bytes_are_refused_or_read_but_never_crash(payload: bytes) -> None:
    chunk = replace(codec.pack(MARKET, _one_trade())[0], payload=payload)
    with pytest.raises(ChunkError):
        codec.unpack(chunk)


def test_an_unknown_version_says_so() -> None:
    chunk = codec.pack(MARKET, _one_trade())[0]
    with pytest.raises(ChunkError, match="version 9 is unknown"):
        codec.unpack(replace(chunk, payload=b"\x09" + chunk.payload[1:]))


def test_a_chunk_under_a_foreign_key_is_refused() -> None:
    chunk = codec.pack(MARKET, _one_trade())[0]
    with pytest.raises(ChunkError, match="not those that its key names"):
        codec.unpack(replace(chunk, first_id=chunk.first_id + 1))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"ids": [2, 1]}, "do not ascend"),
        ({"ids": [1, 1]}, "do not ascend"),
        ({"prices": [0, 1]}, "not positive"),
        ({"quantities": [1, -1]}, "not positive"),
        ({"times": [-1, 1]}, "out of range"),
    ],
)
def test_what_is_no_legal_trade_is_not_packed(change: dict[str, list[int]], problem: str) -> None:
    columns = {"ids": [1, 2], "times": [START, START], "prices": [1, 1], "quantities": [1, 1]} | change
    batch = Trades.of(*columns.values(), [True, False], price_decimals=0, quantity_decimals=0)
    with pytest.raises(DataError, match=problem):
        codec.pack(MARKET, batch)


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_variable_length_integers_read_back(values: list[int]) -> None:
    column = np.array(values, dtype=np.uint64)
    assert varint.decode(varint.encode(column)).tolist() == values


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_zigzag_reads_back(values: list[int]) -> None:
    column = np.array(values, dtype=np.int64)
    assert varint.unzigzag(varint.zigzag(column)).tolist() == values


@pytest.mark.parametrize("packed", [b"\x80", b"\x01\xff", b"\xff" * 10 + b"\x01", b"\xff" * 12])
def test_a_cut_or_endless_integer_is_refused(packed: bytes) -> None:
    with pytest.raises(ValueError, match=r"cut off|longer than 64 bits"):
        varint.decode(packed)


def _one_trade() -> Trades:
    return Trades.of([7], [START], [6183763], [2000], [True], price_decimals=2, quantity_decimals=5)


def _five_trades() -> Trades:
    """Ids with a hole and an aggregate, an equal and an earlier time, prices on both sides, whole lots."""
    return Trades.of(
        [100, 101, 105, 106, 110],
        [START, START, START + 7, START + 5, START + 900],
        [6183763000000, 6183763000000, 6183764000000, 6183762000000, 6183790000000],
        [20000, 30000, 10000, 5120000, 1000000],
        [True, False, False, True, False],
        price_decimals=8,
        quantity_decimals=8,
        last_ids=[100, 101, 105, 109, 110],
    )


def _with_body(payload: bytes, body: bytes) -> bytes:
    """The same envelope and head around another body, with the checksum that it needs."""
    envelope, rest = unseal(payload)
    _, at = varint.decode_some(rest, 4 + (envelope.flags >> 2 & 1) + (envelope.flags >> 3))
    return seal(envelope, rest[:at] + compress(body))
