"""The emulators to choose from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from infra.local.emulator import Emulator
from infra.localstack.program import localstack_emulator
from quant.settings import Settings

DEFAULT_EMULATOR = "ministack"
_MAKERS: Mapping[str, Callable[[Settings, Path, int], Emulator]] = {
    DEFAULT_EMULATOR: Emulator.of,
    "localstack": localstack_emulator,
}


def emulator_of(settings: Settings, folder: Path, port: int) -> Emulator:
    """The emulator that the settings name, not started yet.

    Raises:
        SettingError: it is not installed.
    """
    return _MAKERS[settings.emulator](settings, folder, port)
