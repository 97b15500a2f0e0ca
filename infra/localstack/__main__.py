"""``python -m infra.localstack [PORT [FOLDER]]``: LocalStack on a port of 127.0.0.1 until Ctrl-C."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from infra.local.errors import LocalStackError
from infra.local.signals import stop_signals, until
from infra.localstack.server import LocalStackServer


async def _serve(port: int, folder: Path) -> None:
    server = LocalStackServer.of(folder, port)
    with stop_signals(first=asyncio.Event(), second=asyncio.Event()) as stopped:
        try:
            await until(stopped, _run(server))
        finally:
            await server.stop()


async def _run(server: LocalStackServer) -> None:
    await server.start()
    print(f"ready {server.url}", flush=True)
    await server.failure()


def main(arguments: list[str]) -> None:
    port = int(arguments[0]) if arguments else 4566
    with tempfile.TemporaryDirectory() as spare:
        asyncio.run(_serve(port, Path(arguments[1] if len(arguments) > 1 else spare)))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except LocalStackError as exc:
        sys.exit(f"error: {exc}")
