"""The request weight that an address has used, minute by minute, and what going over it costs."""

from __future__ import annotations

from dataclasses import dataclass, field

_MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a request: the weight used so far, and how long to stay away (ms) where it is refused."""

    used: int
    status: int = 200
    wait: int = 0


@dataclass(slots=True)
class _Address:
    minute: int = 0
    used: int = 0
    refused: int = 0
    banned_until: int = 0


@dataclass(slots=True)
class Weights:
    """429 over the limit; who goes on ``patience`` times is banned with 418."""

    limit: int = 6_000
    patience: int = 10
    ban: int = 2 * _MINUTE
    _addresses: dict[str, _Address] = field(default_factory=dict)

    def charge(self, address: str, weight: int, now: int) -> Verdict:
        """Count a request of ``address`` at ``now`` (ms)."""
        account = self._addresses.setdefault(address, _Address())
        if now < account.banned_until:
            return Verdict(account.used, 418, account.banned_until - now)
        if now // _MINUTE != account.minute:
            account.minute, account.used, account.refused = now // _MINUTE, 0, 0
        account.used += weight
        if account.used <= self.limit:
            return Verdict(account.used)
        account.refused += 1
        if account.refused > self.patience:
            account.banned_until = now + self.ban
            return Verdict(account.used, 418, self.ban)
        return Verdict(account.used, 429, _MINUTE - now % _MINUTE)
