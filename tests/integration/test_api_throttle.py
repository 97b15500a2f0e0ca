"""The stage's throttle: who asks too often is told so in our shape, and when to come again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from .conftest import started_stack


@pytest.mark.timeout(240)
def test_too_many_requests_are_429_in_the_shape_of_our_errors(tmp_path: Path) -> None:
    with started_stack(tmp_path, API_RATE_LIMIT="1", API_BURST_LIMIT="5", SYMBOLS="BTCUSDT") as stack:
        with ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda _: requests.get(f"{stack.url}/api/costs", timeout=20), range(30)))
        refused = [reply for reply in replies if reply.status_code != 200]
        assert {reply.status_code for reply in refused} == {429}
        assert len(refused) >= 20
        for reply in refused:
            error = reply.json()["error"]
            assert (error["code"], reply.headers["Retry-After"]) == ("too_many_requests", "1")
            assert error["request_id"]
        assert stack.stop() == 0
