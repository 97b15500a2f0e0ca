"""Policies of template.yaml, and a guard that lets a function do in moto what its policy allows and nothing else.

A call is a pair of an action and an ARN, as IAM sees it. The guard stands in botocore's own events, so that boto3 and
PynamoDB both pass it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from threading import RLock
from typing import Any

import boto3
import botocore.handlers
from botocore.exceptions import ClientError
from moto.core.models import botocore_stubber
from samtranslator.yaml_helper import yaml_parse

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
REGION, ACCOUNT, PREFIX = "eu-central-1", "123456789012", "quant"
PSEUDO = {
    "AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com",
}  # fmt: skip
Call = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Permission:
    """One action on one resource that a statement of a policy allows; ``resource`` may hold ``*``."""

    statement: str
    action: str
    resource: str

    def allows(self, call: Call) -> bool:
        return self.action == call[0] and fnmatchcase(call[1], self.resource)


class Names:
    """Resolves what a template says of resources into ARNs."""

    def __init__(self, template: Mapping[str, Any]) -> None:
        self._template = template
        self._values = {name: str(one.get("Default", "")) for name, one in template["Parameters"].items()} | PSEUDO

    def arn(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        [(function, argument)] = value.items()
        if function == "Ref":
            return self._reference(argument)
        if function == "Fn::GetAtt":
            return self._of_resource(argument[0])
        if function == "Fn::Sub":
            return re.sub(r"\$\{([^}]+)\}", lambda found: self._reference(found[1]), argument)
        raise ValueError(f"{function} is not read here")

    def _reference(self, name: str) -> str:
        return self._values[name] if name in self._values else self._of_resource(name.removesuffix(".Arn"))

    def _of_resource(self, name: str) -> str:
        resource = self._template["Resources"][name]
        properties, kind = resource.get("Properties", {}), resource["Type"]
        if kind == "AWS::DynamoDB::Table":
            return table_arn(self.arn(properties["TableName"]))
        if kind == "AWS::S3::Bucket":
            return f"arn:aws:s3:::{name.lower()}"
        if kind == "AWS::SNS::Topic":
            return f"arn:aws:sns:{REGION}:{ACCOUNT}:{self.arn(properties['TopicName'])}"
        if kind == "AWS::SQS::Queue":
            return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self.arn(properties['QueueName'])}"
        raise ValueError(f"{kind} is not read here")


def load() -> dict[str, Any]:
    template: dict[str, Any] = yaml_parse(TEMPLATE.read_text())
    return template


def permissions(template: Mapping[str, Any], function: str) -> list[Permission]:
    """Each pair of an action and a resource in the function's own policies."""
    names = Names(template)
    return [
        Permission(statement["Sid"], action, names.arn(resource))
        for policy in template["Resources"][function]["Properties"].get("Policies", [])
        for statement in policy["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    ]


@dataclass
class Guard:
    """Notes what is called; refuses what no permission allows. ``on`` is false while a test lays out its data."""

    allowed: Sequence[Permission]
    on: bool = False
    made: set[Call] = field(default_factory=set)
    refused: set[Call] = field(default_factory=set)

    def __call__(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if not self.on:
            return
        for call in calls(model.service_model.service_name, model.name, params):
            self.made.add(call)
            if refused(self.allowed, [call]):
                self.refused.add(call)
                error = {"Code": "AccessDeniedException", "Message": f"no statement allows {call[0]} on {call[1]}"}
                raise ClientError({"Error": error}, model.name)  # type: ignore[arg-type]


def refused(allowed: Iterable[Permission], made: Iterable[Call]) -> list[Call]:
    """Which calls none of these permissions would allow."""
    return sorted(call for call in made if not any(one.allows(call) for one in allowed))


def unused(allowed: Iterable[Permission], made: Iterable[Call]) -> list[Permission]:
    """Which permissions none of these calls needs."""
    return sorted((one for one in set(allowed) if not any(map(one.allows, made))), key=str)


@contextmanager
def guarded(guard: Guard) -> Iterator[None]:
    """All clients that are made inside pass the guard, and reach moto one at a time: its tables know no threads."""
    one_at_a_time, moto = RLock(), ("before-send", botocore_stubber)

    def send(**request: Any) -> Any:
        with one_at_a_time:
            return botocore_stubber(**request)

    entries = [("before-parameter-build", guard), ("before-send", send)]
    botocore.handlers.BUILTIN_HANDLERS.remove(moto)
    botocore.handlers.BUILTIN_HANDLERS.extend(entries)
    boto3.DEFAULT_SESSION = None
    try:
        yield
    finally:
        for entry in entries:
            botocore.handlers.BUILTIN_HANDLERS.remove(entry)
        botocore.handlers.BUILTIN_HANDLERS.append(moto)
        boto3.DEFAULT_SESSION = None


def calls(service: str, operation: str, params: Mapping[str, Any]) -> list[Call]:
    """What IAM is asked when this operation is called.

    Source: AWS's Service Authorization Reference, the tables of actions of each service.
    """
    return _SERVICES[service](operation, params)


def _dynamodb(operation: str, params: Mapping[str, Any]) -> list[Call]:
    if operation in ("BatchWriteItem", "BatchGetItem"):
        return [(f"dynamodb:{operation}", table_arn(table)) for table in params["RequestItems"]]
    if operation == "TransactWriteItems":
        # A transaction has no action of its own: each part asks for the one of its kind.
        kinds = {
            "Put": "PutItem",
            "Update": "UpdateItem",
            "Delete": "DeleteItem",
            "ConditionCheck": "ConditionCheckItem",
        }
        return [
            (f"dynamodb:{kinds[kind]}", table_arn(part["TableName"]))
            for item in params["TransactItems"]
            for kind, part in item.items()
        ]
    return [(f"dynamodb:{operation}", table_arn(params["TableName"]))]


def _s3(operation: str, params: Mapping[str, Any]) -> list[Call]:
    bucket = f"arn:aws:s3:::{params['Bucket']}"
    if operation in ("HeadBucket", "ListObjectsV2"):
        return [("s3:ListBucket", bucket)]
    action = {"GetObject": "GetObject", "HeadObject": "GetObject", "PutObject": "PutObject"}[operation]
    return [(f"s3:{action}", f"{bucket}/{params['Key']}")]


def _ses(operation: str, params: Mapping[str, Any]) -> list[Call]:
    return [(f"ses:{operation}", f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/{params.get('Source', '')}")]


def _sns(operation: str, params: Mapping[str, Any]) -> list[Call]:
    return [(f"sns:{operation}", params["TopicArn"])]


def _sqs(operation: str, params: Mapping[str, Any]) -> list[Call]:
    return [(f"sqs:{operation}", f"arn:aws:sqs:{REGION}:{ACCOUNT}:{params['QueueUrl'].rpartition('/')[2]}")]


def _ssm(operation: str, params: Mapping[str, Any]) -> list[Call]:
    names = params.get("Names") or [params.get("Name") or params["Path"]]
    return [(f"ssm:{operation}", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{name.lstrip('/')}") for name in names]


_SERVICES: dict[str, Callable[[str, Mapping[str, Any]], list[Call]]] = {
    "dynamodb": _dynamodb, "s3": _s3, "ses": _ses, "sns": _sns, "sqs": _sqs, "ssm": _ssm,
}  # fmt: skip


def table_arn(name: str) -> str:
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"
