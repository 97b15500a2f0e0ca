"""How the benchmarks measure: one core, medians, and sizes as DynamoDB counts them."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from statistics import median
from typing import Any

from quant.settings import child_environment
from quant.storage.dynamo import DynamoTable
from quant.storage.table import Item
from tests.real_data.recording import recorded_trades

ROOT = Path(__file__).parents[2]
RECORDED = "recorded BTCUSDT and ETHUSDT spot of REAL_DATA_DIR are absent"


@contextmanager
def one_core() -> Iterator[None]:
    """Pins this process to one core where the system can: no peer then gains by threads."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def unheard(handler: Callable[[dict[str, Any], Any], dict[str, Any]]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The handler, whose log lines are made, and thrown away."""

    def called(event: dict[str, Any]) -> dict[str, Any]:
        with redirect_stdout(io.StringIO()):
            return handler(event, None)

    return called


def seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """Median duration of a call; one call before warms up."""
    work()
    return median(_timed(work, time.perf_counter) for _ in range(repeats))


def cpu_seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """Median of this process's own processor time in a call."""
    work()
    return median(_timed(work, time.process_time) for _ in range(repeats))


def _timed(work: Callable[[], object], clock: Callable[[], float]) -> float:
    began = clock()
    work()
    return clock() - began


def frames_folder() -> Path | None:
    """The folder of the recorded spot frames, if it is there."""
    base = Path(child_environment().get("REAL_DATA_DIR") or ROOT.parent / "shared/data")
    folder = (ROOT / base).resolve() / "binance-spot-20240808/frames"
    return folder if folder.is_dir() else None


_SIZED = DynamoTable("sizes")


def item_bytes(item: Item) -> int:
    """Size of an item as DynamoDB counts it: names and values of all attributes that are stored.

    A string or binary value counts its bytes; a number one byte for two digits and one more. Source: the developer
    guide's page on item sizes and formats.
    """
    return sum(len(name) + _value_bytes(value) for name, value in _SIZED._stored(item).serialize().items())


def write_units(item: Item) -> int:
    """One for each begun kilobyte."""
    return -(-item_bytes(item) // 1024)


def _value_bytes(typed: dict[str, object]) -> int:
    ((kind, value),) = typed.items()
    if kind == "N":
        return -(-len(str(value).strip("-").strip("0") or "0") // 2) + 1
    return len(value) if isinstance(value, bytes) else len(str(value).encode())


__all__ = ["cpu_seconds", "frames_folder", "item_bytes", "one_core", "recorded_trades", "seconds", "write_units"]
