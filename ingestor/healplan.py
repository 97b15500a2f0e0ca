"""Which hole is asked for next, and when one is given up. No clock, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ingestor.backoff import Backoff
from ingestor.idset import Span
from quant.domain.market import Market

# A hole this young may still be a reordering, and the exchange's own REST may lag behind its stream.
SETTLE = 0.5
# After so many answers without an id, over so many seconds, the exchange does not have it.
ABSENT_TRIES, ABSENT_SECONDS = 5, 60.0


class HealPlan:
    """One job per market at a time; pauses per market after a failure. Times in seconds."""

    def __init__(self, *, settle: float = SETTLE, absent_seconds: float = ABSENT_SECONDS) -> None:
        self._settle, self._absent_seconds = settle, absent_seconds
        self._seen: dict[tuple[Market, int], float] = {}
        self._absent: dict[tuple[Market, int], tuple[int, float]] = {}
        self._not_before: dict[Market, float] = {}
        self._backoffs: dict[Market, Backoff] = {}
        self._busy: set[Market] = set()

    def due(self, now: float, holes: Mapping[Market, Iterable[Span]]) -> list[tuple[Market, Span]]:
        """The oldest hole of each market that may be asked for now; those markets are busy until told otherwise."""
        jobs = []
        current = {(market, span[0]): span for market, spans in holes.items() for span in spans}
        self._seen = {key: self._seen.get(key, now) for key in current}
        self._absent = {key: value for key, value in self._absent.items() if key in current}
        for key, span in current.items():
            market = key[0]
            if market in self._busy or now < self._not_before.get(market, 0) or now < self._seen[key] + self._settle:
                continue
            self._busy.add(market)
            jobs.append((market, span))
        return jobs

    def finished(self, market: Market) -> None:
        self._busy.discard(market)
        self._backoffs.pop(market, None)

    def failed(self, market: Market, now: float, least: float = 0.0) -> float:
        """The pause before this market is tried again."""
        backoff = self._backoffs.setdefault(market, Backoff(base=0.5, cap=30.0))
        pause = max(least, backoff.next())
        self._not_before[market] = now + pause
        self._busy.discard(market)
        return pause

    def absent(self, market: Market, first: int, now: float) -> bool:
        """The exchange answered without this id; whether that is final."""
        tries, since = self._absent.get((market, first), (0, now))
        self._absent[market, first] = (tries + 1, since)
        return tries + 1 >= ABSENT_TRIES and now - since >= self._absent_seconds
