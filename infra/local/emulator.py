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
from infra.local.inbox.amazon import MAIL_PATH
from quant.settings import Settings

SERVER = Path(__file__).with_name("emulator_server.py")
SAVE_EVERY = 60.0


@dataclass(slots=True)
class Emulator:
    """What plays AWS on a port of 127.0.0.1, with all that is its own in ``folder``.

    Attributes:
        health: the path that answers once it has started.
        mail: the path of what its SES has sent.
        keeps_state: whether the next one on this folder goes on where this one ended.
    """

    child: Child
    url: str
    folder: Path
    health: str = "/_ministack/health"
    mail: str = MAIL_PATH
    keeps_state: bool = True
    patience: float = 60.0

    @classmethod
    def of(cls, settings: Settings, folder: Path, port: int) -> Emulator:
        """ministack."""
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
        deadline = time.monotonic() + self.patience
        async with aiohttp.ClientSession() as session:
            while not await self._is_healthy(session):
                if not self.child.is_running:
                    raise self.child.failed("ended while it started")
                if time.monotonic() > deadline:
                    raise self.child.failed(f"did not answer within {self.patience:g} s")
                await asyncio.sleep(0.05)

    async def _is_healthy(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(self.url + self.health, timeout=aiohttp.ClientTimeout(total=5)) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    def save(self) -> None:
        """Have the state written, if any is kept, while the emulator goes on."""
        if self.keeps_state:
            self.child.signal(signal.SIGUSR1)

    async def save_regularly(self, every: float = SAVE_EVERY) -> None:
        while True:
            await asyncio.sleep(every)
            self.save()
