"""What tables in DynamoDB cost before their first answer."""

from __future__ import annotations

import pytest

from quant.errors import UnavailableError
from quant.storage import dynamo
from quant.storage.dynamo import DynamoTable


def test_tables_share_what_is_parsed_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes a fifth of a second of a small function's processor, and five tables are five clients."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    dynamo._descriptions.cache_clear()
    for name in ("one", "two", "three"):
        with pytest.raises(UnavailableError):
            DynamoTable(name, attempts=1).get("p", "s")
    assert dynamo._descriptions.cache_info().misses == 1
