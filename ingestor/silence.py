"""Which markets are unusually silent, so that the exchange is asked whether it is they or we. No clock, no I/O."""

from __future__ import annotations

from dataclasses import dataclass

from quant.domain.market import Market

# Silent is longer than this many usual gaps between trades, within bounds (s); asked again at growing intervals.
GAPS, LEAST, MOST = 20.0, 3.0, 60.0
SLOWEST = 600.0
_SMOOTHING = 0.1
_AFTER_CONNECT = 0.5


@dataclass(slots=True)
class _Voice:
    heard: float
    gap: float | None = None
    ask_at: float = 0.0
    interval: float = LEAST
    behind: int = 0


class Silence:
    """Times in seconds of any one clock."""

    def __init__(self, *, least: float = LEAST) -> None:
        self._least = least
        self._voices: dict[Market, _Voice] = {}

    def heard(self, market: Market, trades: int, now: float) -> None:
        """Trades of it came through the stream."""
        voice = self._voices.get(market)
        if voice is None:
            voice = self._voices[market] = _Voice(now)
        else:
            gap = (now - voice.heard) / trades
            voice.gap = gap if voice.gap is None else voice.gap + _SMOOTHING * (gap - voice.gap)
        voice.heard, voice.behind = now, 0
        voice.interval = min(max(GAPS * (voice.gap or 0.0), self._least), MOST)
        voice.ask_at = now + voice.interval

    def connected(self, market: Market, now: float) -> None:
        """A connection for it was opened: what was traded before is only known by asking."""
        voice = self._voices.setdefault(market, _Voice(now, interval=self._least))
        voice.ask_at = min(voice.ask_at or now, now) + _AFTER_CONNECT

    def due(self, now: float) -> list[Market]:
        """The markets to be asked for now; each is due again later, ever more seldom while it stays silent."""
        found = [market for market, voice in self._voices.items() if now >= voice.ask_at]
        for market in found:
            voice = self._voices[market]
            voice.ask_at = now + voice.interval
            voice.interval = min(voice.interval * 2, SLOWEST)
        return found

    def behind(self, market: Market) -> int:
        """It was traded and we did not hear of it; how many times in a row."""
        self._voices[market].behind += 1
        return self._voices[market].behind
