"""What a run says: progress while it starts, then one line that stays."""

from __future__ import annotations

import io
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TextIO

UNKNOWN = "?"
PLAIN_EVERY = 10.0
TTY_EVERY = 2.0


def status_line(health: Mapping[str, Any] | None, *, source: str, elapsed: float) -> str:
    """One line about a run. ``health`` is the answer of ``/api/health``, None when there was none."""
    up = f"up {duration(elapsed)}"
    if not health:
        return f"{source} · the API does not answer · {up}"
    symbols = [entry for entry in _list(health.get("symbols")) if isinstance(entry, Mapping)]
    ingestor = health.get("ingestor")
    facts = ingestor if isinstance(ingestor, Mapping) else {}
    parts = [
        source,
        f"{len(symbols)} symbol{'' if len(symbols) == 1 else 's'}",
        f"{_number(facts.get('trades_per_second'), '.1f')} trades/s",
        f"lag {_lag(symbols)}",
        f"{_number(facts.get('chunks'), ',')} chunks",
        _bars(health, facts, symbols),
        up,
    ]
    if health.get("status") not in ("ok", "healthy", None):
        parts.insert(1, str(health["status"]))
    return " · ".join(parts)


def duration(seconds: float) -> str:
    """Hours, minutes and seconds, as far as there are any."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def _number(value: object, form: str) -> str:
    return format(value, form) if isinstance(value, int | float) and not isinstance(value, bool) else UNKNOWN


def _lag(symbols: Sequence[Mapping[str, Any]]) -> str:
    lags = [entry["lag_ms"] for entry in symbols if isinstance(entry.get("lag_ms"), int | float)]
    return f"{max(lags) / 1000:.1f} s" if lags else UNKNOWN


def _bars(health: Mapping[str, Any], facts: Mapping[str, Any], symbols: Sequence[Mapping[str, Any]]) -> str:
    """How many bars there are or, since nothing has to count them, until when they reach."""
    count = health.get("bars", facts.get("bars"))
    if isinstance(count, int):
        return f"{count:,} bars"
    marks = [entry["watermark"] for entry in symbols if isinstance(entry.get("watermark"), int)]
    return f"bars to {time.strftime('%H:%M', time.gmtime(min(marks) / 1000))}" if marks else "bars soon"


class Console:
    """Prints lines and, on a terminal, keeps the status line below them."""

    def __init__(self, out: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._out, self._clock = out, clock
        self._is_terminal = out.isatty()
        self._shown = ""

    @property
    def every(self) -> float:
        """Seconds between two status lines."""
        return TTY_EVERY if self._is_terminal else PLAIN_EVERY

    def say(self, text: str) -> None:
        self._write(f"{self._clear()}{text}\n{self._shown}")

    def step(self, text: str, since: float) -> None:
        self.say(f"{text} {self._clock() - since:.1f} s")

    def status(self, text: str) -> None:
        if not self._is_terminal:
            self._write(f"{text}\n")
            return
        columns = shutil.get_terminal_size().columns
        clear = self._clear()
        self._shown = text if len(text) < columns else text[: columns - 2] + "…"
        self._write(clear + self._shown)

    def end_status(self) -> None:
        """The last status line stays as it is; what is said next is below it."""
        if self._shown:
            self._shown = ""
            self._write("\n")

    def _clear(self) -> str:
        return "\r\x1b[2K" if self._shown else ""

    def _write(self, text: str) -> None:
        try:
            self._out.write(text)
            self._out.flush()
        except (BrokenPipeError, ValueError):
            # Nobody reads any more (`make run | head`): the run itself goes on.
            self._out = io.StringIO()
