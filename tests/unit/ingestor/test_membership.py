"""Symbols that ingestors share out among themselves: while they come, go and read late, nobody drops one."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ingestor.membership import GONE_AFTER, LEAVING, share
from quant.domain.market import Market
from quant.domain.ports import Heartbeat, MarketPulse

MARKETS = tuple(Market("binance", f"S{number}USDT") for number in range(12))
SECOND, NOW = 1_000, 1_795_341_600_000


def beat(name: str, followed: frozenset[Market], now: int, *, trades: int = 1) -> Heartbeat:
    pulses = tuple(MarketPulse(one, 0, 0, 0, 0, 0, counters={"trades": trades}) for one in followed)
    return Heartbeat(name, "one", now, "live", pulses)


def test_alone_it_follows_all() -> None:
    assert share(MARKETS, "auto-a", (), (), NOW) == frozenset(MARKETS)


def test_a_fixed_shard_is_no_member() -> None:
    assert share(MARKETS, "auto-a", (), [beat("1/2", frozenset(MARKETS), NOW)], NOW) == frozenset(MARKETS)


@given(st.sets(st.integers(0, 99), min_size=1, max_size=6))
def test_settled_each_symbol_is_followed_once(numbers: set[int]) -> None:
    names = [f"auto-{number}" for number in numbers]
    beats = [beat(name, frozenset(MARKETS), NOW) for name in names]
    shares = [share(MARKETS, name, (), beats, NOW) for name in names]
    assert sorted(map(str, MARKETS)) == sorted(str(market) for one in shares for market in one)


def test_one_more_takes_from_each_and_moves_nothing_else() -> None:
    beats = [beat(f"auto-{number}", frozenset(MARKETS), NOW) for number in range(4)]
    before = {number: share(MARKETS, f"auto-{number}", (), beats[:3], NOW) for number in range(3)}
    after = {number: share(MARKETS, f"auto-{number}", (), beats, NOW) for number in range(4)}
    assert all(after[number] <= before[number] for number in range(3))
    assert frozenset().union(*(before[number] - after[number] for number in range(3))) == after[3]


def test_nothing_is_given_up_to_one_that_has_heard_no_trade() -> None:
    """It is there, and says that it follows all, but its connections are silent."""
    followed = frozenset(MARKETS)
    silent = beat("auto-b", followed, NOW, trades=0)
    assert share(MARKETS, "auto-a", followed, [silent], NOW) == followed
    assert share(MARKETS, "auto-a", followed, [beat("auto-b", followed, NOW)], NOW) < followed


def test_the_dead_ones_part_is_taken_over() -> None:
    other = beat("auto-b", frozenset(MARKETS), NOW)
    mine = share(MARKETS, "auto-a", (), [other], NOW)
    assert mine < frozenset(MARKETS)
    assert share(MARKETS, "auto-a", mine, [other], NOW + GONE_AFTER) == frozenset(MARKETS)


def test_one_that_leaves_owns_nothing_although_it_still_tells() -> None:
    other = beat("auto-b", frozenset(MARKETS), NOW)
    leaving = Heartbeat("auto-b", LEAVING, NOW - 1, "live", ())
    assert share(MARKETS, "auto-a", (), [leaving, other], NOW) == frozenset(MARKETS)


@dataclass
class Member:
    """An ingestor. ``read`` is what it has read of the others, however long ago; what it follows it hears later."""

    name: str
    read: list[Heartbeat] = field(default_factory=list)
    followed: frozenset[Market] = frozenset()
    heard: frozenset[Market] = frozenset()


class Sharing(RuleBasedStateMachine):
    """Members join, read, act on what they have read, hear and say what they hear, in any order; some die."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.count = NOW, 0
        self.members: list[Member] = []
        self.stored: dict[str, Heartbeat] = {}
        self.has_died = False
        self.join()
        self.hear(0)

    @rule()
    def join(self) -> None:
        if len(self.members) < 5:
            self.count += 1
            member = Member(f"auto-{self.count}")
            self.members.append(member)
            self.read(len(self.members) - 1)
            self.act(len(self.members) - 1)

    @rule(which=st.integers(0, 9))
    def read(self, which: int) -> None:
        self._of(which).read = sorted(self.stored.values(), key=lambda one: one.time)

    @rule(which=st.integers(0, 9))
    def act(self, which: int) -> None:
        member = self._of(which)
        member.followed = share(MARKETS, member.name, member.followed, member.read, self.now)
        member.heard &= member.followed

    @rule(which=st.integers(0, 9))
    def hear(self, which: int) -> None:
        self._of(which).heard = self._of(which).followed

    @rule(which=st.integers(0, 9))
    def tell(self, which: int) -> None:
        member = self._of(which)
        self.stored[member.name] = beat(member.name, member.heard, self.now)

    @rule(seconds=st.integers(1, 9))
    def wait(self, seconds: int) -> None:
        self.now += seconds * SECOND

    @precondition(lambda self: len(self.members) > 1)
    @rule(which=st.integers(0, 9))
    def die(self, which: int) -> None:
        self.members.remove(self._of(which))
        self.has_died = True

    @rule()
    def settle(self) -> None:
        """Time enough for the dead to be missed, and two rounds in which all tell, read, act and hear."""
        self.now += GONE_AFTER
        for _ in range(2):
            for step in (self.tell, self.read, self.act, self.hear):
                for which in range(len(self.members)):
                    step(which)
        self.has_died = False
        followers = [market for member in self.members for market in member.followed]
        assert sorted(map(str, followers)) == sorted(map(str, MARKETS)), "each by one, and each"

    @invariant()
    def nobody_drops_a_symbol(self) -> None:
        """But for what a member that died took with it, until it is missed."""
        if not self.has_died:
            assert frozenset().union(*(member.heard for member in self.members)) == frozenset(MARKETS)

    def _of(self, which: int) -> Member:
        return self.members[which % len(self.members)]


TestSharing = Sharing.TestCase
TestSharing.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
