"""The use cases behind the alert routes: functions of ports, the request and now."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import msgspec

from api.chalicelib import alert_rendering as rendering
from quant.alerting.events import Occasion, deliveries_of, event_of
from quant.alerting.machine import Happening, event_id
from quant.alerting.rules import rule_from, silenced
from quant.alerting.warnings import warnings_of
from quant.contract.alerts import (
    BacktestAnswer,
    BacktestBody,
    GivenRule,
    HistoryAnswer,
    Imported,
    ImportedRule,
    RuleAnswer,
    RuleFields,
    RulesAnswer,
    SentTestAnswer,
)
from quant.domain.alert import Channel, ChannelType, EventKind, Rule, RuleState, Transition
from quant.domain.interval import SECOND
from quant.errors import ConflictError, RequestError, ValidationError, VersionError
from quant.readings.feed import Feed
from quant.readings.replay import Replay, replay, usual_start
from quant.readings.watched import Watched, markets_of
from quant.storage.storage import Storage

MAX_RULES = 20_000
Verify = Callable[[Channel, str], None]
"""Raises a ValidationError that names the field where a channel cannot be sent to."""


@dataclass(frozen=True, slots=True)
class Alerts:
    """Rules, history, backtest, silence.

    Attributes:
        verify: judges channels before a rule may name them.
        local_channels: kinds of channels that lead nowhere but to this machine.
    """

    storage: Storage
    verify: Verify = lambda channel, field: None
    local_channels: frozenset[ChannelType] = frozenset()

    def page(self, after: str, limit: int) -> tuple[RulesAnswer, str]:
        """Rules by id after that one; and the id to go on after, or ""."""
        rules, states = self.storage.rules.all(), self.storage.alerts.states()
        rest = [rule for rule in rules if rule.id > after]
        shown = [rendering.rule(rule, states.get(rule.id)) for rule in rest[:limit]]
        return RulesAnswer(rules=shown, total=len(rules), next_cursor=None), shown[-1].id if len(rest) > limit else ""

    def get(self, rule_id: str) -> RuleAnswer:
        rule = self._rule(rule_id)
        return rendering.rule(rule, self.storage.alerts.state(rule_id))

    def make(self, given: RuleFields, key: str, now: int) -> RuleAnswer:
        """With the same idempotency key it is the same rule, though the first answer was lost."""
        rule_id = blake2b(f"rule|{key}".encode(), digest_size=8).hexdigest() if key else uuid.uuid4().hex[:16]
        rule = self._checked(rule_from(fields_of(given), rule_id, now))
        if len(self.storage.rules.all()) >= MAX_RULES:
            raise RequestError("conflict", f"there are {MAX_RULES} rules already; delete some first")
        try:
            self.storage.rules.put(rule, expected=0)
        except ConflictError:
            stored = self.storage.rules.get(rule_id)
            if stored is None:
                raise
            rule = stored
        return rendering.rule(rule, self.storage.alerts.state(rule.id))

    def change(self, rule_id: str, given: RuleFields, version: int, now: int) -> RuleAnswer:
        previous = self._rule(rule_id)
        if previous.version != version:
            raise VersionError(previous.version)
        rule = self._checked(rule_from(fields_of(given), rule_id, now, previous))
        self._put(rule, version)
        return self.get(rule_id)

    def delete(self, rule_id: str, version: int) -> None:
        previous = self._rule(rule_id)
        if previous.version != version:
            raise VersionError(previous.version)
        try:
            self.storage.rules.delete(rule_id, expected=version)
        except ConflictError as exc:
            raise VersionError(self._rule(rule_id).version) from exc

    def silence(self, rule_id: str, seconds: int, now: int) -> RuleAnswer:
        previous = self._rule(rule_id)
        until = now + seconds * SECOND if seconds else 0
        self._put(silenced(previous, until, now), previous.version)
        return self.get(rule_id)

    def bring_in(self, given: Imported, now: int) -> list[ImportedRule]:
        """All are checked before one is stored; a rule whose id is known is changed, whatever its version."""
        known = {rule.id: rule for rule in self.storage.rules.all()}
        rules: dict[str, Rule] = {}
        for place, one in enumerate(given.rules):
            rule_id = one.id or uuid.uuid4().hex[:16]
            if rule_id in rules:
                raise ValidationError(f"rules[{place}].id", f"{rule_id} is given a second time")
            try:
                rules[rule_id] = self._checked(rule_from(fields_of(one), rule_id, now, known.get(rule_id)))
            except ValidationError as exc:
                raise ValidationError(f"rules[{place}].{exc.field}", exc.problem) from exc
        if len(known.keys() | rules.keys()) > MAX_RULES:
            raise RequestError("conflict", f"there may be {MAX_RULES} rules at most")
        for rule_id, rule in rules.items():
            self._put(rule, known[rule_id].version if rule_id in known else 0)
        return [
            ImportedRule(id=rule_id, created=rule_id not in known, warnings=warnings_of(rule))
            for rule_id, rule in rules.items()
        ]

    def history(self, rule_id: str, start: int, end: int, after: str, limit: int) -> tuple[HistoryAnswer, str]:
        """Events, the newest first, with their deliveries; and the position to go on after, or ""."""
        if end <= start:
            raise ValidationError("end", "must be after start")
        alerts = self.storage.alerts
        found = alerts.events(start, end, rule_id=rule_id, limit=limit + 1, after=after)
        shown = found[:limit]
        events = [rendering.event(event, alerts.deliveries(event.id)) for event in shown]
        return HistoryAnswer(events=events, next_cursor=None), alerts.position(shown[-1]) if len(found) > limit else ""

    def test(self, rule_id: str, request: str, now: int) -> SentTestAnswer:
        """Put a test into the outbox, with the values of now."""
        rule, last = self._rule(rule_id), self.storage.alerts.report()
        watched = self._watched(now, last.kinds if last else {})
        readings = watched.newest(rule)
        newest = float(readings.value[-1]) if len(readings.value) and not readings.hole[-1] else math.nan
        value = None if math.isnan(newest) else newest
        time = int(readings.time[-1]) if len(readings.time) else now
        reason = readings.reason or readings.late_reason
        happening = Happening(EventKind.TEST, time, value, True, reason=reason, began=time)
        occasion = Occasion(now, watched.feed.kind_of(rule.market), self.local_channels)
        event = event_of(rule, happening, occasion, {"test": True, "known_until": readings.until})
        event = replace(event, id=event_id(rule, EventKind.TEST, 0, request))
        deliveries = deliveries_of(rule, happening, event, occasion)
        try:
            self.storage.alerts.commit(Transition(RuleState(rule.id), (event,), deliveries))
        except ConflictError:
            # The same request was served before, and its answer got lost.
            event = self.storage.alerts.event(event.id) or event
            deliveries = self.storage.alerts.deliveries(event.id)
        return SentTestAnswer(
            event_id=event.id,
            title=event.title,
            message=event.message,
            value=value,
            known_until=readings.until if len(readings.time) else None,
            would_fire=None if value is None else rendering.holds(rule, value),
            deliveries=[rendering.delivery(one) for one in deliveries],
        )

    def backtest(self, asked: BacktestBody, now: int) -> BacktestAnswer:
        return rendering.backtest(*self.replayed(asked, now))

    def replayed(self, asked: BacktestBody, now: int) -> tuple[Rule, Replay]:
        """The rule, stored or given, and what would have become of it."""
        if asked.rule is None:
            if asked.rule_id is None:
                raise ValidationError("rule", "or rule_id must be given; of both the rule is taken")
            rule = self._rule(asked.rule_id)
        else:
            try:
                rule = rule_from(fields_of(asked.rule), "backtest", now)
            except ValidationError as exc:
                raise ValidationError(f"rule.{exc.field}", exc.problem) from exc
        end = min(asked.end or now, now)
        start = usual_start(rule, end) if asked.start is None else asked.start
        try:
            return rule, replay(rule, self._watched(now), start, end)
        except ValidationError as exc:
            if exc.field not in ("metric", "symbol", "x"):
                raise
            raise ValidationError("rule_id" if asked.rule is None else f"rule.{exc.field}", exc.problem) from exc

    def _rule(self, rule_id: str) -> Rule:
        rule = self.storage.rules.get(rule_id)
        if rule is None:
            raise RequestError("not_found", f"there is no rule {rule_id}", "id")
        return rule

    def _put(self, rule: Rule, expected: int) -> None:
        try:
            self.storage.rules.put(rule, expected=expected)
        except ConflictError as exc:
            stored = self.storage.rules.get(rule.id)
            raise VersionError(stored.version if stored else 0) from exc

    def _checked(self, rule: Rule) -> Rule:
        """What only this deployment can tell: whether the symbols are followed, the channels can be sent to."""
        followed = self._followed()
        for name, market in zip(("symbol", "x"), markets_of(rule), strict=False):
            if market not in followed:
                raise ValidationError(name, f"{market} is not followed; GET /api/symbols lists what is")
        for place, channel in enumerate(rule.channels):
            self.verify(channel, f"channels[{place}].target")
        return rule

    def _followed(self) -> frozenset[Any]:
        return frozenset(one.market for one in self.storage.instruments.all())

    def _watched(self, now: int, kinds: Mapping[str, str] | None = None) -> Watched:
        kept = self.storage
        return Watched(Feed.open(kept.ticks, kept.bars, kept.heartbeats, now, kinds), kept.cache, self._followed())


def fields_of(given: GivenRule | RuleFields | None) -> dict[str, Any]:
    """The declared fields as plain JSON, without what was left out and without what only the server says."""
    plain: dict[str, Any] = msgspec.to_builtins(given)
    return {name: plain[name] for name in RuleFields.__struct_fields__ if plain.get(name) is not None}
