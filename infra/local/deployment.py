"""template.yaml deployed to the emulator through CloudFormation."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.deploy.stacks import CAPABILITIES, create_or_update
from infra.deploy.stacks import outputs as stack_outputs
from infra.local.environment import CREDENTIALS, REGION
from infra.local.errors import DeploymentError
from infra.local.rest_api import mend_rest_api, with_plain_binary_types
from infra.local.templates import load_template, with_environment, with_packages
from infra.local.tokens import put_token
from quant.settings import Settings

if TYPE_CHECKING:
    pass

PATIENCE = 120.0
BODY_LIMIT = 51_200
_CONFIG = Config(connect_timeout=5, read_timeout=60, retries={"max_attempts": 2}, proxies={})
# Whatever the developer's shell says of AWS profiles and files of accounts, they are not looked for.
_NO_ACCOUNT = {"profile": (None, None, None, None), "config_file": (None, None, "/dev/null", None)}


@dataclass(frozen=True, slots=True)
class Deployed:
    """A stack that is up. ``api_url`` is the REST API without its stage; ``changed`` is false if all was as it is."""

    api_url: str
    outputs: Mapping[str, str]
    changed: bool


def deploy(
    template_path: Path,
    settings: Settings,
    endpoint: str,
    *,
    token: str = "",
    environment: Mapping[str, str] | None = None,
    patience: float = PATIENCE,
) -> Deployed:
    """Upload the thin packages, then create or update the stack named by the prefix, and wait for it.

    ``token`` becomes the API's, where one is given; ``environment`` goes before what the template tells its functions.

    Raises:
        DeploymentError: says what was refused, and why.
    """
    try:
        if token:
            put_token(clients(endpoint)("ssm"), settings.api_tokens, token)
        return _deploy(template_path, settings, endpoint, environment or {}, time.monotonic() + patience)
    except (ClientError, BotoCoreError) as exc:
        raise DeploymentError(str(exc)) from exc


def _deploy(
    template_path: Path, settings: Settings, endpoint: str, environment: Mapping[str, str], deadline: float
) -> Deployed:
    client = clients(endpoint)
    bucket = f"{settings.prefix}-packages"
    source = with_plain_binary_types(load_template(template_path))
    template, packages = with_packages(with_environment(source, environment), template_path.parent, bucket)
    s3 = client("s3")
    s3.create_bucket(Bucket=bucket)
    for key, package in packages.items():
        s3.put_object(Bucket=bucket, Key=key, Body=package.data)
    body = json.dumps(template, sort_keys=True)
    s3.put_object(Bucket=bucket, Key="template.json", Body=body.encode())
    request = {
        "StackName": settings.prefix,
        "Capabilities": CAPABILITIES,
        "Parameters": _parameters(template, settings),
        **(
            {"TemplateBody": body} if len(body) <= BODY_LIMIT else {"TemplateURL": f"{endpoint}/{bucket}/template.json"}
        ),
    }
    changed = create_or_update(client("cloudformation"), request, deadline)
    outputs = stack_outputs(client("cloudformation"), settings.prefix)
    if "RestApiId" not in outputs:
        raise DeploymentError("the template has no output RestApiId")
    mend_rest_api(client("apigateway"), client("lambda"), client("cloudformation"), settings.prefix, source, outputs)
    return Deployed(f"{endpoint}/_aws/execute-api/{outputs['RestApiId']}", outputs, changed)


def clients(endpoint: str) -> Callable[[str], Any]:
    """Clients of the emulator by service, whatever the shell says of accounts."""
    session = boto3.Session(
        botocore_session=botocore.session.Session(session_vars=_NO_ACCOUNT),
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )
    return lambda service: session.client(service, endpoint_url=endpoint, config=_CONFIG)  # type: ignore[call-overload]


def _parameters(template: Mapping[str, Any], settings: Settings) -> list[dict[str, str]]:
    values = {
        "Prefix": settings.prefix,
        "TickTtlSeconds": settings.tick_ttl_seconds,
        "Bar1sTtlSeconds": settings.bar_1s_ttl_seconds,
        "LogLevel": settings.log_level,
        "LogRetentionDays": 1,
        "PublicRead": str(settings.public_read).lower(),
        "CorsOrigins": ",".join(settings.cors_origins),
        "ApiRateLimit": settings.api_rate_limit,
        "ApiBurstLimit": settings.api_burst_limit,
    }
    known = template.get("Parameters", {})
    return [{"ParameterKey": name, "ParameterValue": str(value)} for name, value in values.items() if name in known]
