"""One declaration, four readers: routes, template, document and requests agree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate
from samtranslator.yaml_helper import yaml_parse

from analyse.handler import app as analyse_app
from analyse.pair_service import PairService
from analyse.routes import create_app as create_analyse_app
from analyse.service import Analyst
from api.app import app
from api.chalicelib.routes import create_app
from api.chalicelib.service import MarketData
from quant import __version__
from quant.contract.catalogue import ANALYSE, LIGHT, OPERATIONS
from quant.contract.document import document
from quant.contract.operation import AnyOperation, Auth
from quant.domain.interval import DAY
from quant.http.answers import to_json
from quant.http.gate import Gate
from quant.http.keys import KeyRing
from quant.live_bars import LiveBars
from tests.functional.analyse.market import AnalysedMarket, minute_bars, tied, walks
from tests.functional.api.cases import Case, cases
from tests.functional.api.client import Client, Reply

ROOT = Path(__file__).parents[3]
DOCUMENT = document(OPERATIONS, __version__)
TOKEN = "a-token-of-the-tests"
MARKET = tuple(one for one in OPERATIONS if one.tag != "alerts")
CASES = list(cases(MARKET))


class Platform:
    """Both functions over one market in memory."""

    def __init__(self) -> None:
        world = AnalysedMarket()
        series = walks(2)
        for symbol, closes in (("BTCUSDT", series[0]), ("ETHUSDT", tied(series[0])), ("ADAUSDT", series[1])):
            world.put(symbol, minute_bars(closes))
        storage = world.storage
        Analyst(storage.bars, storage.instruments, storage.cache, to_json, lambda: world.now).run(world.now)
        data = MarketData(storage, {}, 7 * DAY, "1.2.3")
        pairs = PairService(LiveBars(storage.ticks, storage.bars), storage.instruments)
        gate = Gate(KeyRing(lambda: (TOKEN,)))
        self.light = Client(create_app(lambda: data, lambda: world.now, lambda: gate), LIGHT)
        self.heavy = Client(create_analyse_app(lambda: pairs, lambda: world.now, lambda: gate), ANALYSE)

    def of(self, operation: AnyOperation) -> Client:
        return self.heavy if operation in ANALYSE else self.light

    def ask(self, case: Case) -> Reply:
        return self.of(case.operation).request(case.operation.method, case.path, query=case.query)


@pytest.fixture(scope="module")
def platform() -> Platform:
    return Platform()


def _conforms(operation: AnyOperation, reply: Reply) -> None:
    """The answer has a declared status, and the declared shape to the last field."""
    told = DOCUMENT["paths"][operation.path][operation.method.lower()]["responses"]
    assert str(reply.status) in told, f"{reply.status} is not declared"
    content = told[str(reply.status)].get("content", {})
    kind = reply.headers["Content-Type"].partition(";")[0]
    assert kind in content
    if kind == "application/json":
        schema = {**content[kind]["schema"], "components": DOCUMENT["components"]}
        jsonschema.Draft202012Validator(schema).validate(reply.plain)


def test_the_document_is_openapi_3_1() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["openapi"] == "3.1.0"


def test_every_operation_has_a_name_of_its_own() -> None:
    assert len({one.id for one in OPERATIONS}) == len(OPERATIONS)


@pytest.mark.parametrize(
    ("chalice", "operations", "function"),
    [(app, LIGHT, "ApiFunction"), (analyse_app, ANALYSE, "AnalyseFunction")],
    ids=["api", "analyse"],
)
def test_declarations_routes_and_events_are_the_same(chalice: Any, operations: Any, function: str) -> None:
    declared = {(one.path, one.method) for one in operations}
    routed = {(path, method) for path, methods in chalice.routes.items() for method in methods}
    assert routed == declared
    template = yaml_parse((ROOT / "template.yaml").read_text())
    events = template["Resources"][function]["Properties"]["Events"].values()
    paths = sorted(event["Properties"]["Path"] for event in events if event["Type"] == "Api")
    assert paths == sorted({path for path, _ in declared})


def test_the_document_tells_every_operation_and_is_what_the_api_hands_out(platform: Platform) -> None:
    told = {(path, method.upper()) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert told == {(one.path, one.method) for one in OPERATIONS}
    assert json.loads(platform.light.get("/openapi.json").text) == DOCUMENT


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_each_parameter_takes_what_is_declared_and_nothing_else(platform: Platform, case: Case) -> None:
    reply = platform.ask(case)
    _conforms(case.operation, reply)
    if case.is_good:
        assert reply.status == 200 or reply.error["code"] != "invalid_parameter" or _is_of_another(reply, case)
    else:
        assert (reply.status, reply.error["code"], reply.error["field"]) == (422, "invalid_parameter", case.name)


def _is_of_another(reply: Reply, case: Case) -> bool:
    """A value at its bound may not go with another parameter's default: that error names both."""
    message = reply.error["message"]
    return reply.status == 422 and any(word in message for word in ("below entry", "above entry", "which is lookback"))


@pytest.mark.parametrize("operation", MARKET, ids=lambda one: one.id)
def test_an_unknown_parameter_is_refused_by_name(platform: Platform, operation: AnyOperation) -> None:
    path = operation.path.replace("{symbol}", "BTCUSDT")
    reply = platform.of(operation).request(operation.method, path, query={"colour": "red"}, body=_example(operation))
    _conforms(operation, reply)
    assert (reply.status, reply.error["field"]) == (422, "colour")


@pytest.mark.parametrize("operation", MARKET, ids=lambda one: one.id)
def test_a_parameter_given_twice_is_refused(platform: Platform, operation: AnyOperation) -> None:
    for name in operation.in_query:
        path = operation.path.replace("{symbol}", "BTCUSDT")
        reply = platform.of(operation).request(operation.method, path, query={name: ["a", "b"]})
        assert (reply.status, reply.error["field"]) == (422, name)


@pytest.mark.parametrize("operation", MARKET, ids=lambda one: one.id)
def test_the_examples_of_the_document_are_answered_as_it_says(platform: Platform, operation: AnyOperation) -> None:
    path = operation.path.replace("{symbol}", "BTCUSDT")
    reply = platform.of(operation).request(operation.method, path, query=_query(operation), body=_example(operation))
    assert reply.status == 200, reply.text
    _conforms(operation, reply)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.id)
def test_a_token_that_is_not_valid_is_refused_wherever_one_is_read(platform: Platform, operation: AnyOperation) -> None:
    path = operation.path.replace("{symbol}", "BTCUSDT").replace("{id}", "a")
    headers = {"authorization": "Bearer wrong"}
    reply = platform.of(operation).request(operation.method, path, query=_query(operation), headers=headers, body="{}")
    if operation.auth is Auth.NONE:
        assert reply.status != 401
    else:
        _conforms(operation, reply)
        assert (reply.status, reply.error["code"]) == (401, "unauthorized")
        assert reply.headers["WWW-Authenticate"].startswith("Bearer")


def _query(operation: AnyOperation) -> dict[str, str]:
    told = DOCUMENT["paths"][operation.path][operation.method.lower()]["parameters"]
    return {one["name"]: str(one["example"]) for one in told if one["in"] == "query" and one["required"]}


def _example(operation: AnyOperation) -> Any:
    body = DOCUMENT["paths"][operation.path][operation.method.lower()].get("requestBody")
    return body and body["content"]["application/json"]["example"]


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.reads_body], ids=lambda one: one.id)
@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("", "application/json", 400),
        ("{", "application/json", 400),
        ("\0", "application/json", 400),
        ('{"a": NaN}', "application/json", 400),
        ("[" * 100_000, "application/json", 413),
        ("[" * 5_000, "application/json", 400),
        ('{"unknown": 1}', "application/json", 422),
        ("[1]", "application/json", 422),
        ("{}", "text/plain", 415),
        ("{}", "multipart/form-data; boundary=x", 415),
    ],
    ids=range(10),
)
def test_bodies_that_cannot_be_used_are_refused(
    platform: Platform, operation: AnyOperation, body: str, content_type: str, status: int
) -> None:
    path = operation.path.replace("{id}", "a")
    headers = {"content-type": content_type, "authorization": f"Bearer {TOKEN}"}
    reply = platform.of(operation).request(operation.method, path, body=body, headers=headers)
    _conforms(operation, reply)
    if status == 413 and operation.max_body >= len(body):
        status = 400
    assert reply.status == status, reply.text
