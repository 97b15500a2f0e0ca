"""What the analyse function has published, decoded once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from quant.domain.interval import SECOND
from quant.domain.results import ResultRepository

# Results change once a minute; asking for the pointer more often than this tells nothing new.
_ASKED_EVERY = 2 * SECOND


@dataclass(slots=True)
class Results:
    """The latest results by name; shared by all routes of a process."""

    repository: ResultRepository
    _decoded: dict[str, tuple[int, str, dict[str, Any] | None]] = field(default_factory=dict)

    def latest(self, name: str, now: int) -> dict[str, Any] | None:
        """The latest result, or None where there is none of the last day."""
        asked_at, run_id, kept = self._decoded.get(name, (None, "", None))
        if asked_at is not None and 0 <= now - asked_at < _ASKED_EVERY:
            return kept
        result = self.repository.latest(name)
        if result is None:
            run_id, kept = "", None
        elif kept is None or run_id != result.run_id:
            run_id, kept = result.run_id, msgspec.json.decode(result.body)
        self._decoded[name] = (now, run_id, kept)
        return kept
