"""Reading recorded frames: gzip files whose lines are ``<receive time ns> <raw JSON>``."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from infra.local.exchange.trades import Instrument, Ints, Trades, columns, units
from infra.local.exchange.wire import stamps
from quant.errors import SettingError

_ENVELOPE = re.compile(r'\{"stream":"([^"]+)","data":(.*)\}\s*\Z', re.DOTALL)
_HEAD = 400
"""Stamps stand at the head of a frame; the rest may be a long order book."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One frame: when it came (ns), whose it is, and its event without the combined envelope."""

    received: int
    symbol: str
    stream: str
    data: str

    @property
    def is_trade(self) -> bool:
        return self.stream.endswith("@trade")

    @property
    def latest_stamp(self) -> int | None:
        return max(stamps(self.data[:_HEAD]), default=None)


@dataclass(frozen=True, slots=True)
class Recording:
    """The frames of one symbol in the order of their coming, and the trades among them.

    ``carriers`` says for each trade which frame brought it and all before it.
    """

    instrument: Instrument
    frames: tuple[Recorded, ...]
    trades: Trades
    carriers: Ints


def read(folder: Path) -> dict[str, Recording]:
    """The recordings of a folder by symbol; symbols without trades are left out.

    Raises:
        SettingError: there is no such folder, it holds no trades, or a frame cannot be read.
    """
    if not folder.is_dir():
        raise SettingError("SOURCE", "must name a folder that exists", f"replay:{folder}")
    frames = [frame for path in sorted(folder.glob("*.gz")) for frame in _frames(path)]
    frames.sort(key=lambda frame: frame.received)
    by_symbol: dict[str, list[Recorded]] = {}
    for frame in frames:
        by_symbol.setdefault(frame.symbol, []).append(frame)
    found = {symbol: _recording(symbol, group) for symbol, group in by_symbol.items() if _trades(group)}
    if not found:
        raise SettingError("SOURCE", "must name a folder with recorded trade frames (*.gz)", f"replay:{folder}")
    return found


def _trades(group: list[Recorded]) -> bool:
    return any(frame.is_trade for frame in group)


def _frames(path: Path) -> Iterator[Recorded]:
    symbol = ""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                frame = _frame(line, symbol)
                symbol = frame.symbol
                yield frame
    except (OSError, EOFError, ValueError, KeyError, zlib.error) as exc:
        raise SettingError("SOURCE", f"holds a file that is no recording of frames: {path.name}") from exc


def _frame(line: str, symbol: str) -> Recorded:
    received, _, raw = line.partition(" ")
    raw = raw.strip()
    envelope = _ENVELOPE.match(raw)
    if envelope is not None:
        stream, data = envelope[1], envelope[2]
        return Recorded(int(received), stream.partition("@")[0].upper(), stream, data)
    event: dict[str, Any] = json.loads(raw)
    if "stream" in event:
        stream, data = event["stream"], json.dumps(event["data"], separators=(",", ":"))
        return Recorded(int(received), stream.partition("@")[0].upper(), stream, data)
    if "s" in event and "e" in event:
        return Recorded(int(received), event["s"], f"{event['s'].lower()}@{event['e']}", raw)
    # An order book asked for by REST names no symbol: it is that of the frames around it.
    return Recorded(int(received), symbol, "", raw)


def _recording(symbol: str, frames: list[Recorded]) -> Recording:
    rows: dict[int, tuple[int, tuple[int, int, int, bool]]] = {}
    for at, frame in enumerate(frames):
        if frame.is_trade:
            number, row = _row(frame.data)
            rows.setdefault(number, (at, row))
    ids = sorted(rows)
    if ids[-1] - ids[0] + 1 != len(ids):
        after = next(one for one in ids if one + 1 not in rows)
        raise SettingError("SOURCE", f"has a recording of {symbol} that lacks trades after id {after}")
    trades = columns(ids[0], _numbered([rows[number][1] for number in ids]))
    carriers = np.maximum.accumulate(np.array([rows[number][0] for number in ids]))
    return Recording(_instrument(symbol, trades), tuple(frames), trades, carriers)


def _row(data: str) -> tuple[int, tuple[int, int, int, bool]]:
    event = json.loads(data)
    return event["t"], (event["T"], units(event["p"]), units(event["q"]), event["m"])


def _numbered(rows: list[tuple[int, int, int, bool]]) -> list[tuple[int, int, int, bool, int]]:
    # Without recorded aggregates, trades of one moment, price and side count as one taker order.
    numbered, number, previous = [], 0, None
    for time, price, quantity, maker in rows:
        number += previous != (time, price, maker)
        previous = (time, price, maker)
        numbered.append((time, price, quantity, maker, number))
    return numbered


def _instrument(symbol: str, trades: Trades) -> Instrument:
    return Instrument.of(symbol, _grid(trades.prices), _grid(trades.quantities))


def _grid(values: Ints) -> int:
    # The greatest power of ten that divides all.
    common, grid = int(np.gcd.reduce(values)), 1
    while common % (grid * 10) == 0 and common:
        grid *= 10
    return grid
