"""What schemathesis cannot read in the document: which times there are, and which values do not go together.

Loaded by schemathesis in an environment of its own; nothing of the project is imported here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import schemathesis
from hypothesis import strategies as st

# Times are between 1970 and 2100; "date-time" alone begins in the year 1.
schemathesis.openapi.format(
    "date-time",
    st.datetimes(datetime(1970, 1, 2), datetime(2099, 12, 31), timezones=st.just(UTC)).map(
        lambda moment: moment.isoformat().replace("+00:00", "Z")
    ),
)


@schemathesis.hook
def map_case(context: Any, case: Any) -> Any:
    """A request that is meant to be accepted is made so, where two of its values exclude each other."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return case
    for values in (case.query, case.body):
        if isinstance(values, dict):
            _agree(values)
    if isinstance(case.body, dict):
        _mend_rules(case.body)
        if case.operation.path.endswith("/backtest") and not case.body.get("rule"):
            case.body["rule_id"] = case.body.get("rule_id") or "r1"
        if case.operation.path.endswith("/backtest"):
            # How far back it may go depends on the rule's own bars, and where it may end on what is known.
            case.body.pop("start", None)
            case.body.pop("end", None)
    return case


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """A mail's link is signed: none that is made here can be good."""
    is_good = case.meta is not None and case.meta.generation.mode.is_positive
    return not (is_good and case.operation.path == "/alerts/silence")


_TOGETHER = ("x", "x_exchange", "interval", "window", "clear_threshold", "message", "channels", "remind_seconds")


def _mend_rules(body: dict[str, Any]) -> None:
    """A rule's metric says which of its other fields it needs; one that goes together stays what was generated else."""
    for rule in [body, body.get("rule"), *(body.get("rules") or [])]:
        if isinstance(rule, dict) and "metric" in rule:
            rule |= {"metric": "price", "symbol": "BTCUSDT", "exchange": "binance", "operator": ">", "threshold": 1.5}
            for name in _TOGETHER:
                rule.pop(name, None)
            rule["name"] = "".join(letter for letter in str(rule.get("name")) if letter.isprintable()).strip() or "rule"
    if "rule" in body or "rule_id" in body:
        # One of the two, never both.
        body.pop("rule_id" if isinstance(body.get("rule"), dict) else "rule", None)


def _agree(values: dict[str, Any]) -> None:
    # A cursor is signed: only one that the API gave is taken, and the links of the document lead to those.
    values.pop("cursor", None)
    if "start" in values and "end" in values:
        values.pop("end")
    if "exit" in values or "stop" in values:
        for name in ("entry", "exit", "stop"):
            values.pop(name, None)
    if values.get("window") is not None and "y" in values:
        # As many bars as there are after the start, and no window that is longer than that.
        window = min(int(values["window"]), 500)
        values["window"], values["lookback"] = window, max(int(values.get("lookback") or 1_440), window)
    if values.get("fill") == "strict":
        # Refused where a bar is missing: a stack that has just begun has the last day's alone.
        values["lookback"] = max(min(int(values.get("lookback") or 500), 500), int(values.get("window") or 0))
    if "y" in values:
        # Of seconds a stack that has just begun has too few bars; of minutes it has the exchange's.
        values.pop("interval", None)
    if "y" in values:
        # Symbols that are not followed are refused.
        values["y"], values["x"] = "ETHUSDT", "BTCUSDT"
        values.pop("exchange", None)
    values.pop("symbols", None)


@schemathesis.deserializer("text/csv")
def text_of_csv(context: Any, response: Any) -> str:
    return str(response.text)
