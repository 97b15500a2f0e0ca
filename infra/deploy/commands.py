"""Deploying and destroying, step by step. All clients come from ``client``, all questions go to ``ask``."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.deploy import guards, ingestors, site, smoke, stacks
from infra.deploy.guards import Target
from infra.deploy.packages import built_package
from infra.local.errors import DeploymentError
from infra.local.packages import Package, thin_package
from infra.local.rest_api import mend_rest_api, with_plain_binary_types
from infra.local.templates import load_template, with_packages
from quant.costs import load_prices, monthly_bill
from quant.monthly_use import Load
from quant.settings import DEFAULT_SYMBOLS

PATIENCE = 1800.0
TABLE = "AWS::DynamoDB::Table"


@dataclass(frozen=True, slots=True)
class Tools:
    """What a deployment works with: a maker of AWS clients, its voice, its ear, and the builder of the site."""

    client: Callable[[str], Any]
    say: Callable[[str], None]
    ask: Callable[[str], str]
    build_site: Callable[[Path], object]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user asks for. ``parameters`` are of template.yaml; ``shards`` of the ingestor, auto, or 0 for none."""

    root: Path
    prefix: str = "quant"
    symbols: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    shards: str = "1"
    uv: str = ""
    with_data: bool = False


@dataclass(frozen=True, slots=True)
class Deployed:
    """``url`` is the site's and, with /api, the API's; ``changed`` says whether the stack did."""

    url: str
    api: str
    changed: bool
    uploaded: int
    health: str


def target_of(client: Callable[[str], Any]) -> Target:
    """Ask AWS who we are.

    Raises:
        DeploymentError: there are no credentials, or no region.
    """
    try:
        sts = client("sts")
        who = sts.get_caller_identity()
    except (BotoCoreError, ClientError) as exc:
        remedy = "set AWS_PROFILE and AWS_REGION, or AWS_ENDPOINT_URL for an emulator"
        raise DeploymentError(f"AWS cannot be reached: {exc}; {remedy}") from exc
    endpoint = "" if ".amazonaws." in sts.meta.endpoint_url else str(sts.meta.endpoint_url)
    return Target(who["Account"], who["Arn"], sts.meta.region_name, endpoint)


def up(wanted: Wanted, tools: Tools) -> Deployed:
    """Deploy everything and ask whether it answers.

    Raises:
        DeploymentError: says what was refused, and why; what was there before goes on.
    """
    target = target_of(tools.client)
    template = load_template(wanted.root / "template.yaml")
    ingestors.divided(wanted.shards)
    chosen = guards.parameters(template, {"Prefix": wanted.prefix, **wanted.parameters})
    tools.say(f"deploying {wanted.prefix} to {target}")
    for warning in guards.warnings(target, wanted.symbols or DEFAULT_SYMBOLS):
        tools.say(f"warning: {warning}")
    if not stacks.status(tools.client("cloudformation"), wanted.prefix):
        guards.left_over({name: _has_table(tools.client, name) for name in _tables(template, wanted.prefix)})
    guards.confirm("This changes the account above.", target.account[-4:], tools.ask)
    bucket = _packages_bucket(tools.client, wanted.prefix, target)
    changed, outputs = _deploy_stack(wanted, tools, target, template, bucket, chosen)
    _first_secrets(wanted, tools)
    folder = wanted.root / "build" / "site"
    tools.build_site(folder)
    sent = site.upload(tools.client("s3"), outputs["SiteBucketName"], folder)
    if sent.pages and not target.is_emulator:
        _forget_pages(tools.client("cloudfront"), outputs["DistributionId"])
    ingestors.deploy(wanted.prefix, wanted.shards, wanted.root, outputs, target, tools.client, tools.say)
    page, api = addresses(outputs, target)
    health = smoke.smoke(page, api)
    tools.say(f"the stack {'has changed' if changed else 'was so already'}; {len(sent.uploads)} files of the site sent")
    tools.say(f"site {page}, API {api}, health: {health}")
    tools.say(_price(wanted))
    return Deployed(page, api, changed, len(sent.uploads), health)


def down(wanted: Wanted, tools: Tools) -> list[str]:
    """Delete the stacks. Tables and archive stay, unless the user wants the data gone too; returns what is kept.

    Raises:
        DeploymentError: it was not confirmed, or something could not be deleted.
    """
    target = target_of(tools.client)
    cloudformation, template = tools.client("cloudformation"), load_template(wanted.root / "template.yaml")
    fate = "and ALL DATA: tables and archive" if wanted.with_data else "but not its tables and its archive"
    guards.confirm(f"Deletes {wanted.prefix} of {target}, {fate}.", wanted.prefix, tools.ask)
    outputs = stacks.outputs(cloudformation, wanted.prefix) if stacks.status(cloudformation, wanted.prefix) else {}
    ingestors.delete(wanted.prefix, tools.client, PATIENCE)
    s3, kept = tools.client("s3"), list[str]()
    if outputs:
        site.empty(s3, outputs["SiteBucketName"])
        stacks.delete(cloudformation, wanted.prefix, time.monotonic() + PATIENCE, _pause(target))
    for table in _tables(template, wanted.prefix):
        if _has_table(tools.client, table):
            kept += [] if wanted.with_data and _delete_table(tools.client("dynamodb"), table) else [table]
    if archive := outputs.get("ArchiveBucketName"):
        if wanted.with_data:
            site.empty(s3, archive)
            s3.delete_bucket(Bucket=archive)
        else:
            kept.append(archive)
    tools.say(f"deleted; kept: {', '.join(kept) or 'nothing'}")
    return kept


def addresses(outputs: Mapping[str, str], target: Target) -> tuple[str, str]:
    """The site's address and the API's. An emulator answers to its own names only."""
    if target.is_emulator:
        base = target.endpoint.rstrip("/")
        api = f"{base}/_aws/execute-api/{outputs['RestApiId']}/api"
        return f"{base}/{outputs['SiteBucketName']}/index.html", api
    return outputs["SiteUrl"], f"{outputs['SiteUrl']}/api"


def _deploy_stack(
    wanted: Wanted, tools: Tools, target: Target, source: dict[str, Any], bucket: str, chosen: list[dict[str, str]]
) -> tuple[bool, Mapping[str, str]]:
    def pack(code: Path, handler: str) -> Package:
        # An emulator runs functions on its own interpreter, which has the libraries.
        return thin_package(code, handler) if target.is_emulator else built_package(code, handler, wanted.uv)

    readable = with_plain_binary_types(source) if target.is_emulator else source
    template, packages = with_packages(readable, wanted.root, bucket, pack)
    s3 = tools.client("s3")
    for key, package in packages.items():
        s3.put_object(Bucket=bucket, Key=key, Body=package.data)
        tools.say(f"package {key}: {len(package.data) / 2**20:.1f} MiB zipped")
    s3.put_object(Bucket=bucket, Key="template.json", Body=json.dumps(template, sort_keys=True).encode())
    base = f"{target.endpoint}/{bucket}" if target.is_emulator else f"https://{bucket}.s3.{target.region}.amazonaws.com"
    request = {
        "StackName": wanted.prefix,
        "Capabilities": stacks.CAPABILITIES,
        "Parameters": chosen,
        "TemplateURL": f"{base}/template.json",
    }
    cloudformation = tools.client("cloudformation")
    changed = stacks.create_or_update(cloudformation, request, time.monotonic() + PATIENCE, _pause(target))
    outputs = stacks.outputs(cloudformation, wanted.prefix)
    if target.is_emulator:
        gateway, functions = tools.client("apigateway"), tools.client("lambda")
        mend_rest_api(gateway, functions, cloudformation, wanted.prefix, source, outputs)
    return changed, outputs


def _pause(target: Target) -> float:
    return 0.05 if target.is_emulator else 3.0


def _packages_bucket(client: Callable[[str], Any], prefix: str, target: Target) -> str:
    """A private bucket for packages, made when it is not there."""
    s3, name = client("s3"), f"{prefix}-packages-{target.account}-{target.region}"
    where = {} if target.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": target.region}}
    try:
        s3.create_bucket(Bucket=name, **where)
    except ClientError as exc:
        if exc.response["Error"]["Code"] not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            raise
    closed = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=closed)
    return name


def _first_secrets(wanted: Wanted, tools: Tools) -> None:
    """The API's token and the list of symbols, where there are none yet: what is there is the user's own."""
    ssm = tools.client("ssm")
    token = f"/{wanted.prefix}/api-tokens"
    if not _has_parameter(ssm, token):
        ssm.put_parameter(Name=token, Value=secrets.token_urlsafe(32), Type="SecureString")
        tools.say(
            f"made a token for changes of rules; read it with: aws ssm get-parameter --with-decryption --name {token}"
        )
    symbols = f"/{wanted.prefix}/symbols"
    if wanted.symbols or not _has_parameter(ssm, symbols):
        value = wanted.symbols or DEFAULT_SYMBOLS
        ssm.put_parameter(Name=symbols, Value=value, Type="String", Overwrite=True)


def _has_parameter(ssm: Any, name: str) -> bool:
    try:
        ssm.get_parameter(Name=name)
    except ClientError as exc:
        if exc.response["Error"]["Code"] == "ParameterNotFound":
            return False
        raise
    return True


def _forget_pages(cloudfront: Any, distribution: str) -> None:
    # One path is billed as one, however many pages it stands for.
    batch = {"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": f"{time.time_ns()}"}
    cloudfront.create_invalidation(DistributionId=distribution, InvalidationBatch=batch)


def _tables(template: Mapping[str, Any], prefix: str) -> list[str]:
    tables = [one["Properties"]["TableName"] for one in template["Resources"].values() if one["Type"] == TABLE]
    return [str(name["Fn::Sub"]).replace("${Prefix}", prefix) for name in tables]


def _has_table(client: Callable[[str], Any], name: str) -> bool:
    try:
        client("dynamodb").describe_table(TableName=name)
    except ClientError as exc:
        if exc.response["Error"]["Code"] == "ResourceNotFoundException":
            return False
        raise
    return True


def _delete_table(dynamodb: Any, name: str) -> bool:
    dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    dynamodb.delete_table(TableName=name)
    return True


def _price(wanted: Wanted) -> str:
    symbols = len((wanted.symbols or DEFAULT_SYMBOLS).split(","))
    bill = monthly_bill(Load(symbols=symbols), load_prices())
    return (
        f"about ${bill.list_total:.2f} a month in {bill.region} at list prices of {bill.as_of}, for {symbols} symbols "
        f"at {bill.load.trades_per_second:g} trades/s; `make costs` shows the lines"
    )
