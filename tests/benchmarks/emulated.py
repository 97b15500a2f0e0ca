"""The emulator alone, for one benchmark, with this process's AWS clients led to it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import requests

from infra.local.emulator import SERVER
from infra.local.environment import aws_environment, emulator_environment
from infra.local.ports import choose
from quant.settings import Settings

PATIENCE = 60.0


@contextmanager
def emulator() -> Iterator[None]:
    """Runs it on a free port in a folder of its own."""
    port = choose(0, "EMULATOR_PORT")
    url = f"http://127.0.0.1:{port}"
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tmp").mkdir()
        environment = emulator_environment(Settings.load({}), Path(folder), port)
        with open(Path(folder) / "log", "wb") as log:
            process = subprocess.Popen([sys.executable, "-P", str(SERVER)], env=environment, stdout=log, stderr=log)
        try:
            _await(url, process)
            os.environ.update(aws_environment(url))
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)
            process.kill()
            process.wait()


def create_table(name: str) -> None:
    """A table with the keys that all of ours have."""
    boto3.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            if requests.get(f"{url}/_ministack/health", timeout=5).ok:
                return
        except requests.RequestException:
            time.sleep(0.05)
    raise RuntimeError("the emulator did not start")
