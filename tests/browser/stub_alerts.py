"""The alert routes of the stub: rules that are kept, events that a test makes, one backtest for all."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

MINUTE = 60_000
# A Sunday noon.
MADE_AT = 1_795_348_800_000

Json = dict[str, Any]


@dataclass
class StubAlerts:
    rules: dict[str, Json] = field(default_factory=dict)
    events: list[Json] = field(default_factory=list)
    token: str = "open-sesame"
    # Bodies of all changes, with their paths.
    written: list[tuple[str, str, Json]] = field(default_factory=list)

    def write(self, now: int, method: str, path: str, token: str, body: Json) -> tuple[int, Json]:
        """Changes of rules, and backtests."""
        url = urlsplit(path)
        if url.path == "/api/alerts/backtest":
            self.written.append((method, url.path, body))
            return 200, backtest(now)
        if token != f"Bearer {self.token}":
            return 401, _error("unauthorized", "a valid token is needed")
        self.written.append((method, url.path, body))
        _, _, rest = url.path.partition("/api/alerts/rules")
        rule_id, _, act = rest.strip("/").partition("/")
        if method == "POST" and not rule_id:
            return self._make(body)
        rule = self.rules.get(rule_id)
        if rule is None:
            return 404, _error("not_found", "no such rule")
        if act == "test":
            delivery = _delivery("pending", 0)
            return 202, {"event_id": "e", "title": f"test: {rule['name']}", "message": "", "deliveries": [delivery]}
        if act == "silence":
            rule["silenced_until"] = now + body["seconds"] * 1000 if body["seconds"] else 0
        elif method == "DELETE":
            return 200, {"deleted": self.rules.pop(rule_id)["id"]}
        elif body["version"] != rule["version"]:
            return 409, _error("conflict", "the rule has changed")
        else:
            rule |= body
        rule["version"] += 1
        return 200, rule

    def _make(self, body: Json) -> tuple[int, Json]:
        if body["metric"] == "price" and body["threshold"] < 0:
            return 422, _error("invalid_parameter", "threshold must not be negative", "threshold")
        rule = self.add_rule(**body)
        return 201, rule

    def add_rule(self, **given: Any) -> Json:
        usual = {
            "metric": "price", "exchange": "binance", "symbol": "BTCUSDT", "x_exchange": None, "x": None,
            "interval": "1s",
            "window": 1, "operator": ">", "threshold": 60_000, "clear_threshold": None, "for_seconds": 0,
            "recover_seconds": 0, "cooldown_seconds": 0, "remind_seconds": 0, "severity": "warning", "channels": [],
            "notify": ["fired", "resolved"], "message": "", "enabled": True, "silenced_until": 0, "warnings": [],
            "created_at": MADE_AT, "updated_at": MADE_AT, "revised_at": MADE_AT, "version": 1, "revision": 1,
        }  # fmt: skip
        rule = usual | {"id": f"r{len(self.rules) + 1}"} | given
        rule["state"] = {
            "phase": "ok", "since": None, "value": None, "reason": "", "fired_at": None, "event_id": None,
            "notified_at": None,
        }  # fmt: skip
        self.rules[rule["id"]] = rule
        return rule

    def add_event(self, rule: Json, kind: str, time: int, status: str = "delivered") -> Json:
        event = {
            "id": f"e{len(self.events)}", "kind": kind, "rule_id": rule["id"], "revision": 1, "rule_name": rule["name"],
            "severity": "warning", "metric": rule["metric"], "exchange": "binance", "symbol": rule["symbol"],
            "x_exchange": None, "x": None, "time": time, "recorded_at": time, "value": 61_000.5, "threshold": 60_000,
            "readings": {}, "market": "live", "title": f"{rule['name']} {kind}", "message": "", "corrects": None,
            "deliveries": [_delivery(status, 2)],
        }  # fmt: skip
        self.events.insert(0, event)
        return event

    def history(self, query: dict[str, str]) -> Json:
        wanted = [each for each in self.events if query.get("rule_id") in (None, each["rule_id"])]
        start, limit = int(query.get("cursor", "0")), int(query["limit"])
        more = len(wanted) > start + limit
        return {"events": wanted[start : start + limit], "next_cursor": str(start + limit) if more else None}

    def list_rules(self) -> Json:
        return {"rules": list(self.rules.values()), "total": len(self.rules), "next_cursor": None}

    def examples(self) -> Json:
        rule = {"name": "ETH pair", "metric": "pair_zscore", "symbol": "ETHUSDT", "x": "BTCUSDT", "operator": "outside",
                "threshold": 2.0, "window": 60, "interval": "1m"}  # fmt: skip
        return {"examples": [{"id": "pair", "title": "A pair", "why": "It diverges.", "rule": rule}]}


def backtest(now: int) -> Json:
    fired = now // MINUTE * MINUTE - 60 * MINUTE
    events = [
        {"id": "a", "kind": "fired", "time": fired, "value": 61_855.0, "notified": True, "held": ""},
        {"id": "b", "kind": "resolved", "time": fired + 5 * MINUTE, "value": 61_855.0, "notified": True, "held": ""},
        {
            "id": "c",
            "kind": "fired",
            "time": fired + 6 * MINUTE,
            "value": 61_855.0,
            "notified": False,
            "held": "cooldown",
        },
    ]
    firings = [
        {"start": fired, "end": fired + 5 * MINUTE, "seconds": 300.0, "value": 61_855.0},
        {"start": fired + 6 * MINUTE, "end": None, "seconds": 3240.0, "value": 61_855.0},
    ]
    return {
        "start": now - 1440 * MINUTE, "end": now, "interval": "1s", "bars": 1440, "unknown_bars": 0,
        "fired": 2, "resolved": 1, "no_data": 0, "notifications": 2, "notifications_without_cooldown": 3,
        "firing_seconds": 3540.0, "firings": firings, "events": events, "events_left_out": 0, "warnings": [],
        "series": series(now),
    }  # fmt: skip


def series(now: int) -> Json:
    """A day of a metric that swings between 61,840 and 61,860, in points of two minutes; one of them lacks trades."""
    start = (now - 1440 * MINUTE) // MINUTE * MINUTE
    values: list[float | None] = [61_850 + 10 * math.sin(place / 30) for place in range(720)]
    values[300] = None
    low, high = ([None if value is None else value + by for value in values] for by in (-1, 1))
    times = [start + 2 * MINUTE * place for place in range(720)]
    return {"step": 2 * MINUTE, "time": times, "value": values, "low": low, "high": high}


def _delivery(status: str, attempts: int) -> Json:
    channel = {"type": "webhook", "target": "https://example.org/hook"}
    return {
        "channel": channel,
        "status": status,
        "attempts": attempts,
        "error": "",
        "next_try": None,
        "settled_at": None,
    }


def _error(code: str, message: str, field: str | None = None) -> Json:
    return {"error": {"code": code, "message": message} | ({"field": field} if field else {})}
