"""The template that the emulator gets is template.yaml, CodeUri apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.local.errors import DeploymentError
from infra.local.packages import Package
from infra.local.templates import Route, any_routes, gateway_responses, load_template, with_environment, with_packages

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return load_template(ROOT / "template.yaml")


def fake_pack(code: Path, handler: str) -> Package:
    return Package(handler.split(".")[0], f"{code} {handler}".encode())


def test_only_code_uri_is_replaced(template: dict[str, Any]) -> None:
    changed, packages = with_packages(template, ROOT, "bucket", fake_pack)
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            uri = changed["Resources"][name]["Properties"].pop("CodeUri")
            assert uri.startswith("s3://bucket/")
            assert uri.removeprefix("s3://bucket/") in packages
            changed["Resources"][name]["Properties"]["CodeUri"] = resource["Properties"]["CodeUri"]
    assert changed == template


def test_a_variable_goes_before_what_the_template_says_and_beside_all_else(template: dict[str, Any]) -> None:
    changed = with_environment(template, {"SITE_URL": "http://127.0.0.1:8000"})["Resources"]
    told = changed["CheckAlertsFunction"]["Properties"]["Environment"]["Variables"]
    own = template["Resources"]["CheckAlertsFunction"]["Properties"]["Environment"]["Variables"]
    assert told == own | {"SITE_URL": "http://127.0.0.1:8000"}
    assert own["SITE_URL"] != "http://127.0.0.1:8000"
    assert changed["ApiFunction"]["Properties"]["Environment"]["Variables"]["SITE_URL"] == "http://127.0.0.1:8000"
    assert changed["TickData"] == template["Resources"]["TickData"]


def test_the_packages_are_made_from_the_folder_beside_the_template(template: dict[str, Any]) -> None:
    _, packages = with_packages(template, ROOT, "bucket", fake_pack)
    assert f"{ROOT / 'functions'} api.app.handler".encode() in {package.data for package in packages.values()}


def test_short_forms_become_long_ones(template: dict[str, Any]) -> None:
    assert template["Outputs"]["RestApiId"]["Value"] == {"Ref": "HttpApi"}


def test_routes_that_take_every_method_are_found(template: dict[str, Any]) -> None:
    assert Route("/ohlc/{symbol}", "ApiFunction") in any_routes(template)


def test_gateway_responses_take_the_form_of_the_api_call() -> None:
    api = {
        "Type": "AWS::Serverless::Api",
        "Properties": {
            "GatewayResponses": {
                "THROTTLED": {
                    "StatusCode": 429,
                    "ResponseParameters": {"Headers": {"Retry-After": "'1'"}},
                    "ResponseTemplates": {"application/json": "{}"},
                }
            }
        },
    }
    assert gateway_responses({"Resources": {"Api": api}}) == {
        "THROTTLED": {
            "statusCode": "429",
            "responseParameters": {"gatewayresponse.header.Retry-After": "'1'"},
            "responseTemplates": {"application/json": "{}"},
        }
    }


@pytest.mark.parametrize("text", ["", "Resources: [", "Description: x"])
def test_a_template_that_cannot_be_used_is_said_in_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(text)
    with pytest.raises(DeploymentError, match=r"template\.yaml"):
        load_template(path)
