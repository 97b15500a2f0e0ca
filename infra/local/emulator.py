"""The AWS emulator as a child process: its start, its health, its saved state."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from infra.local.children import Child
from infra.local.environment import emulator_environment
from quant.settings import Settings

SERVER = Path(__file__).with_name("emulator_server.py")
START_PATIENCE = 60.0
SAVE_EVERY = 60.0


@dataclass(slots=True)
class Emulator:
    """ministack on a port of 127.0.0.1, with its state in ``folder``."""

    child: Child
    url: str
    folder: Path

    @classmethod
    def of(cls, settings: Settings, folder: Path, port: int) -> Emulator:
        child = Child(
            name="emulator",
            # -P: the folder of the program is not searched for modules
            command=[sys.executable, "-P", str(SERVER)],
            env=emulator_environment(settings, folder, port),
            log_path=folder / "logs" / "emulator.log",
            cwd=folder,
            # Should this process vanish, the emulator still saves its state.
            death_signal=signal.SIGTERM,
        )
        return cls(child, f"http://127.0.0.1:{port}", folder)

    async def start(self) -> None:
        """Start it and wait for its health.

        Raises:
            ChildError: it ended instead, or did not answer in time.
        """
        # Code of functions that a killed emulator had unpacked.
        shutil.rmtree(self.folder / "tmp", ignore_errors=True)
        (self.folder / "tmp").mkdir(parents=True)
        await self.child.start()
        deadline = time.monotonic() + START_PATIENCE
        async with aiohttp.ClientSession() as session:
            while not await self._is_healthy(session):
                if not self.child.is_running:
                    raise self.child.failed("ended while it started")
                if time.monotonic() > deadline:
                    raise self.child.failed(f"did not answer within {START_PATIENCE:g} s")
                await asyncio.sleep(0.05)

    async def _is_healthy(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(f"{self.url}/_ministack/health", timeout=aiohttp.ClientTimeout(total=5)) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    def save(self) -> None:
        """Have the state written while the emulator goes on."""
        self.child.signal(signal.SIGUSR1)

    async def save_regularly(self, every: float = SAVE_EVERY) -> None:
        while True:
            await asyncio.sleep(every)
            self.save()
