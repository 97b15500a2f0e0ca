"""Which symbols are whose, where ingestors share them out among themselves (``SHARD=auto``): pure.

Every ingestor reads the heartbeats of all. A symbol belongs to the one whose hash with it is the highest, so one more
ingestor takes its part from each of the others, and one less gives its part to all of them. What an ingestor follows
it gives up only once the owner has heard a trade of it. Whoever gives up does so to a higher hash than its own: so two
never give up to each other, whatever either has read last, and somebody always goes on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from hashlib import blake2b

from quant.domain.market import Market
from quant.domain.ports import Heartbeat

AUTO = "auto"
LEAVING = "leaving"
"""The instance of a heartbeat by which an ingestor says that it ends: it owns nothing any more."""
GONE_AFTER = 30_000
"""Three heartbeats in ms: who has been silent for as long is taken for dead."""


def share(
    markets: Iterable[Market], me: str, followed: Collection[Market], beats: Iterable[Heartbeat], now: int
) -> frozenset[Market]:
    """What ``me`` has to follow from now on.

    Args:
        me: this ingestor's name, which its heartbeats carry as their shard.
        followed: what it follows at the moment.
        beats: of all ingestors, by their time.
    """
    hears = heard_by_others(me, beats, now)
    owners = {market: max([me, *hears], key=lambda name: _weight(name, market)) for market in markets}
    return frozenset(
        market for market, owner in owners.items() if owner == me or (market in followed and market not in hears[owner])
    )


def heard_by_others(me: str, beats: Iterable[Heartbeat], now: int) -> dict[str, frozenset[Market]]:
    """The other members, and of which symbols each has heard a trade."""
    known = list(beats)
    leaving = {beat.shard for beat in known if beat.instance == LEAVING}
    return {beat.shard: _heard(beat) for beat in known if is_member(beat, now) and beat.shard not in leaving | {me}}


def is_member(beat: Heartbeat, now: int) -> bool:
    """Whether the ingestor shares out by itself, and lives."""
    return beat.shard.startswith(f"{AUTO}-") and beat.time > now - GONE_AFTER


def _heard(beat: Heartbeat) -> frozenset[Market]:
    """A connection that is open proves nothing: it is the trade that does."""
    return frozenset(pulse.market for pulse in beat.pulses if pulse.counters.get("trades", 0))


def _weight(name: str, market: Market) -> bytes:
    return blake2b(f"{name} {market}".encode(), digest_size=8).digest()
