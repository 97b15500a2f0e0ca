"""A recording is played at its own distances, moved by whole bars, and never from the future."""

import gzip
import json
from pathlib import Path

import pytest

from infra.local.exchange.replay import BAR, ReplayMarket
from infra.local.exchange.wire import stamps
from quant.errors import SettingError

RECORDED = 1_723_161_254_087
CLOCK_BEHIND = 1_255
NOW = 1_795_348_812_345
BOOK = {"lastUpdateId": 1, "bids": [["1.0", "2.0"]], "asks": []}


def trade(number: int, time: int, price: str = "61837.63000000") -> dict[str, object]:
    return {
        "e": "trade", "E": time + 1, "s": "BTCUSDT", "t": number, "p": price, "q": "0.02000000",
        "T": time, "m": True, "M": True,
    }  # fmt: skip


def envelope(stream: str, data: dict[str, object]) -> dict[str, object]:
    return {"stream": stream, "data": data}


def frames(count: int = 40, step: int = 700) -> list[tuple[int, dict[str, object]]]:
    """Trades, a book update and a bare snapshot, received ``step`` ms apart by a clock that is late."""
    made: list[tuple[int, dict[str, object]]] = []
    for at in range(count):
        received = RECORDED + at * step
        made.append((received, envelope("btcusdt@trade", trade(3_735_683_259 + at, received + CLOCK_BEHIND))))
    depth = {"e": "depthUpdate", "E": RECORDED + 1_500 + CLOCK_BEHIND, "s": "BTCUSDT", "b": [], "a": []}
    made.append((RECORDED + 1_500, envelope("btcusdt@depth@100ms", depth)))
    made.append((RECORDED + 1_600, BOOK))
    return sorted(made, key=lambda pair: pair[0])


def record(folder: Path, made: list[tuple[int, dict[str, object]]], name: str = "btcusdt.gz") -> Path:
    with gzip.open(folder / name, "wt") as file:
        for received, frame in made:
            file.write(f"{received * 1_000_000 + 85_768} {json.dumps(frame, separators=(',', ':'))}\n")
    return folder


@pytest.mark.parametrize("speed", [1.0, 10.0, 50.0, 0.3])
@pytest.mark.parametrize("now", [NOW, NOW + 1, NOW // BAR * BAR, NOW // BAR * BAR - 1])
def test_no_frame_is_stamped_in_the_future_when_it_is_played(tmp_path: Path, speed: float, now: int) -> None:
    market = ReplayMarket(record(tmp_path, frames()), speed=speed)
    feed = market.feed()
    feed.follow("BTCUSDT", now)
    leads, at = [], now
    while len(leads) < 41:
        leads += [stamp - at for event in feed.poll("BTCUSDT", {"trade"}, at) for stamp in stamps(event.data)[:1]]
        at += 1
    assert max(leads) <= 0
    assert max(leads) > -BAR, "one bar more would have put a frame into the future"
    assert market.shift % BAR == 0


def test_the_shift_moves_every_time_and_nothing_else(tmp_path: Path) -> None:
    kline = {"e": "kline", "E": RECORDED, "s": "BTCUSDT", "k": {"t": 1_723_161_240_000, "T": 1_723_161_299_999, "f": 1}}
    made = [*frames(3), (RECORDED + 10, envelope("btcusdt@kline_1m", kline))]
    market = ReplayMarket(record(tmp_path, made))
    feed = market.feed()
    feed.follow("BTCUSDT", NOW)
    events = {event.stream: json.loads(event.data) for event in feed.poll("BTCUSDT", {"trade"}, NOW + 60_000)}
    assert events["btcusdt@trade"] == trade(3_735_683_261, RECORDED + 1_400 + CLOCK_BEHIND + market.shift)
    assert events["btcusdt@kline_1m"]["k"]["t"] == 1_723_161_240_000 + market.shift
    assert events["btcusdt@kline_1m"]["k"]["T"] == 1_723_161_299_999 + market.shift
    assert events[""] == BOOK


def test_a_frame_is_sent_at_its_offset_divided_by_the_speed(tmp_path: Path) -> None:
    market = ReplayMarket(record(tmp_path, frames(10)), speed=10)
    feed = market.feed()
    feed.follow("BTCUSDT", NOW)
    sent = [event.trade_id for event in feed.poll("BTCUSDT", {"trade"}, NOW + 139)]
    assert sent == [3_735_683_259, 3_735_683_260]
    assert [event.trade_id for event in feed.poll("BTCUSDT", {"trade"}, NOW + 140)] == [3_735_683_261]


def test_the_clock_starts_with_the_first_follower_and_a_later_one_joins_in(tmp_path: Path) -> None:
    market = ReplayMarket(record(tmp_path, frames()))
    first_id = 3_735_683_259
    assert market.published("BTCUSDT", NOW) == first_id
    feed = market.feed()
    feed.follow("BTCUSDT", NOW)
    assert market.published("BTCUSDT", NOW) == first_id + 1
    feed.poll("BTCUSDT", {"trade"}, NOW + 5_000)
    feed.forget("BTCUSDT")
    feed.follow("BTCUSDT", NOW + 20_000)
    later = feed.poll("BTCUSDT", {"trade"}, NOW + 20_300)
    assert [event.trade_id for event in later] == [first_id + 29]
    assert market.published("BTCUSDT", NOW + 20_300) == first_id + 30


def test_after_the_end_nothing_comes(tmp_path: Path) -> None:
    market = ReplayMarket(record(tmp_path, frames(3)))
    feed = market.feed()
    feed.follow("BTCUSDT", NOW)
    assert len(feed.poll("BTCUSDT", {"trade"}, NOW + 99_999)) == 5
    assert feed.poll("BTCUSDT", {"trade"}, NOW + 999_999) == []
    assert market.published("BTCUSDT", NOW + 999_999) == 3_735_683_262


def test_grids_are_the_greatest_powers_of_ten_of_the_recording(tmp_path: Path) -> None:
    instrument = ReplayMarket(record(tmp_path, frames(3))).instruments["BTCUSDT"]
    assert (instrument.tick, instrument.step, instrument.base) == (10**6, 10**6, "BTC")


def test_several_files_are_merged_by_receive_time(tmp_path: Path) -> None:
    made = frames(20)
    record(tmp_path, made[1::2], "a.gz")
    record(tmp_path, made[::2], "b.gz")
    feed = ReplayMarket(tmp_path).feed()
    feed.follow("BTCUSDT", NOW)
    ids = [event.trade_id for event in feed.poll("BTCUSDT", {"trade"}, NOW + 99_999) if event.trade_id]
    assert ids == list(range(3_735_683_259, 3_735_683_279))


def test_a_folder_that_does_not_exist_is_named_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"setting SOURCE must name a folder that exists, got 'replay:.*nowhere'"):
        ReplayMarket(tmp_path / "nowhere")


def test_a_folder_without_trades_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="recorded trade frames"):
        ReplayMarket(tmp_path)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "torn.gz").write_bytes(gzip.compress(b"1 {}\n" * 500)[:-9])
    with pytest.raises(SettingError, match=r"torn\.gz"):
        ReplayMarket(tmp_path)


def test_a_recording_with_a_hole_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="lacks trades after id 3735683260"):
        ReplayMarket(record(tmp_path, [pair for at, pair in enumerate(frames(9)) if at != 2]))
