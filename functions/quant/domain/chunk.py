"""A chunk: the packed trades of one market and one minute, under a key that its content alone decides."""

from __future__ import annotations

from dataclasses import dataclass

from quant.domain.interval import HOUR, floor
from quant.domain.market import Market

# A chunk spans no more ids than this: an item stays far below DynamoDB's 400 KB, and whoever looks for an id knows how
# far back the chunk that holds it can begin.
MAX_CHUNK_TRADES = 10_000


@dataclass(frozen=True, slots=True)
class Chunk:
    """Packed trades. All lie in one minute, so that a chunk never straddles a bar that is stored on its own.

    Attributes:
        first_id, last_id: ids of the first and the last trade.
        first_time, last_time: least and greatest trade time, ms.
        count: trades inside.
        digest: 16 hex digits of the payload's hash.
        payload: see quant.storage.codec.
    """

    market: Market
    first_id: int
    last_id: int
    first_time: int
    last_time: int
    count: int
    digest: str
    payload: bytes

    @property
    def hour(self) -> int:
        return floor(self.first_time, HOUR)

    @property
    def key(self) -> str:
        """The chunk as errors and logs name it."""
        return f"{self.market.key}/{self.first_id}-{self.last_id}-{self.digest}"
