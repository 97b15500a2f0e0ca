"""The emulator's program: ministack, with one addition. SIGUSR1 saves its state while it goes on.

ministack saves on SIGTERM only, so that a crash would lose everything since the start. Here a forked copy of the
process, which sees the state as it is at that moment, writes it to disk at low priority.

It is run as a file, not as a module: the Lambda functions inherit this environment, and must not find the project's
source tree by PYTHONPATH when their packages lack something.
"""

from __future__ import annotations

import os
import signal
from typing import Any

import ministack.app as ministack  # type: ignore[import-untyped,unused-ignore]

_LONGEST = 120


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


def main() -> None:
    snapshots = Snapshots()
    ministack.save_all = snapshots.final
    signal.signal(signal.SIGUSR1, snapshots.request)
    ministack.main()


if __name__ == "__main__":
    main()
