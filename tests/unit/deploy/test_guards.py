"""What is checked before anything is changed."""

from __future__ import annotations

import pytest

from infra.deploy.guards import Target, confirm, left_over, parameters, warnings
from infra.local.errors import DeploymentError

AWS = Target("123456789012", "arn:aws:iam::123456789012:user/me", "us-east-1", "")
TEMPLATE = {"Parameters": {"Prefix": {}, "Tracing": {"AllowedValues": ["Disabled", "Active"]}}}


def test_the_target_is_shown_whole() -> None:
    assert str(AWS) == "account 123456789012 (arn:aws:iam::123456789012:user/me), region us-east-1, AWS"


def test_a_region_that_the_exchange_refuses_is_said() -> None:
    assert "Binance refuses" in warnings(AWS, "BTCUSDT,coinbase:BTC-USD")[0]
    assert warnings(AWS, "coinbase:BTC-USD") == []
    assert warnings(Target("1", "me", "eu-central-1", ""), "BTCUSDT") == []
    assert warnings(Target("1", "me", "us-east-1", "http://127.0.0.1:4566"), "BTCUSDT") == []


def test_only_parameters_of_the_template_with_values_that_it_allows_are_taken() -> None:
    assert parameters(TEMPLATE, {"Prefix": "a"}) == [{"ParameterKey": "Prefix", "ParameterValue": "a"}]
    with pytest.raises(DeploymentError, match="there is no parameter Prefx; there are Prefix, Tracing"):
        parameters(TEMPLATE, {"Prefx": "a"})
    with pytest.raises(DeploymentError, match="Tracing must be one of Disabled, Active, not 'on'"):
        parameters(TEMPLATE, {"Tracing": "on"})


def test_nothing_goes_on_without_the_word() -> None:
    confirm("Sure?", "9012", lambda question: " 9012\n")
    with pytest.raises(DeploymentError, match="nothing was changed"):
        confirm("Sure?", "9012", lambda question: "y")


def test_tables_without_their_stack_are_named() -> None:
    left_over({"quant-tick_data": False})
    with pytest.raises(DeploymentError, match=r"quant-tick_data\. "):
        left_over({"quant-tick_data": True, "quant-ohlc_data": False})
