"""docker-compose.yml says what the rest of the project says: nobody here has Docker to find out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from quant.settings import SETTINGS, Settings

ROOT = Path(__file__).parents[2]
FILE = ROOT / "infra/docker-compose.yml"
SERVICES: dict[str, Any] = yaml.safe_load(FILE.read_text())["services"]
SERVICE: str = (ROOT / "infra/ingestor-service.yaml").read_text()


def test_localstacks_image_is_of_the_release_that_is_tested_and_asks_for_the_token() -> None:
    locked = re.search(r"^localstack-core==(\S+)", (ROOT / "infra/localstack/requirements.lock").read_text(), re.M)
    assert locked
    assert SERVICES["localstack"]["image"] == f"localstack/localstack:{locked[1]}"
    assert SERVICES["localstack"]["environment"]["LOCALSTACK_AUTH_TOKEN"].startswith("${LOCALSTACK_AUTH_TOKEN:?")


def test_only_this_machine_reaches_a_port() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_ingestor_is_built_from_what_is_there_and_told_what_it_reads() -> None:
    ingestor = SERVICES["ingestor"]
    context = (FILE.parent / ingestor["build"]["context"]).resolve()
    assert context == ROOT
    assert (context / ingestor["build"]["dockerfile"]).is_file()
    told = {name: value for name, value in ingestor["environment"].items() if not name.startswith("AWS_")}
    assert set(told) <= {row.name for row in SETTINGS}
    Settings.load({name: re.sub(r"\$\{\w+:-(.*)\}", r"\1", value) for name, value in told.items()})
    assert ingestor["environment"]["AWS_ENDPOINT_URL"] == "http://localstack:4566"


def test_it_runs_as_on_ecs() -> None:
    assert SERVICES["ingestor"]["read_only"]
    assert "ReadonlyRootFilesystem: true" in SERVICE
    assert SERVICES["ingestor"]["volumes"] == ["journal:/var/lib/ingestor"]
    assert "/var/lib/ingestor" in (ROOT / "ingestor/Dockerfile").read_text()
