"""``python -m infra.localstack [PORT]``: LocalStack on a port of 127.0.0.1 until Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
from pathlib import Path

from infra.local.errors import LocalStackError
from infra.localstack.server import LocalStackServer


async def _serve(port: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = LocalStackServer.of(Path(folder), port)
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        try:
            await server.start()
            print(f"ready {server.url}", flush=True)
            await stopped.wait()
        finally:
            await server.stop()


if __name__ == "__main__":
    try:
        asyncio.run(_serve(int(sys.argv[1]) if len(sys.argv) > 1 else 4566))
    except LocalStackError as exc:
        sys.exit(f"error: {exc}")
