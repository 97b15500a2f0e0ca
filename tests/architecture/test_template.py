"""template.yaml says what the code does: tables, routes, handlers, settings."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from samtranslator.yaml_helper import yaml_parse

import analyse.handler as analyse
import check_alerts.handler as check_alerts
import resample.handler as resample
from analyse.handler import app as analyse_app
from api.app import app
from api.chalicelib import routes as api_routes
from ingestor.metrics import METRICS, NAMESPACE
from quant.monthly_use import Load
from quant.settings import SETTINGS
from quant.storage.parquet import SCALE, to_parquet
from tests.functional.world import random_trades

ROOT = Path(__file__).parents[2]
TEMPLATE: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
SERVICE: dict[str, Any] = yaml_parse((ROOT / "infra/ingestor-service.yaml").read_text())
FUNCTIONS = {
    name: resource["Properties"]
    for name, resource in TEMPLATE["Resources"].items()
    if resource["Type"] == "AWS::Serverless::Function"
}


# Of these IAM knows no resources (Service Authorization Reference, Amazon SES).
WITHOUT_RESOURCES = {"ses:GetSendQuota", "ses:GetIdentityVerificationAttributes"}


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


@pytest.mark.parametrize("function", ["ResampleFunction", "AnalyseFunction", "CheckAlertsFunction"])
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
                assert "*" not in statement["Resource"] or set(statement["Action"]) <= WITHOUT_RESOURCES


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


def _resources(kind: str) -> dict[str, dict[str, Any]]:
    return {name: one for name, one in TEMPLATE["Resources"].items() if one["Type"] == kind}


def _alarms() -> list[dict[str, Any]]:
    return list(_resources("AWS::CloudWatch::Alarm").values())


def _widgets() -> list[dict[str, Any]]:
    body = TEMPLATE["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    widgets: list[dict[str, Any]] = json.loads(body)["widgets"]
    return widgets


def test_every_alarm_tells_the_topic_and_the_bill_counts_all_of_them() -> None:
    alarms = [one["Properties"] for one in _alarms()]
    assert all(alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlarmTopic"}] for alarm in alarms)
    of_a_shard = [one for one in SERVICE["Resources"].values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    assert len(alarms) == Load().alarms
    assert len(of_a_shard) == Load().alarms_each


def test_silence_is_an_alarm_where_a_sign_of_life_is_expected() -> None:
    missing = {
        name: one["Properties"]["TreatMissingData"] for name, one in _resources("AWS::CloudWatch::Alarm").items()
    }
    assert [name for name, how in missing.items() if how == "breaching"] == ["StaleFeed", "MonitorSilent"]


def _own_metrics() -> set[tuple[str, str]]:
    """Namespace and name of everything that the functions and the ingestor count."""
    found = {(NAMESPACE, name) for name in METRICS}
    for telemetry in (api_routes.TELEMETRY, resample.TELEMETRY, analyse.TELEMETRY, check_alerts.TELEMETRY):
        found |= {(telemetry.metrics.namespace, name) for name in telemetry.units}
    return found


def test_alarms_and_the_dashboard_watch_metrics_that_the_code_writes() -> None:
    watched = {(one["Properties"]["Namespace"], one["Properties"]["MetricName"]) for one in _alarms()}
    watched |= {(metric[0], metric[1]) for widget in _widgets() for metric in widget["properties"]["metrics"]}
    own = {one for one in watched if not one[0].startswith(("AWS/", "."))}
    assert len(own) > 5
    assert own <= _own_metrics()


def test_operations_explains_every_metric() -> None:
    explained = (ROOT / "docs/operations.md").read_text()
    assert [name for pair in _own_metrics() for name in pair if f"`{name}`" not in explained] == []


def test_buckets_are_private_encrypted_tidied_and_refuse_plain_http() -> None:
    refusing = {
        one["Properties"]["Bucket"]["Ref"]
        for one in _resources("AWS::S3::BucketPolicy").values()
        if any(
            statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
            for statement in one["Properties"]["PolicyDocument"]["Statement"]
        )
    }
    for name, bucket in _resources("AWS::S3::Bucket").items():
        properties = bucket["Properties"]
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
        assert properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert properties["LifecycleConfiguration"]["Rules"]
        assert name in refusing


def test_tables_can_be_restored_and_those_that_hold_what_is_nowhere_else_are_kept() -> None:
    for name, table in _resources("AWS::DynamoDB::Table").items():
        recovery = table["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
        assert recovery == {"Ref": "PointInTimeRecovery"}
        kept = name != "AnalyticsCache"
        assert (table["DeletionPolicy"] == "Retain") == kept
        assert ("DeletionProtectionEnabled" in table["Properties"]) == kept


def test_every_function_has_a_log_group_that_forgets() -> None:
    groups = {one["Properties"]["LogGroupName"]["Fn::Sub"] for one in _resources("AWS::Logs::LogGroup").values()}
    assert groups == {f"/aws/lambda/{one['FunctionName']['Fn::Sub']}" for one in FUNCTIONS.values()}
    for group in _resources("AWS::Logs::LogGroup").values():
        assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_what_a_schedule_calls_leaves_a_dead_letter_when_it_fails() -> None:
    for name, events in _events("Schedule").items():
        assert bool(events) == (FUNCTIONS[name].get("DeadLetterQueue", {}).get("Type") == "SQS"), name


def test_no_shared_cache_keeps_answers_of_the_api_and_authorization_reaches_it() -> None:
    config = TEMPLATE["Resources"]["Distribution"]["Properties"]["DistributionConfig"]
    [api] = [one for one in config["CacheBehaviors"] if one["PathPattern"] == "/api/*"]
    # Ids of AWS's own policies: docs.aws.amazon.com, CloudFront, "Use managed policies".
    assert api["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad", "CachingDisabled"
    assert api["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac", "AllViewerExceptHostHeader"


def test_only_cloudfront_reads_the_site_and_only_this_distribution() -> None:
    policy = TEMPLATE["Resources"]["SiteBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    [allowed] = [one for one in policy if one["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert "${Distribution}" in allowed["Condition"]["StringEquals"]["AWS:SourceArn"]["Fn::Sub"]
    [site] = _resources("AWS::CloudFront::Distribution").values()
    origins = {one["Id"]: one for one in site["Properties"]["DistributionConfig"]["Origins"]}
    assert origins["site"]["OriginAccessControlId"]["Fn::GetAtt"][0] == "SiteAccess"


def test_every_parameter_and_output_is_described_and_every_parameter_has_a_default() -> None:
    for name, one in {**TEMPLATE["Parameters"], **TEMPLATE["Outputs"]}.items():
        assert one["Description"].endswith("."), name
    assert [name for name, one in TEMPLATE["Parameters"].items() if "Default" not in one] == []


def test_the_dashboard_is_one_of_cloudwatch() -> None:
    widgets = _widgets()
    assert {widget["type"] for widget in widgets} == {"metric"}
    assert all(widget["x"] + widget["width"] <= 24 for widget in widgets)
