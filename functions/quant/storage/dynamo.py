"""The tables in DynamoDB, through PynamoDB. Its errors become quant.errors here and nowhere else."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from threading import Lock
from typing import Any, cast

from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import Loader, create_loader
from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.exceptions import PynamoDBException, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from quant.errors import ConflictError, StorageError, ThrottledError, UnavailableError
from quant.storage.table import ABSENT, ANY, HIGHEST, PRESENT, UNTAGGED, Action, Item, Write

_BATCH = 25
_THROTTLED = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "ThrottlingError",
}
# Why a transaction may be cancelled although every condition holds.
_TRY_AGAIN = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
_NEVER = {"ValidationError", "ItemCollectionSizeLimitExceeded"}
_FOREVER = {
    "AccessDeniedException",
    "ResourceNotFoundException",
    "ValidationException",
    "UnrecognizedClientException",
    "ItemCollectionSizeLimitExceededException",
}


# botocore's clients are made one at a time.
_CONNECTING = Lock()


@cache
def _descriptions() -> Loader:
    """What botocore reads of the service: parsed once, not once for each table."""
    loader: Loader = create_loader()
    return loader


class PackedItem(Model):
    """An item of tick_data or ohlc_data. Attribute names are short: they are stored and paid with every item."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    payload = BinaryAttribute(attr_name="p", legacy_encoding=False)
    etag = UnicodeAttribute(attr_name="e", null=True)
    rows = NumberAttribute(attr_name="n", default=0)
    first_time = NumberAttribute(attr_name="a", default=0)
    last_time = NumberAttribute(attr_name="z", default=0)
    ttl = NumberAttribute(null=True)


class DynamoTable:
    """One DynamoDB table. Endpoint, region and credentials come from the environment, as boto3 reads them."""

    def __init__(
        self,
        name: str,
        *,
        attempts: int = 8,
        pause: Callable[[float], None] = time.sleep,
        timeouts: tuple[float, float] = (2.0, 10.0),
    ) -> None:
        meta = {
            "table_name": name,
            "connect_timeout_seconds": timeouts[0],
            "read_timeout_seconds": timeouts[1],
            "max_retry_attempts": 1,
        }
        self.name = name
        self._model: type[PackedItem] = type("PackedItem", (PackedItem,), {"Meta": type("Meta", (), meta)})
        self._attempts, self._pause = attempts, pause

    @cached_property
    def _connection(self) -> Connection:
        """With its client, which is made by whichever thread asks first and serves all of them."""
        with _CONNECTING:
            connection = self._model._get_connection().connection
            connection.session.register_component("data_loader", _descriptions())
            _ = connection.client
        return connection

    def get(self, pk: str, sk: str) -> Item | None:
        with self._translated(f"read {pk}/{sk}"):
            try:
                return _item(self._model.get(pk, sk, consistent_read=True))
            except self._model.DoesNotExist:
                return None

    def query(
        self,
        pk: str,
        low: str = "",
        high: str = HIGHEST,
        *,
        newest_first: bool = False,
        limit: int | None = None,
        page: int | None = None,
    ) -> Iterator[Item]:
        with self._translated(f"read {pk}"):
            found = self._model.query(
                pk,
                self._model.sk.between(low or " ", high),
                consistent_read=True,
                scan_index_forward=not newest_first,
                limit=limit,
                page_size=page,
            )
            for stored in found:
                yield _item(stored)

    def put(self, item: Item, *, expected: str = ANY) -> None:
        with self._translated(f"write {item.pk}/{item.sk}"):
            self._stored(item).save(condition=self._condition(expected), add_version_condition=False)

    def put_all(self, items: Sequence[Item]) -> None:
        if len(items) == 1:
            return self.put(items[0])
        unique = {(item.pk, item.sk): item for item in items}
        waiting = list(unique.values())
        while waiting:
            self._put_batch(waiting[:_BATCH])
            waiting = waiting[_BATCH:]

    def delete(self, pk: str, sk: str) -> None:
        with self._translated(f"delete {pk}/{sk}"):
            self._model(pk, sk).delete(add_version_condition=False)

    def transact(self, writes: Sequence[Write]) -> None:
        """Where others are at the same items, or a table is at its limit, nothing was written: it is tried again."""
        operation = f"write {len(writes)} items at once to {self.name}"
        reasons: set[str] = set()
        for attempt in range(self._attempts):
            try:
                with self._translated(operation):
                    return self._transact(writes)
            except UnavailableError as exc:
                reasons = _cancelled(exc.__cause__)
                if "ConditionalCheckFailed" in reasons:
                    raise ConflictError(operation, "one of them has changed meanwhile") from exc
                if reasons & _NEVER:
                    raise StorageError(operation, ", ".join(sorted(reasons))) from exc
                if not reasons & _TRY_AGAIN:
                    raise
            self._pause(random.uniform(0, min(0.05 * 2**attempt, 2.0)))
        raise ThrottledError(operation, f"cancelled {self._attempts} times: {', '.join(sorted(reasons))}")

    def _transact(self, writes: Sequence[Write]) -> None:
        with TransactWrite(connection=self._connection) as transaction:
            for write in writes:
                cast("DynamoTable", write.table)._join(transaction, write)

    def _join(self, transaction: TransactWrite, write: Write) -> None:
        condition = self._condition(write.expected)
        if write.action is Action.PUT:
            transaction.save(self._stored(write.item), condition=condition)
        elif write.action is Action.DELETE:
            transaction.delete(self._model(write.item.pk, write.item.sk), condition=condition)
        else:
            transaction.condition_check(self._model, write.item.pk, write.item.sk, condition=condition)

    def _condition(self, expected: str) -> Condition | None:
        if expected == ANY:
            return None
        if expected in (ABSENT, PRESENT):
            return self._model.sk.does_not_exist() if expected == ABSENT else self._model.sk.exists()
        condition: Condition = self._model.etag == expected
        return condition

    def describe(self) -> str:
        """The table's status, such as ACTIVE."""
        with self._translated(f"describe {self.name}"):
            status: str = self._model.describe_table()["TableStatus"]
            return status

    def _put_batch(self, items: Sequence[Item]) -> None:
        """PynamoDB's own batch has been seen to drop items in silence (#1257), so what comes back is counted here."""
        operation = f"write a batch to {self.name}"
        waiting = [self._stored(item).serialize() for item in items]
        for attempt in range(self._attempts):
            with self._translated(operation):
                answer = self._model._get_connection().batch_write_item(put_items=waiting)
            left = answer.get("UnprocessedItems", {}).get(self.name, [])
            waiting = [request["PutRequest"]["Item"] for request in left]
            if not waiting:
                return
            self._pause(random.uniform(0, min(0.05 * 2**attempt, 2.0)))
        raise ThrottledError(operation, f"{len(waiting)} items came back {self._attempts} times")

    def _stored(self, item: Item) -> PackedItem:
        return self._model(
            item.pk,
            item.sk,
            payload=item.payload,
            etag=None if item.etag == UNTAGGED else item.etag,
            rows=item.count,
            first_time=item.first_time,
            last_time=item.last_time,
            ttl=item.ttl,
        )

    @contextmanager
    def _translated(self, operation: str) -> Iterator[None]:
        """Connected, and with errors of ours."""
        try:
            _ = self._connection
            yield
        except (PynamoDBException, ClientError, BotoCoreError) as exc:
            raise _error(operation, exc) from exc


def _item(stored: PackedItem) -> Item:
    return Item(
        pk=stored.pk,
        sk=stored.sk,
        payload=stored.payload,
        etag=stored.etag or UNTAGGED,
        count=int(stored.rows),
        first_time=int(stored.first_time),
        last_time=int(stored.last_time),
        ttl=None if stored.ttl is None else int(stored.ttl),
    )


def _error(operation: str, exc: Exception) -> StorageError:
    cause = exc.cause if isinstance(exc, PynamoDBException) and exc.cause is not None else exc
    code = _code(cause)
    reason = f"{code or type(cause).__name__}: {cause}"
    if code == "ConditionalCheckFailedException":
        return ConflictError(operation, "it has changed meanwhile")
    if code in _THROTTLED:
        return ThrottledError(operation, reason)
    if code in _FOREVER or (isinstance(exc, PynamoDBException) and exc.cause is None):
        return StorageError(operation, reason)
    return UnavailableError(operation, reason)


def _cancelled(exc: BaseException | None) -> set[str]:
    """Why a transaction was cancelled, one word for each part that had a say in it."""
    if not isinstance(exc, TransactWriteError):
        return set()
    return {reason.code for reason in exc.cancellation_reasons if reason is not None}


def _code(exc: Any) -> str:
    response = getattr(exc, "response", None) or {}
    code: str = response.get("Error", {}).get("Code", "")
    return code
