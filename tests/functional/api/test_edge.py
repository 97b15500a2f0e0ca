"""What HTTP asks for around the answers, on a small API that has one of everything."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Annotated, Any

import pytest
from chalice.app import Chalice
from msgspec import Meta, Struct

from quant.contract.document import document
from quant.contract.operation import ANSWER, REQUEST, Auth, Cache, Operation
from quant.contract.types import Cursor, Nothing
from quant.errors import RequestError, UnavailableError, VersionError
from quant.http.answers import Answer
from quant.http.call import Call
from quant.http.edge import Api, api_telemetry
from quant.http.gate import Gate
from quant.http.keys import KeyRing
from quant.http.routing import Routes
from tests.functional.api.client import Client, Reply, event

TOKEN, ORIGIN = "the-token", "https://app.example.com"
TELEMETRY = api_telemetry("tests.edge")


class ThingPath(Struct, **REQUEST):
    id: Annotated[str, Meta(pattern="^[a-z]{1,10}$", examples=["a"])]
    limit: Annotated[int, Meta(ge=1, le=10)] = 2
    cursor: Cursor | None = None


class Change(Struct, **REQUEST):
    version: Annotated[int, Meta(ge=1)]
    name: Annotated[str, Meta(min_length=1, max_length=20)]
    tags: Annotated[list[Annotated[str, Meta(max_length=3)]], Meta(max_length=2)] = []


class Thing(Struct, **ANSWER):
    name: str
    next_cursor: str | None = None


def _operation(id: str, method: str, path: str, **more: Any) -> Operation[Any, Any]:
    usual = {"tag": "market", "summary": id, "parameters": Nothing, "body": Nothing, "answer": Thing}
    return Operation(id=id, method=method, path=path, **(usual | more))


PAGES = _operation("pages", "GET", "/things/{id}", parameters=ThingPath)
OTHER = _operation("other", "GET", "/others/{id}", parameters=ThingPath)
LARGE = _operation("large", "GET", "/large")
OLD = _operation("old", "GET", "/old", cache=Cache.SETTLED)
FAILS = _operation("fails", "GET", "/fails")
AWAY = _operation("away", "GET", "/away")
OPEN = _operation("open", "GET", "/open", auth=Auth.NONE, cache=Cache.NEVER)
CHANGE = _operation("change", "PUT", "/things/{id}", parameters=ThingPath, body=Change, auth=Auth.WRITE, errors=(409,))
MAKE = _operation("make", "POST", "/things", body=Change, auth=Auth.WRITE, status=201, idempotent=True)
OPERATIONS = (PAGES, OTHER, LARGE, OLD, FAILS, AWAY, OPEN, CHANGE, MAKE)


class Kept:
    """quant.http.routing.KeptAnswers in memory."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[str, bytes]] = {}

    def answer_of(self, key: str) -> tuple[str, bytes] | None:
        return self.answers.get(key)

    def keep_answer(self, key: str, request_hash: str, answer: bytes) -> bool:
        return self.answers.setdefault(key, (request_hash, answer)) == (request_hash, answer)


class Things:
    """The functions behind the routes."""

    def __init__(self, *, public_read: bool = True) -> None:
        self.made = 0
        app = Chalice("things", configure_logs=False)
        gate = Gate(KeyRing(lambda: (TOKEN,)), public_read, frozenset({ORIGIN}), rate_limit=50)
        kept = Kept()
        routes = Routes(app, lambda: gate, lambda: 1_000, TELEMETRY, lambda: kept)

        @routes.serve(PAGES)
        def pages(call: Call[ThingPath, Nothing]) -> Answer:
            at = (call.position() or {"at": 0})["at"]
            return Answer.of(Thing(name=str(at), next_cursor=call.next_cursor(at=at + 1) if at < 3 else None))

        @routes.serve(OTHER)
        def other(call: Call[ThingPath, Nothing]) -> Answer:
            call.position()
            return Answer.of(Thing(name="other"))

        @routes.serve(LARGE)
        def large(call: Call[Nothing, Nothing]) -> Answer:
            return Answer.of(Thing(name="x" * 5_000))

        @routes.serve(OLD)
        def old(call: Call[Nothing, Nothing]) -> Answer:
            return Answer.of(Thing(name="old"), settled=True)

        @routes.serve(FAILS)
        def fails(call: Call[Nothing, Nothing]) -> Answer:
            raise KeyError("secret-inside")

        @routes.serve(AWAY)
        def away(call: Call[Nothing, Nothing]) -> Answer:
            raise UnavailableError("read secret-table", "secret-reason")

        @routes.serve(OPEN)
        def open_(call: Call[Nothing, Nothing]) -> Answer:
            return Answer.of(Thing(name="open"))

        @routes.serve(CHANGE)
        def change(call: Call[ThingPath, Change]) -> Answer:
            if call.parameters.id == "gone":
                raise RequestError("not_found", "there is no such thing", "id")
            if call.body.version != 7:
                raise VersionError(7)
            return Answer.of(Thing(name=call.body.name))

        @routes.serve(MAKE)
        def make(call: Call[Nothing, Change]) -> Answer:
            self.made += 1
            return Answer.of(Thing(name=f"{call.body.name} {self.made}"), status=201)

        self.api = Api(app, lambda: gate, TELEMETRY)
        self.client = Client(self.api, OPERATIONS)

    def get(self, path: str, **headers: str) -> Reply:
        return self.client.request("GET", path, headers=_named(headers))

    def send(self, method: str, path: str, body: Any, **headers: str) -> Reply:
        sent = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json", **_named(headers)}
        return self.client.request(method, path, body=body, headers=sent)


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture
def things() -> Things:
    return Things()


def test_pages_follow_each_other_to_the_end(things: Things) -> None:
    seen, cursor = [], None
    while True:
        page = things.client.get("/things/a", **({"cursor": cursor} if cursor else {})).plain
        seen.append(page["name"])
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == ["0", "1", "2", "3"]


def test_a_cursor_belongs_to_its_route_and_parameters(things: Things) -> None:
    cursor = things.client.get("/things/a").plain["next_cursor"]
    assert things.client.get("/things/a", cursor=cursor, limit=9).status == 200
    for path in ("/things/b", "/others/a"):
        reply = things.client.get(path, cursor=cursor)
        assert (reply.status, reply.error["field"]) == (422, "cursor")


def test_a_cursor_that_was_changed_anywhere_is_refused(things: Things) -> None:
    cursor = things.client.get("/things/a").plain["next_cursor"]
    for place in range(len(cursor)):
        forged = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
        reply = things.client.get("/things/a", cursor=forged)
        # The last letter of base64 has bits that say nothing.
        assert reply.status == 422 or (place == len(cursor) - 1 and reply.plain["name"] == "1")
    for short in (cursor[:-4], cursor[:10], "A"):
        assert things.client.get("/things/a", cursor=short).status == 422


def test_a_reader_who_has_it_already_is_told_so(things: Things) -> None:
    first = things.get("/large")
    tag = first.headers["ETag"]
    for told in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = things.get("/large", if_none_match=told)
        assert (again.status, again.text, again.headers["ETag"]) == (304, "", tag)
        assert "Content-Type" not in again.headers
    assert things.get("/large", if_none_match='W/"other"').status == 200


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [("gzip", True), ("gzip, deflate, br", True), ("br;q=1.0, gzip;q=0.5", True), ("*", True), ("GZIP", True),
     ("gzip;q=0", False), ("identity", False), ("", False), ("gzipped", False)],
)  # fmt: skip
def test_large_answers_are_packed_for_who_takes_that(things: Things, accepted: str, packed: bool) -> None:
    reply = things.get("/large", accept_encoding=accepted)
    assert reply.is_binary == packed
    assert "Accept-Encoding" in reply.headers["Vary"]
    if packed:
        assert reply.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(base64.b64decode(reply.text)) == things.get("/large").text.encode()


def test_small_answers_are_not_packed(things: Things) -> None:
    assert not things.get("/open", accept_encoding="gzip").is_binary


def test_each_answer_says_how_long_it_may_be_kept(things: Things) -> None:
    assert things.get("/large").headers["Cache-Control"] == "no-cache"
    assert things.get("/old").headers["Cache-Control"] == "public, max-age=86400, immutable"
    assert things.get("/open").headers["Cache-Control"] == "no-store"
    assert things.get("/fails").headers["Cache-Control"] == "no-store"
    assert things.send("PUT", "/things/a", {"version": 7, "name": "n"}).headers["Cache-Control"] == "no-store"


def test_what_was_read_with_a_token_is_never_kept_by_others(things: Things) -> None:
    token = f"Bearer {TOKEN}"
    assert things.get("/old", authorization=token).headers["Cache-Control"] == "private, max-age=86400, immutable"
    assert things.get("/large", authorization=token).headers["Cache-Control"] == "private, no-cache"


def test_reads_may_be_for_holders_of_a_token_only() -> None:
    things = Things(public_read=False)
    reply = things.get("/large")
    assert (reply.status, reply.error["code"]) == (401, "unauthorized")
    assert things.get("/large", authorization=f"Bearer {TOKEN}").headers["Cache-Control"] == "private, no-cache"
    assert things.get("/open").status == 200


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", "Basic dGhlLXRva2Vu", "the-token"])
def test_a_write_needs_the_token(things: Things, header: str | None) -> None:
    headers = {} if header is None else {"authorization": header}
    reply = things.client.request("POST", "/things", body={"version": 1, "name": "n"}, headers=headers)
    assert (reply.status, reply.error["code"], things.made) == (401, "unauthorized", 0)
    assert reply.headers["WWW-Authenticate"].startswith("Bearer")


def test_every_answer_says_what_may_be_asked(things: Things) -> None:
    for reply in (
        things.get("/open"),
        things.get("/nowhere"),
        things.get("/fails"),
        things.send("DELETE", "/open", None),
    ):
        assert reply.headers["RateLimit-Policy"] == '"route";q=50;w=1'


@pytest.mark.parametrize("accepted", ["application/xml", "text/csv;q=0.1", "application/json;q=0", "nonsense"])
def test_accept_chooses_nothing(things: Things, accepted: str) -> None:
    reply = things.get("/open", accept=accepted)
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")


def test_a_head_is_a_get_without_its_body(things: Things) -> None:
    get, head = things.get("/large"), things.client.request("HEAD", "/large")
    assert (head.status, head.text, head.headers["ETag"]) == (200, "", get.headers["ETag"])
    assert things.client.request("HEAD", "/things").status == 405


def test_a_wrong_method_is_told_the_right_ones(things: Things) -> None:
    reply = things.client.request("DELETE", "/things/a")
    assert (reply.status, reply.error["code"]) == (405, "method_not_allowed")
    assert reply.headers["Allow"] == "GET, HEAD, OPTIONS, PUT"
    assert things.client.request("OPTIONS", "/things/a").headers["Allow"] == "GET, HEAD, OPTIONS, PUT"


def test_an_unknown_path_is_not_found_in_the_same_shape(things: Things) -> None:
    reply = things.client.request("GET", "/nowhere")
    assert (reply.status, reply.error["code"]) == (404, "not_found")


def test_a_preflight_is_answered_by_the_list_of_origins(things: Things) -> None:
    asked = {"origin": ORIGIN, "access-control-request-method": "PUT"}
    reply = things.client.request("OPTIONS", "/things/a", headers=asked)
    assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == (204, ORIGIN)
    assert "PUT" in reply.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in reply.headers["Access-Control-Allow-Headers"]
    for foreign in ("https://evil.example.com", "null", f"{ORIGIN}.evil.com", ORIGIN.upper()):
        reply = things.client.request("OPTIONS", "/things/a", headers=asked | {"origin": foreign})
        assert (reply.status, reply.error["code"]) == (403, "forbidden")
        assert "Access-Control-Allow-Origin" not in reply.headers


@pytest.mark.parametrize("path", ["/open", "/nowhere", "/fails", "/away"])
def test_a_page_of_a_listed_origin_may_read_answers_and_refusals(things: Things, path: str) -> None:
    assert things.get(path, origin=ORIGIN).headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Access-Control-Allow-Origin" not in things.get(path, origin="https://evil.example.com").headers
    assert "Origin" in things.get(path).headers["Vary"]


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_methods_cannot_be_overridden(things: Things, name: str) -> None:
    reply = things.client.request("GET", "/open", headers={name: "DELETE"})
    assert (reply.status, reply.error["code"]) == (400, "bad_request")


def test_each_answer_names_its_request_and_so_does_each_refusal(things: Things) -> None:
    assert things.get("/open").headers["X-Request-Id"] == "gateway-request-1"
    reply = things.get("/fails", x_request_id="my-own-request")
    assert reply.headers["X-Request-Id"] == reply.error["request_id"] == "my-own-request"
    for bad in ("short", "a" * 65, "with space here", "new\nline-injected", "x" * 20 + "\0"):
        assert things.get("/open", x_request_id=bad).headers["X-Request-Id"] == "gateway-request-1"


def test_nothing_of_the_inside_is_told_and_all_of_it_is_logged(
    things: Things, caplog: pytest.LogCaptureFixture
) -> None:
    reply = things.get("/fails")
    assert (reply.status, reply.error["code"]) == (500, "internal_error")
    away = things.get("/away")
    assert (away.status, away.error["code"], away.headers["Retry-After"]) == (503, "unavailable", "1")
    assert "secret" not in reply.text + away.text
    assert "secret-inside" in caplog.text
    assert [vars(record).get("reason") for record in caplog.records][
        -1
    ] == "storage could not read secret-table: secret-reason"


def test_tokens_are_never_logged(
    things: Things, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    things.get("/large", authorization=f"Bearer {TOKEN}")
    things.get("/large", authorization="Bearer another-secret")
    logged = str([vars(record) for record in caplog.records]) + capsys.readouterr().out
    assert "/large" in logged
    assert TOKEN not in logged
    assert "another-secret" not in logged


def test_each_request_is_one_line_with_its_metrics(things: Things, capsys: pytest.CaptureFixture[str]) -> None:
    """CloudWatch reads the metrics out of the line: each name that it declares must be there with a number."""
    things.get("/things/a", x_request_id="my-own-request")
    things.get("/away")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["correlation_id"], line["route"], line["status"]) for line in lines] == [
        ("my-own-request", "/things/{id}", 200), ("gateway-request-1", "/away", 503),
    ]  # fmt: skip
    for line, errors in zip(lines, (0, 1), strict=True):
        (measured,) = line["_aws"]["CloudWatchMetrics"]
        assert measured["Dimensions"] == [[]]
        counted = {name: unit for name, unit in TELEMETRY.units.items() if errors or name != "server_errors"}
        assert {one["Name"]: one["Unit"] for one in measured["Metrics"]} == counted
        assert line["server_errors"] == ([errors] if errors else 0)
        assert line["duration_ms"][0] > 0


def test_a_stale_version_is_told_the_current_one(things: Things) -> None:
    reply = things.send("PUT", "/things/a", {"version": 6, "name": "n"})
    assert (reply.status, reply.error["code"], reply.error["current"]) == (409, "conflict", 7)
    assert things.send("PUT", "/things/gone", {"version": 7, "name": "n"}).status == 404


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"name": "n"}, "version", "must be given"),
        ({"version": 0, "name": "n"}, "version", "at least 1"),
        ({"version": "1", "name": "n"}, "version", "whole number"),
        ({"version": 1, "name": ""}, "name", "1 to 20 characters"),
        ({"version": 1, "name": None}, "name", "text"),
        ({"version": 1, "name": "n", "tags": "abc"}, "tags", "a list"),
        ({"version": 1, "name": "n", "tags": ["a", "b", "c"]}, "tags", "0 to 2 entries"),
        ({"version": 1, "name": "n", "tags": ["abcd"]}, "tags[0]", "characters"),
        ({"version": 1, "name": "n", "colour": "red"}, "colour", "not a field"),
        ([], "body", "an object"),
    ],
)
def test_a_body_is_told_its_field_and_the_remedy(things: Things, body: Any, field: str, words: str) -> None:
    reply = things.send("PUT", "/things/a", body)
    assert (reply.status, reply.error["field"]) == (422, field)
    assert words in reply.error["message"]


def test_a_post_with_a_key_is_done_once(things: Things) -> None:
    body = {"version": 1, "name": "n"}
    first = things.send("POST", "/things", body, idempotency_key="k1")
    again = things.send("POST", "/things", body, idempotency_key="k1")
    assert (first.status, again.status, things.made) == (201, 201, 1)
    assert first.plain == again.plain
    assert again.headers["Idempotent-Replayed"] == "true"
    other = things.send("POST", "/things", body | {"name": "m"}, idempotency_key="k1")
    assert (other.status, other.error["field"]) == (409, "Idempotency-Key")
    assert things.send("POST", "/things", body, idempotency_key="k2").status == 201
    assert things.made == 2


def test_a_refused_post_does_not_use_its_key_up(things: Things) -> None:
    assert things.send("POST", "/things", {"version": 1}, idempotency_key="k").status == 422
    assert things.send("POST", "/things", {"version": 1, "name": "n"}, idempotency_key="k").status == 201


@pytest.mark.parametrize("key", ["", "a b", "x" * 101, "ü", "a\nb", "../x"])
def test_a_strange_key_is_refused(things: Things, key: str) -> None:
    reply = things.send("POST", "/things", {"version": 1, "name": "n"}, idempotency_key=key)
    assert (reply.status, reply.error["field"]) == (422, "Idempotency-Key")


def test_bodies_in_base64_are_the_same(things: Things) -> None:
    """With binary media types API Gateway encodes every body."""
    sent = event("/things", "POST", None, None, None, {"authorization": f"Bearer {TOKEN}"})
    packed = base64.b64encode(b'{"version": 1, "name": "n"}').decode()
    assert things.api({**sent, "body": packed, "isBase64Encoded": True})["statusCode"] == 201
    assert things.api({**sent, "body": "*", "isBase64Encoded": True})["statusCode"] == 400


def test_the_document_tells_of_keys_versions_and_pages() -> None:
    told = document(OPERATIONS, "1")
    assert told["paths"]["/things"]["post"]["security"] == [{"token": []}]
    assert told["paths"]["/things"]["post"]["parameters"][0]["name"] == "Idempotency-Key"
    assert "409" in told["paths"]["/things/{id}"]["put"]["responses"]
    links = told["paths"]["/things/{id}"]["get"]["responses"]["200"]["links"]
    assert links["NextPage"]["parameters"]["cursor"] == "$response.body#/next_cursor"
