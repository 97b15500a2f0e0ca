"""LocalStack as two processes: itself, and the server that stands in for its DynamoDB engine. Both end together."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from infra.local.children import Child
from infra.local.emulator import Emulator
from infra.local.environment import CREDENTIALS, REGION
from infra.local.ports import HOST, choose
from quant.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-localstack" / "bin" / "python"
PLUGIN = Path(__file__).with_name("plugin")
START_PATIENCE = 120.0


def is_installed() -> bool:
    return PYTHON.exists()


@dataclass(slots=True)
class LocalStackServer:
    """LocalStack's own S3, SNS, SES, SQS, SSM, Events, CloudFormation, API Gateway; DynamoDB's engine is ministack."""

    url: str
    substitute: Emulator
    child: Child
    health: str = ""

    @classmethod
    def of(cls, folder: Path, port: int = 0) -> LocalStackServer:
        """``folder`` takes logs and what functions unpack; ``port`` 0 takes a free one."""
        port = choose(port, "EMULATOR_PORT")
        engine = Emulator.of(Settings.load({}), folder / "substitute", choose(0, "EMULATOR_PORT"))
        programs = _lambda_interpreter(folder)
        env = {
            "PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(folder),
            "TMPDIR": str(folder / "tmp"),
            "PYTHONPATH": str(PLUGIN),
            "AWS_DEFAULT_REGION": REGION,
            **CREDENTIALS,
            "GATEWAY_LISTEN": f"{HOST}:{port}",
            # The other server listens on all addresses, whatever it is told.
            "GATEWAY_SERVER": "hypercorn",
            "LOCALSTACK_HOST": f"{HOST}:{port}",
            "DYNAMODB_LOCAL_PORT": engine.url.rpartition(":")[2],
            "LAMBDA_RUNTIME_EXECUTOR": "subprocess",
            "LAMBDA_KEEPALIVE_MS": "600000",
            "DNS_ADDRESS": "0",
            "DISABLE_EVENTS": "1",
            "SKIP_SSL_CERT_DOWNLOAD": "1",
            "EAGER_SERVICE_LOADING": "0",
            # CloudFront and the dashboard are passed over; the warning in the log names them.
            "CFN_IGNORE_UNSUPPORTED_RESOURCE_TYPES": "1",
            "DOCKER_HOST": "unix:///nonexistent/docker.sock",
            "LS_LOG": "warning",
        }
        child = Child(
            name="LocalStack",
            command=[str(PYTHON), "-m", "localstack.runtime.main"],
            env=env,
            log_path=folder / "logs" / "localstack.log",
            cwd=folder,
        )
        return cls(f"http://{HOST}:{port}", engine, child, f"http://{HOST}:{port}/_localstack/health")

    async def start(self) -> None:
        """Start both and wait for their health.

        Raises:
            ChildError: one ended instead, or did not answer in time.
        """
        # An engine that was killed may have left tables, of which this LocalStack would know nothing.
        shutil.rmtree(self.substitute.folder, ignore_errors=True)
        (self.child.cwd / "tmp").mkdir(parents=True, exist_ok=True)
        self.substitute.folder.mkdir(parents=True, exist_ok=True)
        await self.substitute.start()
        await self.child.start()
        deadline = time.monotonic() + START_PATIENCE
        async with aiohttp.ClientSession() as session:
            while not await self._is_healthy(session):
                if not self.child.is_running:
                    raise self.child.failed("ended while it started")
                if time.monotonic() > deadline:
                    raise self.child.failed(f"did not answer within {START_PATIENCE:g} s")
                await asyncio.sleep(0.2)

    async def _is_healthy(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(self.health, timeout=aiohttp.ClientTimeout(total=5)) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def failure(self) -> None:
        """Return never.

        Raises:
            ChildError: one of the two has ended; the other is of no use without it.
        """
        parts = {asyncio.ensure_future(part.wait()): part for part in (self.child, self.substitute.child)}
        try:
            ended, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiting in parts:
                waiting.cancel()
        raise parts[ended.pop()].failed("ended")

    async def stop(self) -> None:
        """End both; what LocalStack had started ends with its group."""
        await self.child.stop(20)
        await self.substitute.child.stop(10)


def _lambda_interpreter(folder: Path) -> Path:
    """A folder with the program that functions run on: this interpreter, with its libraries."""
    programs = folder / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    program = programs / "quant-lambda-python"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    program.chmod(0o755)
    return programs
