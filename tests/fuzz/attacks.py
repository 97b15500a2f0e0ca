"""Attacks on a running stack by hand, and what came back. ``python -m tests.fuzz.attacks`` prints the table.

Each must be refused with a 4xx in the one error shape; nothing may end in a 5xx or tell of the inside.
"""

from __future__ import annotations

import http.client
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from infra.local.tokens import kept_token

OHLC, TICKS, ANALYZE = "/api/ohlc/BTCUSDT", "/api/ticks/BTCUSDT", "/api/pairs/analyze"
RULES = "/api/alerts/rules"
JSON = {"Content-Type": "application/json"}
INSIDE = ("Traceback", 'File "', "botocore", "pynamodb", "chalice", "quant-", "arn:aws", "/functions/", "127.0.0.1:")


@dataclass(frozen=True)
class Attack:
    """One request. ``statuses`` are what may come back; ``with_token`` sends it as the owner would; what
    the HTTP server itself cannot read, ``by_server``, has no shape of ours."""

    name: str
    path: str
    statuses: tuple[int, ...]
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    with_token: bool = False
    by_server: bool = False


@dataclass(frozen=True)
class Outcome:
    status: int
    content_type: str
    body: bytes

    @property
    def code(self) -> str:
        try:
            return str(json.loads(self.body)["error"]["code"])
        except (ValueError, KeyError, TypeError):
            return "no error shape"

    @property
    def has_the_shape(self) -> bool:
        try:
            error = json.loads(self.body)["error"]
        except (ValueError, KeyError, TypeError):
            return False
        return {"code", "message", "request_id"} <= set(error) and self.content_type.startswith("application/json")

    @property
    def leaks(self) -> list[str]:
        return [word for word in INSIDE if word.encode() in self.body]


def attacks(cursor: str) -> Sequence[Attack]:
    """``cursor`` is one that the API gave for ticks of BTCUSDT."""
    deep = b'{"y":' + b"[" * 4_000 + b"]" * 4_000 + b"}"
    changed = cursor[:-6] + ("A" if cursor[-6] != "A" else "B") + cursor[-5:]
    return (
        Attack("body of 2 MB", ANALYZE, (413,), "POST", JSON, b'{"y": "' + b"A" * 2_000_000 + b'"}'),
        Attack("body of 20 KB", ANALYZE, (413,), "POST", JSON, b'{"y": "' + b"A" * 20_000 + b'"}'),
        Attack("JSON 4,000 levels deep", ANALYZE, (400, 422), "POST", JSON, deep),
        Attack("JSON that ends early", ANALYZE, (400,), "POST", JSON, b'{"y": "BTCUSDT"'),
        Attack("NaN and Infinity", ANALYZE, (400,), "POST", JSON, b'{"y": NaN, "x": Infinity}'),
        Attack("a number of 10,000 digits", ANALYZE, (400, 422), "POST", JSON, b'{"lookback": ' + b"9" * 9_900 + b"}"),
        Attack("bytes that are no UTF-8", ANALYZE, (400, 422), "POST", JSON, b'{"y": "\xff\xfe"}'),
        Attack("UTF-16", ANALYZE, (400,), "POST", JSON, '{"y": "BTCUSDT"}'.encode("utf-16")),
        Attack("a list for an object", ANALYZE, (422,), "POST", JSON, b"[]"),
        Attack("null for an object", ANALYZE, (422,), "POST", JSON, b"null"),
        Attack("__proto__ in the body", ANALYZE, (422,), "POST", JSON, b'{"__proto__": {"y": 1}}'),
        Attack("the same key twice", ANALYZE, (404, 422), "POST", JSON, b'{"y": "AA", "y": "BB", "x": "CC"}'),
        Attack("a form for JSON", ANALYZE, (415,), "POST", {"Content-Type": "application/x-www-form-urlencoded"},
               b"y=1"),
        Attack("XML with an entity", ANALYZE, (415,), "POST", {"Content-Type": "text/xml"},
               b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>"),
        Attack("multipart for JSON", ANALYZE, (415,), "POST", {"Content-Type": "multipart/form-data; boundary=x"},
               b"--x--"),
        Attack("NUL in a symbol", "/api/ohlc/BTC%00USDT", (404,)),
        Attack("unicode in a symbol", "/api/ohlc/" + "%D0%91%D0%A2%D0%A6USDT", (404,)),
        Attack("a right-to-left mark", "/api/ohlc/BTC%E2%80%AEUSDT", (404,)),
        Attack("a line break in a symbol", "/api/ohlc/BTC%0D%0ASet-Cookie:a=b", (404,)),
        Attack("bytes that are no UTF-8 in a symbol", "/api/ohlc/%FF%FE", (404,)),
        Attack("a symbol of 7,000 letters", "/api/ohlc/" + "A" * 7_000, (404, 414, 400)),
        Attack("path traversal, plain", "/api/ohlc/../../etc/passwd", (404, 400)),
        Attack("path traversal, encoded", "/api/ohlc/%2e%2e%2f%2e%2e%2fetc%2fpasswd", (404, 400)),
        Attack("path traversal, twice encoded", "/api/ohlc/%252e%252e%252fetc%252fpasswd", (404, 400)),
        Attack("a path with backslashes", "/api/ohlc/..%5c..%5cwindows", (404, 400)),
        Attack("SQL in a symbol", "/api/ohlc/" + quote("BTC' OR '1'='1"), (404,)),
        Attack("a template in a symbol", "/api/ohlc/" + quote("{{7*7}}${7*7}"), (404,)),
        Attack("a script in a parameter", OHLC + "?exchange=" + quote("<script>alert(1)</script>"), (422,)),
        Attack("a huge limit", OHLC + "?limit=999999999999999999999999", (422,)),
        Attack("a negative limit", OHLC + "?limit=-1", (422,)),
        Attack("a limit in hexadecimal", OHLC + "?limit=0x10", (422,)),
        Attack("a limit in full-width digits", OHLC + "?limit=" + quote("\uff11\uff10"), (422,)),
        Attack("a limit given twice", OHLC + "?limit=1&limit=1000", (422,)),
        Attack("a limit as a list", OHLC + "?limit[]=1", (422,)),
        Attack("a time of microseconds", OHLC + "?start=1723158000000000", (422,)),
        Attack("a time that is no number", OHLC + "?start=NaN", (422,)),
        Attack("a time before 1970", OHLC + "?start=-1", (422,)),
        Attack("an end before the start", OHLC + "?start=2&end=1", (422,)),
        Attack("an interval of a fraction", OHLC + "?interval=0.5s", (422,)),
        Attack("an interval of zero", OHLC + "?interval=0m", (422,)),
        Attack("an unknown parameter", OHLC + "?debug=true", (422,)),
        Attack("200 unknown parameters", OHLC + "?" + "&".join(f"a{n}=1" for n in range(200)), (422,)),
        Attack("a forged cursor", TICKS + "?cursor=eyJmcm9tIjowfQ", (422,)),
        Attack("a changed cursor", TICKS + "?cursor=" + changed, (422,)),
        Attack("a truncated cursor", TICKS + "?cursor=" + cursor[:-5], (422,)),
        Attack("a cursor of another symbol", "/api/ticks/ETHUSDT?cursor=" + cursor, (422,)),
        Attack("a cursor of another route", OHLC + "?cursor=" + cursor, (422,)),
        Attack("a cursor with other parameters", TICKS + "?order=asc&cursor=" + cursor, (422,)),
        Attack("a cursor of 5,000 letters", TICKS + "?cursor=" + "A" * 5_000, (422, 414)),
        Attack("a write without a token", RULES, (401,), "POST", JSON, b"{}"),
        Attack("a write with a wrong token", RULES, (401,), "POST", {**JSON, "Authorization": "Bearer wrong"}, b"{}"),
        Attack("a write with the token as Basic", RULES, (401,), "POST", {**JSON,
               "Authorization": "Basic dG9rZW4="}, b"{}"),
        Attack("a token of an attacker's algorithm", RULES, (401,), "POST", {**JSON,
               "Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."}, b"{}"),
        Attack("an expired token on a read", OHLC, (401,), headers={"Authorization": "Bearer of-yesterday"}),
        Attack("an Authorization of 6,000 letters", OHLC, (401, 400, 431),
               headers={"Authorization": "Bearer " + "A" * 6_000}),
        Attack("a preflight from a foreign origin", RULES, (403,), "OPTIONS", {"Origin": "https://evil.example",
               "Access-Control-Request-Method": "POST"}),
        Attack("a preflight from a null origin", RULES, (403,), "OPTIONS", {"Origin": "null",
               "Access-Control-Request-Method": "DELETE"}),
        Attack("method override by header", OHLC, (400,), headers={"X-HTTP-Method-Override": "DELETE"}),
        Attack("method override on a POST", ANALYZE, (400,), "POST", {**JSON, "X-Method-Override": "GET"}, b"{}"),
        Attack("TRACE", OHLC, (405, 404), "TRACE"),
        Attack("an invented method", OHLC, (405, 404, 400), "BREW", by_server=True),
        Attack("DELETE of a read", OHLC, (405,), "DELETE"),
        Attack("PUT on the contract", "/api/openapi.json", (405,), "PUT", JSON, b"{}"),
        Attack("an unknown path", "/api/admin", (404,)),
        Attack("the stage's own root", "/api/", (404,)),
        Attack("a path below a route", "/api/health/../../secrets", (404, 400)),
        Attack("a rule's id that is a path", "/api/alerts/rules/%2e%2e%2fexport%2f..", (404, 401)),
        Attack("a rule with 100 unknown fields", RULES, (422,), "POST", JSON,
               json.dumps({f"f{n}": n for n in range(100)}).encode(), True),
        Attack("a rule that is a text", RULES, (422,), "POST", JSON, b'"rule"', True),
        Attack("a key that is a header", RULES, (422, 400), "POST", {**JSON, "Idempotency-Key": "a b; c=d"}, b"{}",
               True),
    )  # fmt: skip


def send(url: str, attack: Attack, token: str) -> Outcome:
    """The request as it is written: no client in between that would mend its path."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    headers = {"Accept": "*/*", **attack.headers, **({"Authorization": f"Bearer {token}"} if attack.with_token else {})}
    try:
        connection.putrequest(attack.method, attack.path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if attack.body is not None:
            connection.putheader("Content-Length", str(len(attack.body)))
        connection.endheaders()
        if attack.body is not None:
            _send_body(connection, attack.body)
        answer = connection.getresponse()
        return Outcome(answer.status, answer.getheader("Content-Type", ""), answer.read())
    finally:
        connection.close()


def _send_body(connection: http.client.HTTPConnection, body: bytes) -> None:
    try:
        connection.send(body)
    except (BrokenPipeError, ConnectionResetError):
        return  # it refused before it had read all; its answer is there to be read


def is_refused(attack: Attack, outcome: Outcome) -> bool:
    shaped = outcome.has_the_shape or attack.by_server
    return outcome.status in attack.statuses and shaped and not outcome.leaks


def first_cursor(url: str) -> str:
    found = send(url, Attack("a page", f"{TICKS}?limit=1", (200,)), "")
    return str(json.loads(found.body)["next_cursor"])


def table(url: str, token: str) -> tuple[list[str], bool]:
    """A line per attack, and whether all were refused."""
    lines, whole = [f"{'attack':<40} {'status':<7} code"], True
    for attack in attacks(first_cursor(url)):
        outcome = send(url, attack, token)
        is_well = is_refused(attack, outcome)
        whole = whole and is_well
        lines.append(
            f"{attack.name:<40} {outcome.status:<7} {outcome.code}{'' if is_well else '  NOT AS IT SHOULD BE'}"
        )
    return lines, whole


def main() -> int:
    from tests.integration.client import await_answer
    from tests.integration.conftest import started_stack

    with tempfile.TemporaryDirectory() as folder, started_stack(Path(folder)) as stack:
        await_answer(stack.url, TICKS, lambda found: found["next_cursor"], limit=1)
        lines, whole = table(stack.url, kept_token(Path(folder)))
        print("\n".join(lines))
        stack.stop()
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
