"""template.yaml says what the code does: tables, routes, handlers, settings."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from samtranslator.yaml_helper import yaml_parse

from analyse.handler import app as analyse_app
from api.app import app
from quant.settings import SETTINGS
from quant.storage.parquet import SCALE, to_parquet
from tests.functional.world import random_trades

ROOT = Path(__file__).parents[2]
TEMPLATE: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
FUNCTIONS = {
    name: resource["Properties"]
    for name, resource in TEMPLATE["Resources"].items()
    if resource["Type"] == "AWS::Serverless::Function"
}


def _events(kind: str) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [event["Properties"] for event in function.get("Events", {}).values() if event["Type"] == kind]
        for name, function in FUNCTIONS.items()
    }


def test_there_are_five_tables_of_the_names_that_the_code_asks_for() -> None:
    tables = [one["Properties"] for one in TEMPLATE["Resources"].values() if one["Type"] == "AWS::DynamoDB::Table"]
    assert sorted(table["TableName"]["Fn::Sub"] for table in tables) == [
        f"${{Prefix}}-{name}" for name in ("alert_history", "alert_rules", "analytics_cache", "ohlc_data", "tick_data")
    ]
    for table in tables:
        assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]
        assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_every_route_has_one_event_and_every_event_a_route() -> None:
    for function, routes in (("ApiFunction", app.routes), ("AnalyseFunction", analyse_app.routes)):
        assert sorted(event["Path"] for event in _events("Api")[function]) == sorted(routes)
        assert {event["Method"] for event in _events("Api")[function]} == {"any"}


@pytest.mark.parametrize("function", ["ResampleFunction", "AnalyseFunction"])
def test_it_runs_every_minute(function: str) -> None:
    (schedule,) = _events("Schedule")[function]
    assert schedule["Schedule"] == "rate(1 minute)"


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_the_handler_is_there(name: str) -> None:
    module, _, attribute = FUNCTIONS[name]["Handler"].rpartition(".")
    assert callable(getattr(import_module(module), attribute))


def test_every_variable_of_the_functions_is_a_setting() -> None:
    variables = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    assert set(variables) <= {row.name for row in SETTINGS}


def test_every_policy_names_its_actions_and_resources() -> None:
    for function in FUNCTIONS.values():
        for policy in function["Policies"]:
            for statement in policy["Statement"]:
                assert all("*" not in action for action in statement["Action"])
                assert "*" not in statement["Resource"]


def test_there_is_no_second_stage() -> None:
    assert TEMPLATE["Globals"]["Api"]["OpenApiVersion"]
    assert TEMPLATE["Resources"]["HttpApi"]["Properties"]["StageName"] == "api"


def test_the_glue_table_has_the_columns_of_the_archive() -> None:
    """Athena reads what the ingestor writes: the same names in the same order, decimals of the same scale."""
    columns = TEMPLATE["Resources"]["ArchiveTable"]["Properties"]["TableInput"]["StorageDescriptor"]["Columns"]
    schema = pq.read_schema(pa.BufferReader(to_parquet(random_trades(3))))
    glue = {"bigint": "int64", "timestamp": "timestamp[ms, tz=UTC]", "boolean": "bool", "int": "int32"}
    glue |= {f"decimal(38,{SCALE})": f"decimal128(38, {SCALE})"}
    assert [(one["Name"], glue[one["Type"]]) for one in columns] == [(one.name, str(one.type)) for one in schema]
