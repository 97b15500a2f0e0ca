"""The check and its deliveries killed at every write and every send, and run again.

``python -m tests.functional.alerts.crash`` prints what came of each point, and how long the one window is open.

A *process* is the monitor and the courier on their own view of shared tables and shared receivers. It can be given a
point at which it dies: before or after one of its writes or sends. Nothing that it does later has any effect: what its
other threads were about to do is lost too.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import TypeVar

import msgspec

from check_alerts.delivery import Courier
from check_alerts.letters import Letters
from quant.domain.alert import AlertEvent, ChannelType, Delivery
from quant.domain.interval import SECOND
from quant.domain.notification import DELIVERED, DeadLetters, Message, Outcome, Result
from quant.storage.alerts import AlertTable
from quant.storage.rules import RuleTable
from quant.storage.table import ANY, Item, MemoryTable, Table, Write
from tests.functional.alerts.messages import links
from tests.functional.alerts.world import BTC, AlertWorld

TARGETS = {
    ChannelType.EMAIL: "trader@example.org",
    ChannelType.SNS: "arn:aws:sns:us-east-1:000000000000:alerts",
    ChannelType.TELEGRAM: "-1001234567890",
    ChannelType.WEBHOOK: "https://hooks.example.com/alerts",
}
CHANNELS = [{"type": str(kind), "target": target} for kind, target in TARGETS.items()]
REFUSED, LATER = Outcome(Result.REFUSED, "410"), Outcome(Result.RETRY, "503")
T = TypeVar("T")


class Killed(BaseException):
    """The process is dead."""


@dataclass(frozen=True, order=True)
class Point:
    """Before or after a step; ``channel`` is empty for the steps of the check."""

    step: str
    channel: str
    after: bool

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} {self.step}{' of ' + self.channel if self.channel else ''}"


@dataclass
class Process:
    """One run's life: until a point, or until so many boundaries of steps have been passed, or to its end.

    ``done`` are the steps that it has made, with the moment at which each began and ended.
    """

    death: Point | None = None
    boundaries_left: int = -1
    is_dead: bool = False
    done: list[tuple[str, str, float, float]] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def step(self, name: str, channel: str, work: Callable[[], T]) -> T:
        # One step at a time, so that what has been done when it dies is known exactly.
        with self._lock:
            self._die_at(Point(name, channel, False))
            began = time.perf_counter()
            result = work()
            self.done.append((name, channel, began, time.perf_counter()))
            self._die_at(Point(name, channel, True))
            return result

    def _die_at(self, point: Point) -> None:
        self.is_dead = self.is_dead or point == self.death or self.boundaries_left == 0
        self.boundaries_left -= 1
        if self.is_dead:
            raise Killed(str(point))

    @property
    def in_window(self) -> set[str]:
        """The channels that were in the window when it died: the receiver has it, and the outbox does not say so."""
        return self.accepted - {channel for name, channel, *_ in self.done if name == "settle"}


class WatchedTable:
    """A table each write of which is a step of a process."""

    def __init__(self, inner: Table, process: Process) -> None:
        self._inner, self._process = inner, process
        self.get, self.query = inner.get, inner.query

    def put(self, item: Item, *, expected: str = ANY) -> None:
        self._process.step("report", "", lambda: self._inner.put(item, expected=expected))

    def put_all(self, items: Sequence[Item]) -> None:
        self._process.step("another write", "", lambda: self._inner.put_all(items))

    def delete(self, pk: str, sk: str) -> None:
        self._process.step("another write", "", lambda: self._inner.delete(pk, sk))

    def transact(self, writes: Sequence[Write]) -> None:
        inner = [replace(one, table=_inner(one.table)) for one in writes]
        self._process.step(*self._named(writes), lambda: self._inner.transact(inner))

    def _named(self, writes: Sequence[Write]) -> tuple[str, str]:
        if any(one.item.pk == "state" for one in writes):
            return "commit", ""
        item = next(one.item for one in writes if one.item.sk.startswith("delivery#"))
        new, stored = _delivery(item), self._inner.get(item.pk, item.sk)
        assert stored is not None
        return ("lease" if new.attempts > _delivery(stored).attempts else "settle"), str(new.channel.type)


def _inner(table: Table) -> Table:
    assert isinstance(table, WatchedTable)
    return table._inner


def _delivery(item: Item) -> Delivery:
    return msgspec.json.decode(item.payload, type=Delivery)


@dataclass
class Receiver:
    """What one channel's receiver has got. ``refuses`` and ``fails`` say what it answers, the latter once."""

    got: list[Message] = field(default_factory=list)
    refuses: bool = False
    fails: bool = False

    def take(self, message: Message) -> Outcome:
        if self.refuses:
            return REFUSED
        if self.fails:
            self.fails = False
            return LATER
        self.got.append(message)
        return DELIVERED


@dataclass(frozen=True)
class WatchedSender:
    process: Process
    receiver: Receiver

    def send(self, message: Message) -> Outcome:
        channel = str(message.channel.type)
        return self.process.step("send", channel, lambda: self._hand_over(message, channel))

    def _hand_over(self, message: Message, channel: str) -> Outcome:
        outcome = self.receiver.take(message)
        if outcome == DELIVERED:
            self.process.accepted.add(channel)
        return outcome


@dataclass(frozen=True)
class WatchedQueue:
    process: Process
    letters: list[str]

    def put(self, delivery: Delivery, event: AlertEvent | None) -> None:
        self.process.step("dead letter", str(delivery.channel.type), lambda: self.letters.append(delivery.id))


# Holds nothing of a run, and compiles its templates when it is first asked.
LETTERS = Letters(links)


class Stage:
    """A market on which one rule fires once, to four channels."""

    def __init__(self, *, refuses: str = "", fails: str = "") -> None:
        self.world = AlertWorld()
        self.tables: tuple[Table, Table] = (MemoryTable(), MemoryTable())
        self.receivers = {kind: Receiver(refuses=kind == refuses, fails=kind == fails) for kind in ChannelType}
        self.dead_letters: list[str] = []
        self.alerts = AlertTable(*self.tables, self.clock)
        rules = RuleTable(self.tables[0], self.clock)
        self.world.storage = replace(self.world.storage, rules=rules, alerts=self.alerts)
        self.world.follow(BTC)
        self.world.rule(channels=CHANNELS)
        self.world.trade(BTC, [100.0] * 10 + [120.0] * 50)
        self.world.at(62)

    def clock(self) -> int:
        return self.world.now

    def run(self, process: Process) -> None:
        """One run of the function: the check, then the outbox."""
        watched = [WatchedTable(table, process) for table in self.tables]
        alerts = AlertTable(*watched, self.clock)
        senders = {kind: WatchedSender(process, receiver) for kind, receiver in self.receivers.items()}
        queue: DeadLetters = WatchedQueue(process, self.dead_letters)
        courier = Courier(alerts, LETTERS, lambda: senders, lambda: queue, self.clock)
        try:
            self.world.new_monitor(alerts=alerts).check(self.world.now)
            courier.deliver_due()
        except Killed:
            process.is_dead = True

    def run_at_once(self, *processes: Process) -> None:
        threads = [threading.Thread(target=self.run, args=(process,)) for process in processes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def until_nothing_is_left(self, together: int = 1) -> None:
        """Run once a minute, ``together`` at once, until the outbox is empty."""
        for _ in range(12):
            self.world.now += 60 * SECOND
            self.world.beat()
            self.run_at_once(*(Process() for _ in range(together)))
            if not self.alerts.due(self.world.now + 86_400 * SECOND, 1):
                return
        raise AssertionError("the outbox is not empty after 12 minutes")

    def copies(self) -> dict[str, Counter[str]]:
        """By channel, how often each id was received."""
        return {str(kind): Counter(one.id for one in receiver.got) for kind, receiver in self.receivers.items()}


SCENARIOS = ("delivered", "refused", "put off", "second attempt")
MODES = ("again", "twice at once", "beside")


def staged(scenario: str, channel: str) -> Stage:
    """``delivered``: all goes well. ``refused``: this channel never takes it. ``put off``: it does the second time;
    ``second attempt``: and the first time is over."""
    if scenario == "refused":
        return Stage(refuses=channel)
    stage = Stage(fails="" if scenario == "delivered" else channel)
    if scenario == "second attempt":
        stage.run(Process())
        stage.world.now += 60 * SECOND
        stage.world.beat()
    return stage


def points_of(scenario: str, channel: str) -> list[Point]:
    """Every point of a run that concerns the check or this channel, but for those that ``delivered`` has as well."""
    process = Process()
    staged(scenario, channel).run(process)
    steps = dict.fromkeys((name, of) for name, of, *_ in process.done if of in ("", channel))
    known = {"refused": ("commit", "report", "lease", "send"), "put off": ("commit", "report", "lease")}
    new = [step for step in steps if step[0] not in known.get(scenario, ())]
    return [Point(*step, after) for step in new for after in (False, True)]


def cases() -> Iterator[tuple[str, str, Point]]:
    for channel in (str(kind) for kind in ChannelType):
        for scenario in SCENARIOS:
            for point in points_of(scenario, channel):
                yield scenario, channel, point


@dataclass(frozen=True)
class Verdict:
    """What came of one case.

    Attributes:
        logical: by channel, how many different ids its receiver has.
        repeats: by channel, how many messages came more than once.
        window: the channels that were in the window when the process died.
        died: whether it did: beside a faster one it may find nothing to do.
        dead_letters: how many different ones were laid down.
    """

    logical: dict[str, int]
    repeats: dict[str, int]
    window: set[str]
    died: bool
    dead_letters: int


def play(scenario: str, channel: str, point: Point, mode: str) -> Verdict:
    """Kill a run at ``point``; then run ``again``, ``twice at once``, or have had another run ``beside`` it."""
    stage, process = staged(scenario, channel), Process(death=point)
    stage.run_at_once(process, *([Process()] if mode == "beside" else []))
    stage.until_nothing_is_left(2 if mode == "twice at once" else 1)
    copies = stage.copies()
    return Verdict(
        {name: len(ids) for name, ids in copies.items()},
        {name: sum(ids.values()) - len(ids) for name, ids in copies.items()},
        process.in_window,
        process.is_dead,
        len(set(stage.dead_letters)),
    )


def window_seconds(runs: int = 50) -> float:
    """How long the window is open on tables in memory, at the median: from a receiver's answer to the record of it."""
    spans = []
    for _ in range(runs):
        process = Process()
        Stage().run(process)
        sent = {channel: end for name, channel, _, end in process.done if name == "send"}
        spans += [end - sent[channel] for name, channel, _, end in process.done if name == "settle"]
    return median(spans)


def main() -> None:
    every, totals = list(cases()), Counter[str]()
    for mode in MODES:
        for scenario, channel, point in every:
            verdict = play(scenario, channel, point, mode)
            ids, repeats = sum(verdict.logical.values()), sum(verdict.repeats.values())
            inside = sum(verdict.repeats[one] for one in verdict.window)
            totals.update(runs=1, died=verdict.died, notifications=ids, repeats=repeats)
            totals.update(in_window=len(verdict.window), repeats_outside=repeats - inside)
            if mode == "again":
                told = f"{repeats} repeated" if repeats else ""
                print(f"{scenario:15} {channel:9} killed {point!s:32} {ids} notifications {told}")
    print(f"points by channel: {dict(Counter(channel for _, channel, _ in every))}")
    print(f"{', '.join(MODES)}: {dict(totals)}")
    print(f"the window is open for {1e6 * window_seconds():.0f} µs on tables in memory (median)")


if __name__ == "__main__":
    main()
