"""The client of docs/api.md and its examples, run on the stack."""

from __future__ import annotations

import re
from typing import Any

import pytest

from infra.local.tokens import kept_token
from tests.integration.client import await_answer
from tests.integration.conftest import ROOT, RunningStack

PAGE = ROOT / "docs/api.md"


@pytest.mark.timeout(200)
def test_the_client_of_the_documentation_works(stack: RunningStack, capsys: pytest.CaptureFixture[str]) -> None:
    await_answer(stack.url, "/api/ohlc/ETHUSDT", lambda found: len(found["bars"]) >= 300, limit=300)
    await_answer(stack.url, "/api/ticks/BTCUSDT", lambda found: len(found["ticks"]) >= 20, limit=20)
    client, questions = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(client, str(PAGE), "exec"), names)
    exec(compile(questions.replace("Quant()", f'Quant("{stack.url}/api")'), str(PAGE), "exec"), names)
    printed = capsys.readouterr().out
    assert "BTCUSDT" in printed
    assert "invalid_parameter limit" in printed
    _write(names["Quant"](f"{stack.url}/api", kept_token(stack.state_dir)), names["ApiError"])


def _write(quant: Any, refused: type[Exception]) -> None:
    rule = {"name": "high", "metric": "price", "symbol": "BTCUSDT", "operator": ">", "threshold": 1e9}
    made = quant.make_rule(rule, "a-key-of-the-tests")
    assert quant.make_rule(rule, "a-key-of-the-tests") == made
    assert [one["id"] for one in quant.get("/alerts/rules")["rules"]].count(made["id"]) == 1
    with pytest.raises(refused, match="conflict"):
        quant.make_rule({**rule, "threshold": 2e9}, "a-key-of-the-tests")
    again = quant.get("/alerts/rules")
    assert quant.get("/alerts/rules") is again, "an answer that has not changed is not sent again"
    whole = quant.bars("BTCUSDT", "5m", start=0, limit=100)
    assert len(whole) > 250
    assert whole.index.is_unique
    assert whole.index.is_monotonic_increasing
    quant.close()
