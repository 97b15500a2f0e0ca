"""alert_history, and the states beside the rules: what happened, and what is still to be sent.

An event is stored under its id, which is what makes it happen once; and under its month and its rule, by the time at
which it was found. A delivery lies beside its event; while it is in the outbox an entry there says when it is due.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import islice

import msgspec

from quant.domain.alert import AlertEvent, CheckReport, Delivery, DeliveryStatus, RuleState, Transition
from quant.domain.interval import DAY, SECOND
from quant.domain.ports import Clock
from quant.errors import ConflictError
from quant.storage.compact import encode
from quant.storage.rules import RULE, STATE
from quant.storage.table import ABSENT, HIGHEST, MOST_WRITES, PRESENT, Action, Item, Table, Write

HISTORY_KEPT_FOR = 365 * DAY
_OUTBOX, _MONITOR, _LAST = "outbox", "monitor", "last"
_EVENT, _DELIVERY = "event", "delivery#"
_WAITING = (DeliveryStatus.PENDING, DeliveryStatus.RETRYING)
_ATTEMPTS = 10
_NOTHING = Transition(RuleState(""))
_states, _events = msgspec.json.Decoder(RuleState), msgspec.json.Decoder(AlertEvent)
_deliveries, _reports = msgspec.json.Decoder(Delivery), msgspec.json.Decoder(CheckReport)


class AlertTable:
    """quant.domain.alert.AlertRepository on two tables."""

    def __init__(self, rules: Table, history: Table, clock: Clock) -> None:
        self._rules, self._history, self._clock = rules, history, clock

    def states(self) -> dict[str, RuleState]:
        return {state.rule_id: state for state in (_state(item) for item in self._rules.query(STATE))}

    def state(self, rule_id: str) -> RuleState | None:
        item = self._rules.get(STATE, rule_id)
        return None if item is None else _state(item)

    def commit(self, transition: Transition) -> None:
        try:
            self._write(transition)
        except ConflictError:
            left = self._left_of(transition)
            if left is None:
                raise
            self._write(left)

    def _write(self, transition: Transition) -> None:
        """One transaction; where it would be too large, the events that fit no more go before it, on its condition."""
        state, table = transition.state, self._rules
        known = Item(STATE, state.rule_id, encode(state), etag=str(state.sequence), last_time=state.evaluated_until)
        before = ABSENT if state.sequence <= 1 else str(state.sequence - 1)
        rule = Write(table, Item(RULE, state.rule_id), PRESENT, Action.CHECK)
        parts = self._parts(transition)
        if not state.sequence:
            for part in parts:
                self._history.transact(part)
            return
        for part in parts[:-1]:
            self._history.transact([rule, Write(table, known, before, Action.CHECK), *part])
        table.transact([rule, Write(table, known, before), *(parts[-1] if parts else ())])

    def _parts(self, transition: Transition) -> list[list[Write]]:
        """What each event and its deliveries need, as many events together as a transaction takes."""
        parts: list[list[Write]] = []
        for event in transition.events:
            writes = self._writes(event, [one for one in transition.deliveries if one.event_id == event.id])
            if not parts or len(parts[-1]) + len(writes) > MOST_WRITES - 2:
                parts.append([])
            parts[-1] += writes
        return parts

    def _writes(self, event: AlertEvent, deliveries: Sequence[Delivery]) -> list[Write]:
        payload, ttl, sk = encode(event), (event.recorded_at + HISTORY_KEPT_FOR) // SECOND, self.position(event)
        keys = ((event.id, _EVENT), (_month(event.recorded_at), sk), (_of_rule(event.rule_id), sk))
        items = [Item(*key, payload, last_time=event.recorded_at, ttl=ttl) for key in keys]
        writes = [Write(self._history, items[0], ABSENT), *(Write(self._history, item) for item in items[1:])]
        for delivery in {_delivery_key(one): one for one in deliveries}.values():
            writes += [Write(self._history, self._item(delivery), ABSENT), *self._entry(delivery, Action.PUT)]
        return writes

    def _left_of(self, refused: Transition) -> Transition | None:
        """What of a refused transition is still to be written: nothing of one that was written before, whole.

        None where it may not be written, since somebody else was faster.
        """
        state, events = refused.state, refused.events
        known = {one.id: self._history.get(one.id, _EVENT) for one in events}
        is_repeat = all((item := known[one.id]) is not None and item.payload == encode(one) for one in events)
        new = tuple(one for one in events if known[one.id] is None)
        stored = self._rules.get(STATE, state.rule_id)
        sequence = 0 if stored is None else int(stored.etag)
        if not state.sequence:
            return replace(refused, events=new) if is_repeat or new else None
        if sequence < state.sequence:
            # An event that is known already is left out, so that it never holds up its rule.
            is_open = sequence == state.sequence - 1 and len(new) < len(events)
            return replace(refused, events=new) if is_open else None
        is_mine = bool(events) if sequence > state.sequence else stored is not None and stored.payload == encode(state)
        return _NOTHING if is_repeat and is_mine else None

    def events(
        self, start: int, end: int, *, rule_id: str = "", limit: int = 100, after: str = "", newest_first: bool = True
    ) -> tuple[AlertEvent, ...]:
        now = self._clock()
        start, end = max(start, now - HISTORY_KEPT_FOR), min(end, now + DAY)
        low, high = _iso(start), _iso(end - 1) + HIGHEST
        if after:
            low, high = (low, min(high, after)) if newest_first else (max(low, after), high)
        if start >= end or low > high:
            return ()
        partitions = [_of_rule(rule_id)] if rule_id else _months(start, end)
        found = (
            item
            for pk in (reversed(partitions) if newest_first else partitions)
            for item in self._history.query(pk, low, high, newest_first=newest_first, page=limit + 1)
            if item.sk != after
        )
        return tuple(_events.decode(item.payload) for item in islice(found, limit))

    def position(self, event: AlertEvent) -> str:
        return f"{_iso(event.recorded_at)}#{event.id}"

    def event(self, event_id: str) -> AlertEvent | None:
        item = self._history.get(event_id, _EVENT)
        return None if item is None else _events.decode(item.payload)

    def deliveries(self, event_id: str) -> tuple[Delivery, ...]:
        items = self._history.query(event_id, _DELIVERY, _DELIVERY + HIGHEST)
        return tuple(_deliveries.decode(item.payload) for item in items)

    def due(self, now: int, limit: int) -> tuple[Delivery, ...]:
        entries = self._history.query(_OUTBOX, "", _iso(now) + HIGHEST, limit=limit)
        return tuple(_deliveries.decode(item.payload) for item in entries)

    def lease(self, delivery: Delivery, until: int) -> Delivery | None:
        leased = replace(delivery, next_try=until, attempts=delivery.attempts + 1, sequence=delivery.sequence + 1)
        return leased if self._change(delivery, leased) else None

    def settle(self, delivery: Delivery) -> bool:
        stored = self._delivery(delivery)
        if stored is None or stored.sequence != delivery.sequence:
            return False
        return self._change(stored, replace(delivery, sequence=delivery.sequence + 1))

    def report(self) -> CheckReport | None:
        item = self._rules.get(_MONITOR, _LAST)
        return None if item is None else _reports.decode(item.payload)

    def put_report(self, report: CheckReport) -> None:
        item = Item(_MONITOR, _LAST, encode(report), etag=str(report.started_at), last_time=report.finished_at)
        for _ in range(_ATTEMPTS):
            stored = self._rules.get(_MONITOR, _LAST)
            if stored is not None and int(stored.etag) > report.started_at:
                return
            try:
                return self._rules.put(item, expected=stored.etag if stored else ABSENT)
            except ConflictError:
                continue
        raise ConflictError("keep the monitor's report", f"others changed it {_ATTEMPTS} times in a row")

    def _change(self, old: Delivery, new: Delivery) -> bool:
        """The delivery and its entry in the outbox change together, and only if nobody else has changed it."""
        writes = [Write(self._history, self._item(new), str(old.sequence))]
        moved = _entry_key(old) != _entry_key(new) or new.status not in _WAITING
        writes += self._entry(old, Action.DELETE) if moved else []
        writes += self._entry(new, Action.PUT)
        try:
            self._history.transact(writes)
        except ConflictError:
            return False
        return True

    def _item(self, delivery: Delivery) -> Item:
        ttl = (self._clock() + HISTORY_KEPT_FOR) // SECOND
        return Item(delivery.event_id, _delivery_key(delivery), encode(delivery), etag=str(delivery.sequence), ttl=ttl)

    def _entry(self, delivery: Delivery, action: Action) -> Iterator[Write]:
        if delivery.status in _WAITING:
            item = Item(_OUTBOX, _entry_key(delivery), encode(delivery), last_time=delivery.next_try)
            yield Write(self._history, item, action=action)

    def _delivery(self, delivery: Delivery) -> Delivery | None:
        item = self._history.get(delivery.event_id, _delivery_key(delivery))
        return None if item is None else _deliveries.decode(item.payload)


def _state(item: Item) -> RuleState:
    return _states.decode(item.payload)


def _delivery_key(delivery: Delivery) -> str:
    """A target may be longer than a key can be, or hold what keys are made of."""
    digest = blake2b(delivery.channel.target.encode(), digest_size=8).hexdigest()
    return f"{_DELIVERY}{delivery.channel.type}#{digest}"


def _entry_key(delivery: Delivery) -> str:
    return f"{_iso(delivery.next_try)}#{delivery.event_id}#{_delivery_key(delivery)}"


def _iso(time: int) -> str:
    return datetime.fromtimestamp(max(time, 0) / 1000, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")


def _of_rule(rule_id: str) -> str:
    return f"rule#{rule_id}"


def _month(time: int) -> str:
    return f"event#{_iso(time)[:7]}"


def _months(start: int, end: int) -> list[str]:
    """Partitions of the months that ``start <= time < end`` touches, in order."""
    first, last = (datetime.fromtimestamp(max(time, 0) / 1000, UTC) for time in (start, end - 1))
    months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [f"event#{month // 12:04d}-{month % 12 + 1:02d}" for month in months]
