"""`make fuzz`: schemathesis against a local stack of its own, all checks, good requests and bad ones.

The fuzzer lives in an environment of its own; it knows the API by its document alone.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from infra.local.tokens import kept_token
from quant.settings import child_environment
from tests.integration.client import await_answer
from tests.integration.conftest import started_stack

ROOT = Path(__file__).parents[2]
FUZZER = ROOT / ".venv-fuzz/bin/schemathesis"
# The stack's throttle would answer 429 to most of it.
FAST = {"API_RATE_LIMIT": "5000", "API_BURST_LIMIT": "5000", "SYMBOLS": "BTCUSDT,ETHUSDT,SOLUSDT"}
# After so many seconds without an answer a request counts as failed.
PATIENCE = 60


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=100, help="most generated requests per operation and phase")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, started_stack(Path(folder), **FAST) as stack:
        await_answer(stack.url, "/api/ohlc/BTCUSDT", lambda found: len(found["bars"]) >= 600, interval="1m", limit=600)
        token = kept_token(Path(folder))
        code = subprocess.call(command(stack.url, token, chosen.cases, chosen.seed), env=environment())
        return stack.stop() or code


def command(url: str, token: str, cases: int, seed: int) -> list[str]:
    return [
        str(FUZZER), "run", f"{url}/api/openapi.json", "--url", f"{url}/api", "--checks", "all",
        "--max-examples", str(cases), "--seed", str(seed), "--header", f"Authorization: Bearer {token}",
        "--request-timeout", str(PATIENCE), "--max-response-time", str(PATIENCE), "--workers", "2",
        "--continue-on-failure", "--no-color",
    ]  # fmt: skip


def environment() -> dict[str, str]:
    return child_environment(SCHEMATHESIS_HOOKS="tests.fuzz.hooks", PYTHONPATH=str(ROOT))


if __name__ == "__main__":
    sys.exit(main())
