"""Least privilege: each function can do what it does, and is allowed nothing that it does not.

Every function's handler is played through in moto once, under its own policy. A call that no statement allows is
refused as AWS would refuse it; a permission that none of the calls needs is one too many.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.architecture.permissions import ACCOUNT, PREFIX, REGION, Guard, guarded, load, permissions, refused, unused
from tests.architecture.scenarios import SCENARIOS, Refusing

TEMPLATE = load()
FUNCTIONS = sorted(name for name, one in TEMPLATE["Resources"].items() if one["Type"] == "AWS::Serverless::Function")
FOLDERS = {TEMPLATE["Resources"][name]["Properties"]["Handler"].split(".")[0] for name in FUNCTIONS}
Play = Callable[[str], Guard]


@pytest.fixture(scope="module")
def play() -> Iterator[Play]:
    """Plays all of a function under its policy, once for all tests."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
            environment.delenv(name, raising=False)
        for name, value in {
            "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION,
            "PREFIX": PREFIX, "ARCHIVE_BUCKET": "archivebucket", "MOTO_ACCOUNT_ID": ACCOUNT,
        }.items():  # fmt: skip
            environment.setenv(name, value)
        yield cache(played)


def played(function: str) -> Guard:
    guard = Guard(permissions(TEMPLATE, function))
    with ExitStack() as stack:
        stack.enter_context(mock_aws())
        stack.enter_context(guarded(guard))
        stack.enter_context(fresh_clients())
        create_resources()
        SCENARIOS[function](Refusing(guard))
    return guard


@contextmanager
def fresh_clients() -> Iterator[None]:
    """The functions' modules are loaded anew, so that none has a client from before; then all is as it was."""
    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] in FOLDERS}
    _forget()
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] in FOLDERS]:
            del sys.modules[name]
        sys.modules.update(kept)
        _forget()


def _forget() -> None:
    """What the shared package keeps for the life of a process."""
    for name in [name for name in sys.modules if name.split(".")[0] == "quant"]:
        for value in list(vars(sys.modules[name]).values()):
            if clear := getattr(value, "cache_clear", None):
                clear()


def create_resources() -> None:
    client = boto3.client("dynamodb")
    for resource in TEMPLATE["Resources"].values():
        if resource["Type"] == "AWS::DynamoDB::Table":
            properties = resource["Properties"]
            client.create_table(
                TableName=properties["TableName"]["Fn::Sub"].replace("${Prefix}", PREFIX),
                BillingMode="PAY_PER_REQUEST",
                KeySchema=properties["KeySchema"],
                AttributeDefinitions=properties["AttributeDefinitions"],
            )
    boto3.client("s3").create_bucket(
        Bucket="archivebucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_do_all_that_it_does(function: str, play: Play) -> None:
    assert play(function).refused == set()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_do_nothing_else(function: str, play: Play) -> None:
    guard = play(function)
    too_many = unused(guard.allowed, guard.made)
    assert not too_many, "\n".join(map(str, too_many))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_without_any_one_statement_something_is_refused(function: str, play: Play) -> None:
    made = play(function).made
    for policy in range(len(TEMPLATE["Resources"][function]["Properties"]["Policies"])):
        for statement in range(len(_statements(TEMPLATE, function, policy))):
            template = copy.deepcopy(TEMPLATE)
            left_out = _statements(template, function, policy).pop(statement)
            assert refused(permissions(template, function), made), left_out["Sid"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_statement_too_many_is_noticed(function: str, play: Play) -> None:
    template = copy.deepcopy(TEMPLATE)
    extra = {"Sid": "TooMany", "Action": ["dynamodb:DeleteTable"], "Resource": [{"Fn::GetAtt": ["TickData", "Arn"]}]}
    _statements(template, function, 0).append(extra)
    too_many = unused(permissions(template, function), play(function).made)
    assert {one.statement for one in too_many} == {"TooMany"}


def _statements(template: dict[str, Any], function: str, policy: int) -> list[dict[str, Any]]:
    statements: list[dict[str, Any]] = template["Resources"][function]["Properties"]["Policies"][policy]["Statement"]
    return statements
