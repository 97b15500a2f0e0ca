"""alert_rules: the rules, and the answers already given to an ``Idempotency-Key``."""

from __future__ import annotations

import msgspec

from quant.domain.alert import Rule
from quant.domain.interval import DAY, SECOND
from quant.domain.ports import Clock
from quant.errors import ConflictError
from quant.storage.compact import encode
from quant.storage.table import ABSENT, Action, Item, Table, Write

RULE, STATE = "rule", "state"
_REQUEST = "request"
_KEPT_FOR = DAY
_decoder = msgspec.json.Decoder(Rule)


class RuleTable:
    """quant.domain.alert.RuleRepository on a table."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table, self._clock = table, clock

    def all(self) -> tuple[Rule, ...]:
        return tuple(_decoder.decode(item.payload) for item in self._table.query(RULE))

    def get(self, rule_id: str) -> Rule | None:
        item = self._table.get(RULE, rule_id)
        return None if item is None else _decoder.decode(item.payload)

    def put(self, rule: Rule, *, expected: int) -> None:
        item = Item(RULE, rule.id, encode(rule), etag=str(rule.version), last_time=rule.updated_at)
        self._table.put(item, expected=_etag(expected))

    def delete(self, rule_id: str, *, expected: int) -> None:
        if expected < 1:
            raise ConflictError(f"delete rule {rule_id}", "none is stored under version 0")
        rule = Write(self._table, Item(RULE, rule_id), _etag(expected), Action.DELETE)
        self._table.transact([rule, Write(self._table, Item(STATE, rule_id), action=Action.DELETE)])

    def answer_of(self, key: str) -> tuple[str, bytes] | None:
        item = self._answer(key)
        return None if item is None or self._is_old(item) else (item.etag, item.payload)

    def keep_answer(self, key: str, request_hash: str, answer: bytes) -> bool:
        stored, now = self._answer(key), self._clock()
        if stored is not None and not self._is_old(stored):
            return False
        ttl = (now + _KEPT_FOR) // SECOND
        item = Item(_REQUEST, key, answer, etag=request_hash, first_time=now, ttl=ttl)
        try:
            self._table.put(item, expected=ABSENT if stored is None else stored.etag)
        except ConflictError:
            return False
        return True

    def _answer(self, key: str) -> Item | None:
        return self._table.get(_REQUEST, key)

    def _is_old(self, item: Item) -> bool:
        """DynamoDB deletes late."""
        return self._clock() - item.first_time > _KEPT_FOR


def _etag(version: int) -> str:
    return str(version) if version else ABSENT
