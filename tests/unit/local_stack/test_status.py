"""The status line: readable whatever the health route says, and always below what is said."""

from __future__ import annotations

import io

import pytest

from infra.local.status import Console, duration, status_line

HEALTH = {
    "status": "ok",
    "market": "simulated",
    "symbols": [
        {"symbol": "BTCUSDT", "last_id": 7, "lag_ms": 412, "watermark": 3_600_000},
        {"symbol": "ETHUSDT", "last_id": 9, "lag_ms": 1_240, "watermark": 7_200_000},
    ],
    "ingestor": {"trades_per_second": 53.21, "chunks": 1234, "journal_bytes": 0},
}


def test_the_line_names_the_worst_lag_and_the_earliest_watermark() -> None:
    line = status_line(HEALTH, source="simulator", elapsed=3_725)
    assert line == ("simulator · 2 symbols · 53.2 trades/s · lag 1.2 s · 1,234 chunks · bars to 01:00 · up 1:02:05")


def test_the_line_stays_shorter_than_a_hundred_columns() -> None:
    ingestor = {"trades_per_second": 123.45, "chunks": 12_345}
    assert len(status_line({**HEALTH, "ingestor": ingestor}, source="simulator", elapsed=600)) < 100


def test_bars_are_counted_where_the_health_counts_them() -> None:
    assert " · 42 bars · " in status_line({**HEALTH, "bars": 42}, source="simulator", elapsed=1)


def test_a_status_that_is_not_ok_is_shown_first() -> None:
    assert status_line({**HEALTH, "status": "stale"}, source="binance", elapsed=1).startswith("binance · stale · ")


@pytest.mark.parametrize(
    "health",
    [
        {"status": "ok"},
        {"symbols": None, "ingestor": None},
        {"symbols": ["BTCUSDT"], "ingestor": []},
        {"symbols": [{}], "ingestor": {"trades_per_second": None, "chunks": "many"}},
    ],
)
def test_missing_and_strange_fields_are_shown_as_unknown(health: dict[str, object]) -> None:
    line = status_line(health, source="simulator", elapsed=5)
    assert "? trades/s · lag ? · ? chunks · bars soon" in line


def test_an_api_that_does_not_answer_is_said() -> None:
    assert status_line({}, source="binance", elapsed=61) == "binance · the API does not answer · up 1:01"


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.9, "0:59"), (600, "10:00"), (36_000, "10:00:00")])
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Pipe(io.StringIO):
    """Somebody who stops reading after the first line."""

    def write(self, text: str) -> int:
        if self.getvalue():
            raise BrokenPipeError
        return super().write(text)


def test_on_a_terminal_the_line_is_rewritten_and_stays_below() -> None:
    out = Terminal()
    console = Console(out)
    console.status("one")
    console.say("hello")
    console.status("two")
    console.end_status()
    assert out.getvalue() == "one\r\x1b[2Khello\none\r\x1b[2Ktwo\n"


def test_a_long_line_is_cut_at_the_terminals_edge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    out = Terminal()
    Console(out).status("0123456789abc")
    assert out.getvalue() == "01234567…"


def test_elsewhere_lines_are_printed_one_below_the_other() -> None:
    out = io.StringIO()
    console = Console(out)
    console.status("one")
    console.say("hello")
    console.end_status()
    assert out.getvalue() == "one\nhello\n"


def test_nobody_reading_is_no_failure() -> None:
    console = Console(Pipe())
    console.say("one")
    console.say("two")
    console.status("three")
