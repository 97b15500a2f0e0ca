"""The tables in DynamoDB, through PynamoDB. Its errors become quant.errors here and nowhere else."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PynamoDBException
from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from quant.errors import ConflictError, StorageError, ThrottledError, UnavailableError
from quant.storage.table import ABSENT, ANY, HIGHEST, UNTAGGED, Item

_BATCH = 25
_THROTTLED = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "ThrottlingError",
}
_FOREVER = {
    "AccessDeniedException",
    "ResourceNotFoundException",
    "ValidationException",
    "UnrecognizedClientException",
    "ItemCollectionSizeLimitExceededException",
}


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
        condition: Condition | None = None
        if expected == ABSENT:
            condition = self._model.sk.does_not_exist()
        elif expected != ANY:
            condition = self._model.etag == expected
        with self._translated(f"write {item.pk}/{item.sk}"):
            self._stored(item).save(condition=condition, add_version_condition=False)

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

    def describe(self) -> str:
        """The table's status, such as ACTIVE."""
        with self._translated(f"describe {self.name}"):
            status: str = self._model.describe_table()["TableStatus"]
            return status

    def _put_batch(self, items: Sequence[Item]) -> None:
        """PynamoDB's own batch has been seen to drop items in silence (#1257), so what comes back is counted here."""
        waiting = [self._stored(item).serialize() for item in items]
        for attempt in range(self._attempts):
            with self._translated(f"write a batch to {self.name}"):
                answer = self._model._get_connection().batch_write_item(put_items=waiting)
            left = answer.get("UnprocessedItems", {}).get(self.name, [])
            waiting = [request["PutRequest"]["Item"] for request in left]
            if not waiting:
                return
            self._pause(random.uniform(0, min(0.05 * 2**attempt, 2.0)))
        raise ThrottledError(f"write a batch to {self.name}", f"{len(waiting)} items came back {self._attempts} times")

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
        try:
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


def _code(exc: Any) -> str:
    response = getattr(exc, "response", None) or {}
    code: str = response.get("Error", {}).get("Code", "")
    return code
