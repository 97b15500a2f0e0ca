"""Which source is taken, by a probe that needs no network."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from infra.local.sources import BINANCE, SIMULATOR, Simulator, choose_source, probe_binance
from quant.errors import SettingError
from quant.settings import Settings

Probe = Callable[[str], Awaitable[str | None]]


def probe(problem: str | None) -> Probe:
    async def answer(url: str) -> str | None:
        assert url == "https://api.binance.com"
        return problem

    return answer


async def never(url: str) -> str | None:
    raise AssertionError(f"{url} was asked without need")


def settings(source: str) -> Settings:
    return Settings.load({"SOURCE": source})


async def test_auto_takes_the_exchange_when_it_answers() -> None:
    said: list[str] = []
    assert await choose_source(settings("auto"), probe(None), said.append) == BINANCE
    assert said == []


async def test_auto_takes_the_simulator_else_and_says_so() -> None:
    said: list[str] = []
    assert await choose_source(settings("auto"), probe("no answer within 5 s"), said.append) == SIMULATOR
    assert len(said) == 1
    assert "no answer within 5 s" in said[0]
    assert "SIMULATED" in said[0]


async def test_the_simulator_is_taken_without_asking_the_exchange() -> None:
    assert await choose_source(settings("simulator"), never, print) == SIMULATOR


async def test_who_insists_on_the_exchange_waits_for_it_and_is_told_so() -> None:
    said: list[str] = []
    assert await choose_source(settings("binance"), probe("it cannot be reached"), said.append) == BINANCE
    assert len(said) == 1
    assert "waited for" in said[0]


async def test_a_recording_is_named_by_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "frames").mkdir()
    monkeypatch.chdir(tmp_path)
    source = await choose_source(settings("replay:frames"), never, print)
    assert source.argument == f"replay:{tmp_path / 'frames'}"
    assert (source.name, source.market, str(source)) == ("replay", "replay", "replay:frames")


async def test_a_recording_that_is_not_there_is_refused_by_the_settings_name(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="setting SOURCE must name a folder"):
        await choose_source(settings(f"replay:{tmp_path / 'nothing'}"), never, print)


def test_a_symbol_that_the_simulator_cannot_have_is_refused_by_the_settings_name(tmp_path: Path) -> None:
    asked = Settings.load({"SYMBOLS": "BTCUSDT,NOPE"})
    with pytest.raises(SettingError, match=r"setting SYMBOLS must be 5 to 20 capital .+, got 'NOPE'"):
        Simulator.of(asked, SIMULATOR, symbols=True, root=tmp_path, folder=tmp_path)


async def test_an_exchange_that_refuses_connections_is_a_problem_and_not_an_error() -> None:
    assert await probe_binance("http://127.0.0.1:9") == "it cannot be reached"
