"""LocalStack, started once for a module with the whole template deployed; skipped where it is not installed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import localstack_client.session
import psutil
import pytest

from frontend_static.build import build
from infra.deploy.commands import Deployed, Tools, Wanted, up
from infra.local.environment import CREDENTIALS, REGION
from infra.localstack.install import NotInstallableError, choose
from infra.localstack.server import LocalStackServer, is_installed

ROOT = Path(__file__).parents[2]
WANTED = Wanted(root=ROOT, prefix="quant", symbols="BTCUSDT,ETHUSDT", shards="0")


@dataclass
class Stack:
    """A deployment on LocalStack, and the server under it."""

    server: LocalStackServer
    deployed: Deployed
    tools: Tools
    said: list[str] = field(default_factory=list)

    def client(self, service: str) -> Any:
        return self.tools.client(service)


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    """Skips all of this folder where LocalStack is not installed, and says whether it could be."""
    if is_installed():
        return
    try:
        choose("")
    except NotInstallableError as exc:
        pytest.skip(str(exc))
    pytest.skip("LocalStack is not installed: `make test-localstack` does it, with the network")


@pytest.fixture(scope="module")
def localstack(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    server = LocalStackServer.of(tmp_path_factory.mktemp("localstack"))
    with asyncio.Runner() as runner:
        runner.run(server.start())
        try:
            yield _deployed(server)
            processes = psutil.Process(server.child.pid).children(recursive=True)
        finally:
            runner.run(server.stop())
    _, alive = psutil.wait_procs(processes, timeout=10)
    assert not alive, "functions of LocalStack went on without it"


def _deployed(server: LocalStackServer) -> Stack:
    session = localstack_client.session.Session(
        localstack_host=server.url.removeprefix("http://"),
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )

    said: list[str] = []
    tools = Tools(
        client=session.client,
        say=said.append,
        ask=lambda question: question.rpartition("Type ")[2].split(" ", 1)[0],
        build_site=lambda folder: build(folder, api_base="/api"),
    )
    return Stack(server, up(WANTED, tools), tools, said)
