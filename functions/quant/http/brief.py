"""Answers that many ask for at once are computed once: for a moment a process gives the same one again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field

from quant.http.answers import Answer

MOST_BYTES = 16_000_000
LONGEST = 5_000


@dataclass(slots=True)
class BriefAnswers:
    """Successful answers by what was asked.

    Attributes:
        kept_for: ms; less than passes between two flushes, so that nobody notices. 0 keeps nothing. What took longer to
            make is kept for as long as that took, up to ``LONGEST``: where storage is slow, at most half of the time
            goes into asking it.
        most_bytes: of all bodies together; the oldest go first.
    """

    kept_for: int = 0
    most_bytes: int = MOST_BYTES
    _answers: OrderedDict[Hashable, tuple[int, int, Answer]] = field(default_factory=OrderedDict)
    _bytes: int = 0

    def get(self, asked: Hashable, now: int) -> Answer | None:
        found = self._answers.get(asked)
        return found[2] if found and found[0] <= now < found[1] else None

    def keep(self, asked: Hashable, answer: Answer, began: int, now: int) -> None:
        """Keep what was made between ``began`` and ``now``."""
        if not self.kept_for or answer.status != 200:
            return
        self._forget(asked)
        self._answers[asked] = (now, now + max(self.kept_for, min(now - began, LONGEST)), answer)
        self._bytes += len(answer.body)
        while self._bytes > self.most_bytes or self._is_old(now):
            self._forget(next(iter(self._answers)))

    def _is_old(self, now: int) -> bool:
        made, until, _ = next(iter(self._answers.values()), (now, now + 1, None))
        return not made <= now < until

    def _forget(self, asked: Hashable) -> None:
        found = self._answers.pop(asked, None)
        self._bytes -= len(found[2].body) if found else 0
