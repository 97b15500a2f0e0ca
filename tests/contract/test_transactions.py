"""What a table makes of DynamoDB's refusals of a transaction, told by a server that gives them one after the other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from quant.errors import ConflictError, StorageError, ThrottledError
from quant.storage.dynamo import DynamoTable
from quant.storage.table import ABSENT, Item, Write
from tests.functional.alerts.peers.server import Peer, Reply, in_order

DONE = Reply(200, b"{}")
ATTEMPTS = 4


def cancelled(*reasons: str) -> Reply:
    """``None`` stands for a part that had no say in it."""
    body = {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "message": f"Transaction cancelled, please refer cancellation reasons for specific reasons {list(reasons)}",
        "CancellationReasons": [{"Code": reason, "Message": reason} for reason in reasons],
    }
    return Reply(400, json.dumps(body).encode(), {"Content-Type": "application/x-amz-json-1.0"})


@dataclass
class Attempt:
    """One transaction against a server that gives these replies, with the pauses that the table made."""

    replies: Sequence[Reply]
    pauses: list[float] = field(default_factory=list)
    asked: int = 0

    def make(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        with Peer(in_order(*self.replies)) as peer:
            monkeypatch.setenv("AWS_ENDPOINT_URL", peer.url)
            table = DynamoTable("contract-alert_rules", attempts=ATTEMPTS, pause=self.pauses.append)
            try:
                table.transact([Write(table, Item("p", "s"), ABSENT), Write(table, Item("p", "t"))])
            finally:
                self.asked = len(peer.requests)


def test_a_transaction_that_met_another_one_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    attempt = Attempt([cancelled("None", "TransactionConflict"), cancelled("ThrottlingError", "None"), DONE])
    attempt.make(monkeypatch)
    assert attempt.asked == 3
    assert len(attempt.pauses) == 2
    assert all(0 <= pause <= 0.1 for pause in attempt.pauses)


def test_a_condition_that_does_not_hold_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    attempt = Attempt([cancelled("ConditionalCheckFailed", "TransactionConflict"), DONE])
    with pytest.raises(ConflictError):
        attempt.make(monkeypatch)
    assert attempt.asked == 1


def test_what_never_gets_through_is_a_throttled_table(monkeypatch: pytest.MonkeyPatch) -> None:
    attempt = Attempt([cancelled("TransactionConflict", "None")])
    with pytest.raises(ThrottledError, match="cancelled 4 times: TransactionConflict"):
        attempt.make(monkeypatch)
    assert attempt.asked == ATTEMPTS


def test_what_can_never_be_written_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    attempt = Attempt([cancelled("ValidationError", "None"), DONE])
    with pytest.raises(StorageError, match="ValidationError") as caught:
        attempt.make(monkeypatch)
    assert not caught.value.retryable
    assert attempt.asked == 1
