"""Answers that many ask for at once are computed once: for a moment a process gives the same one again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field

from quant.http.answers import Answer

MOST_BYTES = 16_000_000


@dataclass(slots=True)
class BriefAnswers:
    """Successful answers by what was asked.

    Attributes:
        kept_for: ms; less than passes between two flushes, so that nobody notices. 0 keeps nothing.
        most_bytes: of all bodies together; the oldest go first.
    """

    kept_for: int = 0
    most_bytes: int = MOST_BYTES
    _answers: OrderedDict[Hashable, tuple[int, Answer]] = field(default_factory=OrderedDict)
    _bytes: int = 0

    def get(self, asked: Hashable, now: int) -> Answer | None:
        found = self._answers.get(asked)
        return found[1] if found and 0 <= now - found[0] < self.kept_for else None

    def keep(self, asked: Hashable, answer: Answer, now: int) -> None:
        if not self.kept_for or answer.status != 200:
            return
        self._forget(asked)
        self._answers[asked] = (now, answer)
        self._bytes += len(answer.body)
        while self._bytes > self.most_bytes or self._is_old(now):
            self._forget(next(iter(self._answers)))

    def _is_old(self, now: int) -> bool:
        return bool(self._answers) and not 0 <= now - next(iter(self._answers.values()))[0] < self.kept_for

    def _forget(self, asked: Hashable) -> None:
        found = self._answers.pop(asked, None)
        self._bytes -= len(found[1].body) if found else 0
