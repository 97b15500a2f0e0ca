"""What goes wrong when: a pure function of seed, number of faults and symbols."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from infra.local.exchange.faults import (
    Close,
    Duplicate,
    Fault,
    HalfOpen,
    Halt,
    Inject,
    RefuseConnections,
    RefuseUpgrade,
    Reorder,
    RestStatus,
    Shutdown,
    Skip,
    SlowRest,
    Stall,
    TruncatedPages,
)
from infra.local.exchange.garbage import KINDS as GARBAGE
from tests.chaos.faulty_storage import StorageFault

PER_SECOND = 2.0
FAULTS_PER_KILL = 30


@dataclass(frozen=True, slots=True)
class Kill:
    """``kill -9``; the process is started again ``pause`` seconds later."""

    pause: float


@dataclass(frozen=True, slots=True)
class Planned:
    """``lasts`` is how long the fault itself goes on once it has struck, seconds."""

    at: float
    name: str
    what: Fault | StorageFault | Kill
    lasts: float

    @property
    def strikes(self) -> int:
        """How often it strikes before it is over."""
        return getattr(self.what, "times", 1)

    @property
    def cuts(self) -> bool:
        """Whether it costs a connection: it is not over before there is another one."""
        return isinstance(self.what, Close | HalfOpen | Shutdown | RefuseConnections | RefuseUpgrade | Kill)


Any_ = Fault | StorageFault | Kill
Maker = Callable[[Random, str], tuple[Any_, float]]


def _moment(make: Callable[[Random, str], Any_]) -> Maker:
    return lambda rng, symbol: (make(rng, symbol), 0.0)


def _lasting(low: float, high: float, make: Callable[[float, str], Any_]) -> Maker:
    def draw(rng: Random, symbol: str) -> tuple[Any_, float]:
        seconds = round(rng.uniform(low, high), 2)
        return make(seconds, symbol), seconds

    return draw


def _close(code: int) -> Maker:
    return _moment(lambda rng, symbol: Close(code=code, symbol=symbol))


def _close_at_any_byte(code: int) -> Maker:
    # A connection of four symbols has sent so much well before the half second is over.
    return lambda rng, symbol: (Close(code=code, after_bytes=rng.randrange(1, 1_000), symbol=symbol), 0.5)


def _garbage(kind: str) -> Maker:
    return _moment(lambda rng, symbol: Inject(what=kind, symbol=symbol))


def _status(code: int) -> Maker:
    return _moment(lambda rng, symbol: RestStatus(status=code, retry_after=rng.randrange(1, 3), path="rades"))


KINDS: Mapping[str, Maker] = {
    **{f"close {code}": _close(code) for code in (1001, 1006, 1011)},
    **{f"close {code} at any byte": _close_at_any_byte(code) for code in (1001, 1006, 1011)},
    "half-open": _moment(lambda rng, symbol: HalfOpen(symbol=symbol)),
    "stall": _lasting(0.3, 3.0, lambda seconds, symbol: Stall(duration=seconds, symbol=symbol)),
    "serverShutdown": _lasting(0.3, 3.0, lambda seconds, symbol: Shutdown(notice=seconds, symbol=symbol)),
    "refused upgrade": _moment(lambda rng, symbol: RefuseUpgrade(status=rng.choice([500, 503]))),
    "refused connections": _lasting(0.3, 3.0, lambda seconds, symbol: RefuseConnections(duration=seconds, cut=True)),
    "duplicate": _moment(lambda rng, symbol: Duplicate(times=rng.randrange(1, 20), symbol=symbol)),
    "reorder": _moment(lambda rng, symbol: Reorder(times=rng.randrange(1, 10), symbol=symbol)),
    "skip ids": _moment(lambda rng, symbol: Skip(times=rng.randrange(1, 30), symbol=symbol)),
    "halt": _lasting(0.5, 4.0, lambda seconds, symbol: Halt(seconds=seconds, symbol=symbol)),
    **{f"frame: {kind.replace('_', ' ')}": _garbage(kind) for kind in sorted(GARBAGE)},
    "slow REST": _lasting(0.2, 2.0, lambda seconds, symbol: SlowRest(delay=seconds)),
    "REST: time-out": _lasting(10.5, 11.5, lambda seconds, symbol: SlowRest(delay=seconds)),
    "REST 429": _status(429),
    "REST 418": _status(418),
    "REST 500": _status(500),
    "REST 503": _status(503),
    "truncated pages": _moment(lambda rng, symbol: TruncatedPages(rows=rng.randrange(1, 10))),
    "storage throttles": _moment(lambda rng, symbol: StorageFault(kind="throttle", times=rng.randrange(1, 5))),
    "storage: answer lost": _lasting(0.0, 1.0, lambda lasts, symbol: StorageFault(kind="answer_lost", seconds=lasts)),
    "storage: time-out": _lasting(11.0, 11.5, lambda lasts, symbol: StorageFault(kind="answer_lost", seconds=lasts)),
    "storage: unprocessed": _moment(lambda rng, symbol: StorageFault(kind="unprocessed", times=rng.randrange(1, 5))),
    "storage outage": _lasting(0.5, 5.0, lambda seconds, symbol: StorageFault(kind="outage", seconds=seconds)),
}  # fmt: skip
KILL = "kill -9"


def schedule(faults: int, seed: int, symbols: Sequence[str]) -> list[Planned]:
    """``faults`` of all kinds, in equal shares and shuffled; every thirtieth is a kill, and there are two at least."""
    rng = Random(seed)
    kills = max(2, -(-faults // FAULTS_PER_KILL))
    names = list(KINDS)
    chosen = [names[number % len(names)] for number in range(faults - kills)] + [KILL] * kills
    rng.shuffle(chosen)
    planned = []
    for number, name in enumerate(chosen):
        at = (number + rng.random()) / PER_SECOND
        if name == KILL:
            pause = round(rng.uniform(0.0, 3.0), 2)
            planned.append(Planned(at, name, Kill(pause), pause))
        else:
            planned.append(Planned(at, name, *KINDS[name](rng, rng.choice(list(symbols)))))
    return planned
