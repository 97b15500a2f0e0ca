"""The ingestor as a process."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest

from infra.local.exchange.scripted import ScriptedMarket
from infra.local.exchange.server import ExchangeServer
from quant.settings import child_environment

ROOT = Path(__file__).parents[3]
NOBODY = "http://127.0.0.1:9"


async def start(*arguments: str, **settings: str) -> asyncio.subprocess.Process:
    env = child_environment(
        PYTHONPATH=f"{ROOT / 'functions'}:{ROOT}",
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
        AWS_DEFAULT_REGION="us-east-1",
        AWS_ENDPOINT_URL=NOBODY,
        **{"SYMBOLS": "BTCUSDT", **settings},
    )
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ingestor", *arguments, env=env, cwd=ROOT,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"SHARD": "3/2"}, "setting SHARD must be I/N with 1 <= I <= N, such as 2/4, or auto, got '3/2'"),
        ({"FLUSH_SECONDS": "0"}, "setting FLUSH_SECONDS must be a whole number from 1 to 60, got '0'"),
        ({"SYMBOLS": "kraken:BTC-USD"}, "setting SYMBOLS names exchanges that are not read here: kraken"),
    ],
)
async def test_a_setting_that_cannot_be_used_is_named_in_one_line(
    settings: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    process = await start(**{"JOURNAL_DIR": str(tmp_path), **settings})
    out, err = await process.communicate()
    assert (process.returncode, out, err.decode().splitlines()) == (2, b"", [sentence])


async def test_a_journal_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    process = await start(JOURNAL_DIR=str(tmp_path / "file"))
    _, err = await process.communicate()
    assert process.returncode == 2
    assert err.decode().startswith("setting JOURNAL_DIR cannot be used")
    assert len(err.decode().splitlines()) == 1


async def test_with_nobody_there_it_keeps_trying_and_ends_when_told(tmp_path: Path) -> None:
    process = await start(JOURNAL_DIR=str(tmp_path), BINANCE_WS_URL="ws://127.0.0.1:9", BINANCE_REST_URL=NOBODY)
    assert process.stderr is not None
    seen: list[str] = []
    async with asyncio.timeout(30):
        while not {"connect_failed", "start_retry"} <= set(seen):
            line = await process.stderr.readline()
            assert line, seen
            seen.append(json.loads(line)["event"])
        process.send_signal(signal.SIGTERM)
        rest = (await process.stderr.read()).decode().splitlines()
    assert await process.wait() == 0
    assert json.loads(rest[-1])["event"] == "stopped"


@pytest.mark.parametrize(("shard", "place"), [("1/1", "shard-1-of-1"), ("auto", "shard-auto-0")])
async def test_trades_outlive_a_storage_that_is_away_and_a_stop(shard: str, place: str, tmp_path: Path) -> None:
    async with ExchangeServer(ScriptedMarket(first_id=100)) as server:
        process = await start(
            JOURNAL_DIR=str(tmp_path), BINANCE_WS_URL=server.ws_url, BINANCE_REST_URL=server.rest_url,
            FLUSH_SECONDS="1", SHARD=shard,
        )  # fmt: skip
        assert process.stderr is not None
        async with asyncio.timeout(40):
            while json.loads(await process.stderr.readline())["event"] != "connected":
                pass
            for _ in range(20):
                server.market.publish("BTCUSDT", price="61837.63", quantity="0.02")
            folder = tmp_path / place
            while not any(path.stat().st_size for path in folder.glob("*.journal")):
                await asyncio.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            rest = (await process.stderr.read()).decode().splitlines()
        assert await process.wait() == 0
    assert json.loads(rest[-1])["left_in_journal"] >= 1
    # Storage is away and the disk has all: nothing is left to wait for.
    assert json.loads(rest[-1])["seconds"] < 8
    assert not any("Traceback" in line for line in rest)
