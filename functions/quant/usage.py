"""What each part of the platform asks of DynamoDB and of the processor, counted on the code itself.

tests/unit/costs plays an hour of the reference load through metered tables and holds these figures to it. Requests and
units are per run, and once more per market; processor time is that of the machine that measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

KB = 1024

ITEM_OVERHEAD = 123
"""Bytes of a chunk's item beside its payload: keys, attribute names, numbers."""
INDEX_OVERHEAD = 100
"""Bytes that DynamoDB adds to every stored item."""
LAMBDA_SLOWER = 2.0
"""A whole vCPU of Lambda on arm takes this many times as long as one core of the machine that measured; assumed."""
ROUND_TRIP = 0.005
"""Seconds that a request waits for DynamoDB in its region; assumed."""
REQUEST_CPU = 0.0015
"""Seconds of PynamoDB's work for a request, measured against the emulator."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a run asks for: once, and once more per market.

    Attributes:
        memory: of the function, MB.
        cpu: seconds on the machine that measured, DynamoDB's client apart.
    """

    memory: int
    requests: float
    reads: float
    writes: float
    cpu: float
    requests_each: float = 0.0
    reads_each: float = 0.0
    writes_each: float = 0.0
    cpu_each: float = 0.0

    def for_markets(self, markets: int) -> Work:
        return replace(
            self,
            requests=self.requests + markets * self.requests_each,
            reads=self.reads + markets * self.reads_each,
            writes=self.writes + markets * self.writes_each,
            cpu=self.cpu + markets * self.cpu_each,
        )

    @property
    def seconds(self) -> float:
        """A function gets a whole vCPU at 1,769 MB and a share of it below."""
        busy = (self.cpu + self.requests * REQUEST_CPU) * LAMBDA_SLOWER / min(self.memory / 1769, 1.0)
        return busy + self.requests * ROUND_TRIP

    @property
    def gb_seconds(self) -> float:
        return self.seconds * self.memory / 1024


RESAMPLE = Work(1024, 6, 6, 0, 0.002, 10.3, 6.8, 5.2, 0.003)
"""Each minute; to the reads of a market come its chunks, see CHUNKS_READ."""
CHUNKS_READ = 1.8
"""How many minutes of chunks a run reads: what is open yet, and the minute before."""
ANALYSE = Work(1769, 7, 2, 2, 0.003, 1.1, 4.6, 0.5, 0.0015)
"""Each minute; the scan of every fifth is spread over all."""
CHECK = Work(1024, 10, 6, 1, 0.01, 3, 5.1, 0, 0.001)
"""Each minute. To it come the rules and their states, RULE_BYTES of each, and the report, which names what they look
at: REPORT_BYTES."""
RULE_BYTES = 400
REPORT_BYTES = 52
OHLC = Work(512, 5.5, 6.5, 0, 0.0015)
HEALTH = Work(512, 8, 7.6, 0, 0.0005, 0, 0.02)
SYMBOLS = Work(512, 3, 3, 0, 0.001, 0, 0.1, 0, 0.0001)
"""The day's figures are the analyst's: one read for all symbols together."""
SYMBOLS_EVERY, HEALTH_EVERY = 30, 10
"""Seconds between two questions of a dashboard for all symbols, and for health; bars are asked for at each refresh."""
HEARTBEAT = (500, 65)
"""Bytes of a heartbeat, compressed: of the item, and of each market in it."""
BAR_ITEM = {"1s": 1_900, "1m": 2_250, "5m": 9_500}
"""Stored bytes of a full item of bars, DynamoDB's own included."""

LOGGED = {"run": 700, "request": 700, "heartbeat": 850}
"""Bytes in the log: our line, and the lines that Lambda writes of each call, about 300."""
