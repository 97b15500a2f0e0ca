"""No AWS account, proxy or setting of the developer's shell gets where it does not belong."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.local.environment import emulator_environment, local_settings, program_environment
from infra.local.ports import choose, reserve
from quant.errors import SettingError
from quant.settings import Settings


def test_the_laptop_has_its_own_defaults() -> None:
    settings, chosen = local_settings({})
    assert (settings.flush_seconds, settings.tick_ttl_seconds, chosen) == (1, 7200, False)


def test_what_the_user_sets_is_kept() -> None:
    settings, chosen = local_settings({"FLUSH_SECONDS": "5", "SYMBOLS": "BTCUSDT"})
    assert (settings.flush_seconds, chosen) == (5, True)


def test_programs_do_not_see_the_developers_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "https://elsewhere")
    assert not [name for name in program_environment(Path("/code")) if name.startswith("AWS_")]


def test_programs_reach_this_machine_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "intranet")
    assert program_environment(Path("/code"))["NO_PROXY"] == "intranet,127.0.0.1,localhost"


def test_functions_see_neither_the_source_tree_nor_the_shells_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "functions")
    monkeypatch.setenv("SYMBOLS", "BTCUSDT")
    env = emulator_environment(Settings.load({}), Path("/state"), 4566)
    assert not {"PYTHONPATH", "SYMBOLS"} & env.keys()
    assert env["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert env["BIND_HOST"] == "127.0.0.1"


def test_a_taken_port_is_refused_by_the_settings_name() -> None:
    with reserve(0, "PORT") as held:
        held.listen()
        port = held.getsockname()[1]
        with pytest.raises(SettingError, match=rf"setting PORT is port {port}, which is taken.*PORT=\d+"):
            reserve(port, "PORT")


def test_zero_takes_a_free_port() -> None:
    assert choose(0, "EMULATOR_PORT") > 1023
