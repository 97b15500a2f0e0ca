"""The emulator's program: ministack, hastier at three things, which saves its state on SIGUSR1 while it goes on.

ministack saves on SIGTERM only, so that a crash would lose everything since the start. Here a forked copy of the
process, which sees the state as it is at that moment, writes it to disk at low priority.

It is run as a file, not as a module: the Lambda functions inherit this environment, and must not find the project's
source tree by PYTHONPATH when their packages lack something.
"""

from __future__ import annotations

import fcntl
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from functools import lru_cache, partialmethod
from pathlib import Path
from typing import IO, Any

import ministack.app as ministack  # type: ignore[import-untyped,unused-ignore]
import ministack.core.persistence as ministack_state  # type: ignore[import-untyped,unused-ignore]
import ministack.services.dynamodb as ministack_tables  # type: ignore[import-untyped,unused-ignore]
import ministack.services.eventbridge as ministack_schedules  # type: ignore[import-untyped,unused-ignore]
from ministack.core.lambda_runtime import Worker  # type: ignore[import-untyped,unused-ignore]

_LONGEST = 120
_LOG_HOURS = 1
LOG_PATIENCE = 0.002


class Snapshots:
    """At most one copy writes at a time; the final save waits for none and replaces what it had begun."""

    def __init__(self) -> None:
        self._writer = 0
        self._save_all = ministack.save_all

    def request(self, *_: Any) -> None:
        """A signal handler: the snapshot is taken between two requests, never within one."""
        if ministack._MAIN_LOOP is not None:
            ministack._MAIN_LOOP.call_soon_threadsafe(self.take)

    def take(self) -> None:
        if self._is_writing():
            return
        forget_logs(int((time.time() - _LOG_HOURS * 3600) * 1000))
        self._writer = os.fork()
        if self._writer == 0:
            self._write()

    def final(self, services: dict[str, Any]) -> None:
        """Stand in for ministack's own save at its end: both would write to the same temporary files."""
        if self._is_writing():
            os.kill(self._writer, signal.SIGKILL)
            os.waitpid(self._writer, 0)
        self._save_all(services)

    def _is_writing(self) -> bool:
        if self._writer and os.waitpid(self._writer, os.WNOHANG) != (0, 0):
            self._writer = 0
        return bool(self._writer)

    def _write(self) -> None:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
                signal.signal(number, signal.SIG_DFL)
            signal.alarm(_LONGEST)  # a lock that another thread held at the fork is never released here
            os.closerange(3, 4096)  # the port and the functions' pipes belong to the other process
            os.nice(10)
            self._save_all(ministack._build_persistence_save_dict())
            code = 0
        finally:
            os._exit(code)


def forget_logs(before: int) -> None:
    """Drop log events from before this time in ms: ministack keeps all for ever, whatever their group's retention."""
    logs = sys.modules.get("ministack.services.cloudwatch_logs")
    if logs is None:
        return
    with logs._log_events_lock:
        for group in logs._log_groups._data.values():
            for stream in group["streams"].values():
                stream["events"] = [event for event in stream["events"] if event["timestamp"] >= before]
        records = logs._log_records._data
        for key in [key for key, record in records.items() if record["_timestamp_ms"] < before]:
            del records[key]


Evaluate = Callable[..., bool]
_KEYS_BETWEEN = lru_cache(re.compile(r"\((#\w+) = (:\w+) AND (#\w+) BETWEEN (:\w+) AND (:\w+)\)").fullmatch)


def quick_at_keys(evaluate: Evaluate) -> Evaluate:
    """Evaluate conditions as ministack does, but a range of keys without reading its words anew for each item.

    That takes 30 µs, and every query does it for all items of its partition: an hour of a symbol has thousands.
    """

    def evaluated(expr: str, item: Any, values: Any, names: Any, slot: str = "ConditionExpression") -> bool:
        found = _KEYS_BETWEEN(expr) if slot == "KeyConditionExpression" else None
        if found is None:
            return evaluate(expr, item, values, names, slot=slot)
        pk, wanted, sk, low, high = found.groups()
        try:
            at: str = item[names[sk]]["S"]
            return bool(item[names[pk]] == values[wanted] and values[low]["S"] <= at <= values[high]["S"])
        except KeyError:  # no strings
            return evaluate(expr, item, values, names, slot=slot)

    return evaluated


def claim(folder: Path) -> IO[str]:
    """Wait until no other emulator has this state: one whose run was killed may still be saving it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / ".lock").open("a")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def main() -> None:
    held = claim(Path(ministack_state.STATE_DIR))
    # ministack waits 50 ms for the log of every invocation that logs nothing, and 5 ms after every line for another;
    # late lines come with the next invocation.
    Worker._drain_stderr_bounded = partialmethod(
        Worker._drain_stderr_bounded, first_line_wait=LOG_PATIENCE, idle_confirm=LOG_PATIENCE
    )
    # It looks every ten seconds whether a schedule's minute is over: where one look comes a moment too soon, the minute
    # has seventy.
    ministack_schedules._SCHEDULER_TICK_INTERVAL = 1
    ministack_tables._evaluate_condition = quick_at_keys(ministack_tables._evaluate_condition)
    snapshots = Snapshots()
    ministack.save_all = snapshots.final
    signal.signal(signal.SIGUSR1, snapshots.request)
    ministack.main()
    held.close()


if __name__ == "__main__":
    main()
