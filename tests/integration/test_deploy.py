"""`make deploy` and `make destroy` against an emulator: clean, again, an upgrade with data, and the end of it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from infra.deploy import stacks
from infra.deploy.commands import Deployed, Wanted, down, target_of, up
from infra.local.environment import aws_environment
from infra.local.errors import DeploymentError
from infra.local.templates import load_template
from quant.settings import Settings, child_environment
from tests.integration.deploying import Session

ROOT = Path(__file__).parents[2]
WANTED = Wanted(root=ROOT, prefix="deployed", symbols="BTCUSDT,ETHUSDT")
# The template before alarms, CloudFront and deletion protection: an upgrade from it changes every table.
PREVIOUS = Path(__file__).parents[1] / "data" / "templates" / "2026-11-22.yaml"

pytestmark = pytest.mark.timeout(180)


def test_a_deployment_answers_and_the_second_changes_nothing(emulator: Session) -> None:
    first = up(WANTED, emulator.tools)
    assert first.changed
    assert first.uploaded > 5
    assert first.health
    page = requests.get(first.url, timeout=10)
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.headers["Cache-Control"] == "no-cache"
    emulator.said.clear()
    second = up(WANTED, emulator.tools)
    assert second == Deployed(first.url, first.api, changed=False, uploaded=0, health=second.health)
    assert "ingestor 1/1: was so already" in emulator.said
    assert any(line.startswith("about $") for line in emulator.said)


def test_an_upgrade_from_the_previous_template_loses_nothing(emulator: Session, tmp_path: Path) -> None:
    older = tmp_path / "older"
    older.mkdir()
    (older / "template.yaml").write_text(PREVIOUS.read_text())
    for name in ("functions", "infra"):
        (older / name).symlink_to(ROOT / name)
    tables = _deploy_previous(emulator, older)
    for table in tables:
        emulator.put(table, "before")
    archive = stacks.outputs(emulator.client("cloudformation"), WANTED.prefix)["ArchiveBucketName"]
    emulator.client("s3").put_object(Bucket=archive, Key="ticks/one", Body=b"trades")
    upgraded = up(WANTED, emulator.tools)
    assert upgraded.changed
    assert {table: emulator.names(table) for table in tables} == {table: {"before"} for table in tables}
    now = stacks.outputs(emulator.client("cloudformation"), WANTED.prefix)["ArchiveBucketName"]
    assert now == archive
    assert emulator.client("s3").get_object(Bucket=archive, Key="ticks/one")["Body"].read() == b"trades"


def _deploy_previous(emulator: Session, root: Path) -> list[str]:
    from infra.local.deployment import deploy

    deploy(root / "template.yaml", Settings.load({"PREFIX": WANTED.prefix}), emulator.url)
    template = load_template(root / "template.yaml")
    resources = template["Resources"].values()
    return [
        one["Properties"]["TableName"]["Fn::Sub"].replace("${Prefix}", WANTED.prefix)
        for one in resources
        if one["Type"] == "AWS::DynamoDB::Table" and one["DeletionPolicy"] == "Retain"
    ]


def test_destroying_keeps_the_data_unless_it_is_said_and_then_a_new_stack_is_refused(emulator: Session) -> None:
    up(WANTED, emulator.tools)
    emulator.put("deployed-tick_data", "kept")
    kept = down(WANTED, emulator.tools)
    assert "deployed-tick_data" in kept
    assert emulator.names("deployed-tick_data") == {"kept"}
    assert not stacks.status(emulator.client("cloudformation"), WANTED.prefix).endswith("_COMPLETE") or (
        stacks.status(emulator.client("cloudformation"), WANTED.prefix) == "DELETE_COMPLETE"
    )
    with pytest.raises(DeploymentError, match="deployed-tick_data"):
        up(WANTED, emulator.tools)
    assert down(replace(WANTED, with_data=True), emulator.tools) == []
    assert up(WANTED, emulator.tools).changed


def test_what_is_not_confirmed_changes_nothing(emulator: Session) -> None:
    emulator.answer = "no"
    with pytest.raises(DeploymentError, match="not confirmed"):
        up(WANTED, emulator.tools)
    assert stacks.status(emulator.client("cloudformation"), WANTED.prefix) == ""


def test_more_shards_are_more_services_and_fewer_take_them_away(emulator: Session) -> None:
    up(replace(WANTED, shards="2"), emulator.tools)
    ecs = emulator.client("ecs")
    assert _clusters(ecs) == {"deployed-ingestor-1-of-2", "deployed-ingestor-2-of-2"}
    up(WANTED, emulator.tools)
    assert _clusters(ecs) == {"deployed-ingestor-1-of-1"}
    up(replace(WANTED, shards="auto"), emulator.tools)
    assert _clusters(ecs) == {"deployed-ingestor-auto"}


def _clusters(ecs: Any) -> set[str]:
    return {arn.rpartition("/")[2] for arn in ecs.list_clusters()["clusterArns"] if "deployed" in arn}


def test_the_users_own_token_and_symbols_stay(emulator: Session) -> None:
    ssm = emulator.client("ssm")
    ssm.put_parameter(Name="/deployed/api-tokens", Value="mine", Type="SecureString")
    ssm.put_parameter(Name="/deployed/symbols", Value="SOLUSDT", Type="String")
    up(replace(WANTED, symbols=""), emulator.tools)
    found = {name: ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
             for name in ("/deployed/api-tokens", "/deployed/symbols")}  # fmt: skip
    assert found == {"/deployed/api-tokens": "mine", "/deployed/symbols": "SOLUSDT"}
    up(WANTED, emulator.tools)
    assert ssm.get_parameter(Name="/deployed/symbols")["Parameter"]["Value"] == "BTCUSDT,ETHUSDT"


def test_the_command_follows_the_endpoint_of_the_environment(emulator: Session) -> None:
    command = [sys.executable, "-m", "infra.deploy", "up", "--prefix", "commanded", "--shards", "0", "--yes"]
    environment = {**aws_environment(emulator.url), "PYTHONPATH": f"{ROOT / 'functions'}:{ROOT}"}
    done = subprocess.run(command, cwd=ROOT, env=child_environment(**environment), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"an emulator at {emulator.url}" in done.stdout
    assert target_of(emulator.client).is_emulator
