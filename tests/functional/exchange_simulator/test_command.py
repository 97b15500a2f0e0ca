"""The command line, and a recording served whole."""

import asyncio
import gzip
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import aiohttp
from websockets.asyncio.client import connect

ROOT = Path(__file__).parents[3]
RECEIVED = 1_723_161_254_087_896_568


async def start(*options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "infra.local.exchange", *options,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "functions:."},
    )  # fmt: skip


async def urls(process: asyncio.subprocess.Process) -> Any:
    assert process.stdout is not None
    return json.loads(await asyncio.wait_for(process.stdout.readline(), 20))


async def end(process: asyncio.subprocess.Process, number: signal.Signals) -> tuple[int | None, bytes]:
    process.send_signal(number)
    _, errors = await asyncio.wait_for(process.communicate(), 10)
    return process.returncode, errors


async def test_it_says_where_it_listens_and_ends_cleanly_with_clients_connected() -> None:
    process = await start("--symbols", "BTCUSDT", "--rate", "5")
    told = await urls(process)
    async with connect(f"{told['ws_url']}/stream?streams=btcusdt@trade") as ws:
        frame = json.loads(await asyncio.wait_for(ws.recv(), 10))
        assert frame["data"]["s"] == "BTCUSDT"
        assert await end(process, signal.SIGTERM) == (0, b"")


async def test_an_unusable_source_is_one_sentence_and_code_2() -> None:
    process = await start("--source", "replay:/no/such/folder")
    out, errors = await asyncio.wait_for(process.communicate(), 20)
    assert (process.returncode, out) == (2, b"")
    assert errors == b"setting SOURCE must name a folder that exists, got 'replay:/no/such/folder'\n"


async def test_a_recording_is_served_as_far_as_it_was_played(tmp_path: Path) -> None:
    frames = [(RECEIVED, "btcusdt@bookTicker", {"u": 5, "s": "BTCUSDT", "b": "1.00000000"})]
    for at in range(20):
        time = RECEIVED // 1_000_000 + at * 100 + 1_250
        data = {"e": "trade", "E": time, "s": "BTCUSDT", "t": 50 + at, "p": "2.10000000", "q": "0.30000000", "T": time,
                "m": at % 2 == 0, "M": True}  # fmt: skip
        frames.append((RECEIVED + at * 100_000_000, "btcusdt@trade", data))
    with gzip.open(tmp_path / "btcusdt.gz", "wt") as file:
        file.writelines(f"{at} {json.dumps({'stream': stream, 'data': data})}\n" for at, stream, data in frames)
    process = await start("--source", f"replay:{tmp_path}", "--speed", "10")
    told = await urls(process)
    rest = f"{told['rest_url']}/api/v3"
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{rest}/trades?symbol=BTCUSDT") as response:
            assert await response.json() == []
        async with connect(f"{told['ws_url']}/stream?streams=btcusdt@trade") as ws:
            streams = [json.loads(await asyncio.wait_for(ws.recv(), 10)) for _ in range(21)]
        async with session.get(f"{rest}/historicalTrades?symbol=BTCUSDT&fromId=0") as response:
            rows = await response.json()
    assert streams[0]["stream"] == "btcusdt@bookTicker"
    assert [one["data"]["t"] for one in streams[1:]] == list(range(50, 70))
    assert [(row["id"], row["time"]) for row in rows] == [(one["data"]["t"], one["data"]["T"]) for one in streams[1:]]
    assert await end(process, signal.SIGINT) == (0, b"")


async def test_no_symbols_are_one_sentence_too() -> None:
    process = await start("--symbols", " , ")
    _, errors = await asyncio.wait_for(process.communicate(), 20)
    assert (process.returncode, errors) == (2, b"symbols must name at least one symbol\n")


async def test_another_process_tells_the_same_trades() -> None:
    """A restart goes on where it was: nothing depends on the process, such as its hash seed."""
    answers = []
    for _ in range(2):
        process = await start("--symbols", "LTCUSDT", "--seed", "11")
        told = await urls(process)
        path = "/api/v3/historicalTrades?symbol=LTCUSDT&fromId=1000000&limit=1000"
        async with aiohttp.ClientSession() as session, session.get(told["rest_url"] + path) as response:
            answers.append(await response.text())
        await end(process, signal.SIGTERM)
    assert answers[0] == answers[1]
    assert len(json.loads(answers[0])) == 1_000
