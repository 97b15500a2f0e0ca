"""LocalStack as the emulator of `make run`: a program that ends, and is started again, as a whole."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from infra.local.children import Child
from infra.local.emulator import Emulator
from infra.local.environment import program_environment
from infra.localstack.server import ROOT, START_PATIENCE, is_installed
from quant.errors import SettingError
from quant.settings import Settings


def localstack_emulator(settings: Settings, folder: Path, port: int) -> Emulator:
    """LocalStack on this port; its open code keeps no state.

    Raises:
        SettingError: it is not installed.
    """
    if not is_installed():
        raise SettingError("EMULATOR", "is localstack, which is not installed: `make run EMULATOR=localstack` does it")
    child = Child(
        name="emulator",
        command=[sys.executable, "-m", "infra.localstack", str(port), str(folder)],
        env=program_environment(ROOT),
        log_path=folder / "logs" / "emulator.log",
        cwd=ROOT,
        death_signal=signal.SIGTERM,
    )
    return Emulator(
        child,
        f"http://127.0.0.1:{port}",
        folder,
        health="/_localstack/health",
        mail="/_aws/ses",
        keeps_state=False,
        patience=START_PATIENCE + 10,
    )
