"""The ingestor's services: the image built and pushed where there is Docker, one stack per shard."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from infra.deploy import stacks
from infra.deploy.guards import Target
from infra.local.errors import DeploymentError
from infra.local.templates import load_template

PATIENCE = 1800.0
AUTO = "auto"
SCALING = "ApplicationAutoScaling"


def deploy(
    prefix: str,
    shards: str,
    root: Path,
    outputs: Mapping[str, str],
    target: Target,
    client: Callable[[str], Any],
    say: Callable[[str], None],
) -> None:
    """Bring the services of all shards up to date; those of another division of the symbols go afterwards.

    ``shards`` is their number, 0 for none, or ``auto`` for one service whose tasks share the symbols.

    Raises:
        DeploymentError: the image cannot be made, or a stack failed.
    """
    if shards == "0":
        say("no ingestor (SHARDS=0)")
        return
    image = _image(prefix, root, target, client, say)
    if not image:
        return
    vpc, subnets = _network(client("ec2"))
    body = _template(root / "infra" / "ingestor-service.yaml", target)
    for shard in divided(shards):
        values = {
            "Prefix": prefix, "Shard": shard, "Image": image,
            "VpcId": vpc, "SubnetIds": ",".join(subnets),
            "ArchiveBucketName": outputs["ArchiveBucketName"], "AlarmTopicArn": outputs["AlarmTopicArn"],
            "SymbolsParameter": f"/{prefix}/symbols",
        }  # fmt: skip
        request = {
            "StackName": stack_name(prefix, shard),
            "Capabilities": stacks.CAPABILITIES,
            "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()],
            "TemplateBody": body,
        }
        pause = 0.05 if target.is_emulator else 3.0
        changed = stacks.create_or_update(client("cloudformation"), request, time.monotonic() + PATIENCE, pause)
        say(f"ingestor {shard}: {'deployed' if changed else 'was so already'}")
    _delete_others(prefix, client, {stack_name(prefix, shard) for shard in divided(shards)}, PATIENCE)


def divided(shards: str) -> list[str]:
    """What each service is told: ``1/2`` and ``2/2``, or ``auto``.

    Raises:
        DeploymentError: it is neither a number nor auto.
    """
    if shards == AUTO:
        return [AUTO]
    if not re.fullmatch(r"0|[1-9][0-9]{0,2}", shards):
        raise DeploymentError(f"SHARDS must be a number below 1000, or {AUTO}, not {shards!r}")
    return [f"{number}/{shards}" for number in range(1, int(shards) + 1)]


def _template(path: Path, target: Target) -> str:
    """As it is; for an emulator without what ministack 1.5.33 cannot read.

    It sees a parameter that is the number of tasks as text, and knows no scaling.
    """
    if not target.is_emulator:
        return path.read_text()
    template = load_template(path)
    template["Resources"]["Service"]["Properties"]["DesiredCount"] = template["Parameters"]["Instances"]["Default"]
    known = {name: one for name, one in template["Resources"].items() if SCALING not in one["Type"]}
    return json.dumps({**template, "Resources": known}, sort_keys=True)


def delete(prefix: str, client: Callable[[str], Any], patience: float) -> None:
    """Delete the services of all shards."""
    _delete_others(prefix, client, set(), patience)


def stack_name(prefix: str, shard: str) -> str:
    return f"{prefix}-ingestor-{shard.replace('/', '-of-')}"


def _delete_others(prefix: str, client: Callable[[str], Any], kept: set[str], patience: float) -> None:
    cloudformation = client("cloudformation")
    for page in cloudformation.get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            name = stack["StackName"]
            if name.startswith(f"{prefix}-ingestor-") and name not in kept:
                stacks.delete(cloudformation, name, time.monotonic() + patience)


def _network(ec2: Any) -> tuple[str, list[str]]:
    """The account's default network."""
    found = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    if not found:
        raise DeploymentError("the region has no default VPC for the ingestor; make one: aws ec2 create-default-vpc")
    vpc = found[0]["VpcId"]
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    return vpc, sorted(subnet["SubnetId"] for subnet in subnets)


def _image(prefix: str, root: Path, target: Target, client: Callable[[str], Any], say: Callable[[str], None]) -> str:
    """The pushed image, by digest; empty where there is no Docker, which is said."""
    repository = f"{prefix}-ingestor"
    if target.is_emulator:
        return f"{target.account}.dkr.ecr.{target.region}.amazonaws.com/{repository}@sha256:{'0' * 64}"
    if not _has_docker():
        say(
            "the ingestor is NOT deployed: its image needs Docker, and none answers here. "
            "Run make deploy where one does; until then nothing arrives, and the alarm StaleFeed is on"
        )
        return ""
    ecr = client("ecr")
    address = _repository(ecr, repository)
    _log_in(ecr)
    tag = f"{address}:latest"
    _docker("build", "--platform", "linux/arm64", "--file", "ingestor/Dockerfile", "--build-arg", "SOURCE_DATE_EPOCH=0",
            "--tag", tag, ".", folder=root)  # fmt: skip
    _docker("push", "--quiet", tag, folder=root)
    digest = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": "latest"}])["imageDetails"][0]
    return f"{address}@{digest['imageDigest']}"


def _repository(ecr: Any, name: str) -> str:
    try:
        return str(ecr.describe_repositories(repositoryNames=[name])["repositories"][0]["repositoryUri"])
    except ClientError as exc:
        if exc.response["Error"]["Code"] != "RepositoryNotFoundException":
            raise
    made = ecr.create_repository(repositoryName=name, imageScanningConfiguration={"scanOnPush": True})
    return str(made["repository"]["repositoryUri"])


def _log_in(ecr: Any) -> None:
    token = ecr.get_authorization_token()["authorizationData"][0]
    user, _, password = base64.b64decode(token["authorizationToken"]).decode().partition(":")
    command = ["docker", "login", "--username", user, "--password-stdin", token["proxyEndpoint"]]
    done = subprocess.run(command, input=password, capture_output=True, text=True)
    if done.returncode:
        raise DeploymentError(f"docker login: {done.stderr.strip()}")


def _has_docker() -> bool:
    return shutil.which("docker") is not None and not subprocess.run(["docker", "info"], capture_output=True).returncode


def _docker(*arguments: str, folder: Path) -> None:
    done = subprocess.run(["docker", *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise DeploymentError(f"docker {arguments[0]}: {done.stderr.strip()[-2000:]}")
