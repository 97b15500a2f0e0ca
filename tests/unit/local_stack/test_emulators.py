"""Which emulator a run gets, where its state is, and which LocalStack a machine can have."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.local.emulators import emulator_of
from infra.local.inbox.amazon import mails
from infra.local.sources import SIMULATOR
from infra.local.stack import state_folder
from infra.localstack.install import NotInstallableError, choose
from infra.localstack.server import is_installed
from quant.errors import SettingError
from quant.settings import Settings


def settings(emulator: str) -> Settings:
    return Settings.load({"EMULATOR": emulator, "STATE_DIR": "/state"})


def test_each_emulator_has_a_folder_of_its_own() -> None:
    assert state_folder(settings("ministack"), SIMULATOR) == Path("/state/simulator")
    assert state_folder(settings("localstack"), SIMULATOR) == Path("/state/simulator-localstack")


def test_an_emulator_is_one_of_two() -> None:
    with pytest.raises(SettingError, match="EMULATOR must be one of ministack, localstack"):
        settings("moto")


def test_what_is_not_installed_is_said_with_its_remedy(tmp_path: Path) -> None:
    assert emulator_of(settings("ministack"), tmp_path, 1).keeps_state
    if is_installed():
        assert not emulator_of(settings("localstack"), tmp_path, 1).keeps_state
    else:
        with pytest.raises(SettingError, match="not installed: `make run EMULATOR=localstack` does it"):
            emulator_of(settings("localstack"), tmp_path, 1)


@pytest.mark.parametrize(
    ("there", "wanted", "lock"),
    [
        ({"3.11", "3.13"}, "", "requirements.lock"),
        ({"3.11", "3.12"}, "", "requirements-older.lock"),
        ({"3.11", "3.13"}, "3.11", "requirements-older.lock"),
    ],
)
def test_the_lock_follows_the_python_there_is(there: set[str], wanted: str, lock: str) -> None:
    python, chosen = choose(wanted, lambda version: f"python{version}" if version in there else "")
    assert python.removeprefix("python") in there
    assert chosen.name == lock
    assert chosen.exists()


@pytest.mark.parametrize("wanted", ["", "3.10", "3.13"])
def test_a_missing_python_is_one_clear_sentence(wanted: str) -> None:
    with pytest.raises(NotInstallableError) as caught:
        choose(wanted, lambda version: "")
    needed = wanted or "3.13 or 3.12 or 3.11"
    sentence = f"LocalStack cannot be installed: it needs a Python {needed}, and there is none here"
    assert str(caught.value) == sentence


RAW = """From: alerts@quant.localhost
To: me@example.org
Subject: =?utf-8?q?BTCUSDT_above_60=E2=80=AF000?=
X-Event-Id: 0f3a9c.77aa
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="b"

--b
Content-Type: text/plain; charset="utf-8"

It is.
--b
Content-Type: text/html; charset="utf-8"

<p>It is.</p>
--b--
"""


def test_a_mail_that_is_kept_whole_is_read_whole() -> None:
    """LocalStack's answer at /_aws/ses."""
    told = {"Id": "m-1", "Region": "us-east-1", "Source": "alerts@quant.localhost", "RawData": RAW,
            "Timestamp": "2026-11-22T10:00:00"}  # fmt: skip
    [entry] = mails({"messages": [told]})
    assert (entry.id, entry.to, entry.event_id) == ("m-1", "me@example.org", "0f3a9c.77aa")
    assert entry.subject == "BTCUSDT above 60\u202f000"
    assert (entry.text.strip(), entry.html.strip()) == ("It is.", "<p>It is.</p>")
    assert entry.time == 1_795_341_600_000  # date -u -d 2026-11-22T10:00 +%s
    assert entry.facts == {"from": "alerts@quant.localhost"}
