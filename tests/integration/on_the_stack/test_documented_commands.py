"""Every command of the documents is run here, has a test elsewhere that does the same, or says that it needs AWS."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from quant.settings import child_environment
from tests.architecture.documented import Command, commands, commands_in
from tests.integration.client import await_answer
from tests.integration.conftest import ROOT, RunningStack, started_stack

# A command is given to the shell as it is written. make takes the environment as it is: a test installs nothing.
NOT_MADE = "-o .venv/.stamp -o .venv/vendor/.stamp"
SHELL = f"""
make() {{ command make {NOT_MADE} "$@"; }}
python() {{ PYTHONPATH=functions:. .venv/bin/python "$@"; }}
curl() {{ command curl -sS --max-time 60 -w '\\n%{{http_code}}' "$@"; }}
"""
HERE = "http://127.0.0.1:8000"
COMMANDS = commands()
TEXTS = sorted({command.text for command in COMMANDS})
CURLS = [text for text in TEXTS if text.startswith("curl ")]
SUITES = [text for text in TEXTS if text.startswith(".venv/bin/python -m pytest ")]
# What is asked of the shared stack, and what it has to print.
ON_THE_STACK = {
    "make help": r"make test +Run all tests",
    "make status": r"running on http://127\.0\.0\.1:\d+ ",
    "make token": r"^\S{32,}$",
    "make query": r"trades|the archive is empty",
    "make repair": r"damaged",
    "make costs": r"to pay, after always-free allowances +\d",
    'make costs LOAD="symbols=200 trades_per_second=10000 vcpu=1 memory_gb=2"': r"allowances +24\d\.",
    "make site": r"build/site",
    "make package": r"build/packages",
    "make backfill SYMBOLS=BTCUSDT,ETHUSDT FROM=2026-11-22T02:00 TO=2026-11-22T05:00": r"ETHUSDT: [\d,]+ trades",
    "python -m tests.unit.notify.addresses": r"hooks\.example\.com",
}
ON_A_RUN_OF_ITS_OWN = ("make run SOURCE=simulator", "make run")
ON_A_COPY = ("make format", "make check", "make clean")
# What takes minutes, and a short form of it.
SHORTLY = {
    "make bench": "python -m tests.benchmarks rolling",
    "python -m tests.benchmarks.simulate_scale": "python -c "
    "'from tests.benchmarks import simulate_scale as scale; scale.STEPS = (2, 3, 4); scale.main()'",
}
# What cannot be run here: it takes minutes, writes into the repository, or needs the exchange or a large peer.
ELSEWHERE = {
    "make test": "tests/integration/on_the_stack/test_documented_commands.py::test_every_command_is_accounted_for",
    "make test-localstack": "tests/localstack/test_localstack.py::test_it_listens_on_loopback_only",
    "make test-localstack LOCALSTACK_PYTHON=3.11": "tests/unit/local_stack/test_emulators.py::"
    "test_the_lock_follows_the_python_there_is",
    "make run EMULATOR=localstack": "tests/localstack/test_run.py::"
    "test_a_run_on_localstack_gets_ready_alerts_and_leaves_nothing_behind",
    "make backfill": "tests/integration/on_the_stack/test_ingestor_stack.py::"
    "test_a_backfill_of_the_active_run_brings_the_trades_before_its_start",
    "make diagram": "tests/architecture/test_diagram.py::test_the_file_is_what_the_model_makes",
    "make fuzz": "tests/integration/on_the_stack/test_api_attacks.py::test_every_attack_is_refused",
    "make deploy": "tests/integration/test_deploy.py::test_a_deployment_answers_and_the_second_changes_nothing",
    "make destroy": "tests/integration/test_deploy.py::"
    "test_destroying_keeps_the_data_unless_it_is_said_and_then_a_new_stack_is_refused",
    "make destroy DATA=delete": "tests/integration/test_deploy.py::"
    "test_destroying_keeps_the_data_unless_it_is_said_and_then_a_new_stack_is_refused",
    "make chaos": "tests/chaos/test_short_storm.py::"
    "test_after_all_kinds_of_faults_and_kills_every_trade_is_stored_once",
    "make chaos FAULTS=1000 SEED=7": "tests/chaos/test_short_storm.py::"
    "test_after_all_kinds_of_faults_and_kills_every_trade_is_stored_once",
    "make chaos SCENARIO=twins": "tests/contract/test_repositories.py::"
    "test_overlapping_chunks_of_two_writers_merge_by_id",
    "make chaos SCENARIO=exchange_outage": "tests/functional/ingestor/test_ingestor.py::"
    "test_a_restart_heals_what_was_traded_in_between",
    "make chaos SCENARIO=storage_outage": "tests/functional/ingestor/test_process.py::"
    "test_trades_outlive_a_storage_that_is_away_and_a_stop",
    "make chaos SCENARIO=restart": "tests/functional/ingestor/test_long_runs.py::"
    "test_what_lies_beyond_the_horizon_is_one_recorded_gap",
    "make chaos SCENARIO=upgrade": "tests/integration/test_deploy_ingestor.py::"
    "test_a_new_ingestor_overlaps_the_old_one_and_no_trade_is_lost",
    "make chaos SCENARIO=resize": "tests/unit/ingestor/test_membership.py::test_settled_each_symbol_is_followed_once",
    "make run NAME_WS_URL=…": "tests/architecture/test_extending.py::test_every_exchange_can_be_pointed_elsewhere",
    "make run SOURCE=binance SYMBOLS=BTCUSDT,SOLUSDT": "tests/unit/local_stack/test_sources.py::"
    "test_who_insists_on_the_exchange_waits_for_it_and_is_told_so",
    "make run SOURCE=binance SYMBOLS=BTCUSDT,NAME:SYMBOL": "tests/functional/ingestor/test_coinbase.py::"
    "test_bars_of_two_exchanges_stand_side_by_side",
    "make run SOURCE=replay:FOLDER": "tests/functional/exchange_simulator/test_command.py::"
    "test_a_recording_is_served_as_far_as_it_was_played",
    "make run SOURCE=replay:FOLDER SPEED=10": "tests/functional/exchange_simulator/test_command.py::"
    "test_a_recording_is_served_as_far_as_it_was_played",
    "PYTHONPATH=functions:. .venv/bin/python -m tests.architecture.readme": "tests/architecture/test_readme.py::"
    "test_the_tables_of_the_readme_are_those_of_the_code",
    "python -m infra.licences": "tests/architecture/test_licences.py::test_the_page_lists_what_is_deployed",
    "python -m tests.real_data.chan": "tests/real_data/test_references.py::"
    "test_every_statistic_on_chans_data_is_the_published_one",
    "python -m tests.real_data.many_symbols": "tests/real_data/test_references.py::"
    "test_the_scan_of_28_real_symbols_equals_coint",
    "python -m tests.functional.analyse.true_pairs": "tests/functional/analyse/test_simulated_market.py::"
    "test_the_three_true_pairs_rank_first_after_three_days",
    "python -m tests.functional.alerts.crash": "tests/functional/alerts/test_crash.py::"
    "test_each_channel_gets_one_notification_wherever_a_run_dies",
    "python -m tests.functional.alerts.thirty_days": "tests/functional/alerts/test_thirty_days.py::"
    "test_the_backtest_gives_the_same_events_one_for_one",
}
# What CI runs beside the suite, since it needs packages of its own.
IN_CI = ("make validate", "sam validate --lint", "sam build")
RUN = {*CURLS, *SUITES, *ON_THE_STACK, *ON_A_RUN_OF_ITS_OWN, "make stop", *ON_A_COPY, *SHORTLY}


def test_every_command_is_accounted_for() -> None:
    marked = {command.text for command in COMMANDS if command.is_marked}
    known = RUN | ELSEWHERE.keys() | {*IN_CI} | marked
    assert [_named(command) for command in COMMANDS if command.text not in known] == []
    assert sorted((RUN | ELSEWHERE.keys() | {*IN_CI}) - {*TEXTS}) == [], "no document has these any more"


def test_commands_are_found_in_blocks_and_in_sentences() -> None:
    text = (
        "`make one\n  A=1` or `a_name`.\n\n`aws two` (needs AWS).\n\n```sh\ncurl -d '{\n1}' \\\n  host  # why\n```\n"
        "\n    make three  # needs AWS\n    # a remark\n"
    )
    assert {(one.text, one.is_marked) for one in commands_in(text, "page")} == {
        ("make one A=1", False),
        ("aws two", True),
        ("curl -d '{1}'   host", False),
        ("make three", True),
    }


def _named(command: Command) -> str:
    return f"{command.place}: {command.text}"


@pytest.mark.parametrize("named", sorted({*ELSEWHERE.values()}))
def test_the_test_that_does_the_same_is_there(named: str) -> None:
    path, _, name = named.partition("::")
    defined = [node.name for node in ast.walk(ast.parse((ROOT / path).read_text())) if _is_function(node)]
    assert name in defined


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def test_ci_validates_the_templates_with_sam() -> None:
    assert [text for text in IN_CI if text.startswith("make ") and text not in (ROOT / ".ci/run").read_text()] == []
    said = (ROOT / "infra/validate.sh").read_text()
    assert [text for text in IN_CI if text.startswith("sam ") and text.partition(" ")[2] not in said] == []


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize("text", CURLS)
def test_every_request_is_answered(stack: RunningStack, text: str) -> None:
    """As it is written, by curl in a shell; the pair has to have its ten hours of bars first."""
    for symbol in ("LTCUSDT", "BCHUSDT") if "/pairs/" in text else ("BTCUSDT",):
        await_answer(stack.url, f"/api/ohlc/{symbol}", lambda found: len(found["bars"]) == 600, limit=600)
    answer, _, status = _shell(text.replace(HERE, stack.url), STATE_DIR=str(stack.state_dir)).rpartition("\n")
    assert status == ("201" if "-X POST" in text else "200"), answer
    assert isinstance(json.loads(answer), dict)


@pytest.mark.parametrize("text", ON_THE_STACK)
def test_a_command_on_the_running_stack_says_what_it_did(stack: RunningStack, text: str) -> None:
    await_answer(stack.url, "/api/ticks/BTCUSDT", lambda found: found["ticks"], limit=1)
    begin = datetime.now(UTC) - timedelta(minutes=2)
    times = (f"{begin + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}" for seconds in (0, 20))
    # The simulated exchange knows the last day, so the range of the document becomes one of today.
    asked = re.sub(r"(?<==)\d{4}-\d\d-\d\dT\S+", lambda _: next(times), text)
    assert re.search(ON_THE_STACK[text], _shell(asked, STATE_DIR=str(stack.state_dir)), re.MULTILINE)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("text", ON_A_RUN_OF_ITS_OWN)
def test_a_run_is_started_asked_and_stopped_by_make(tmp_path: Path, text: str) -> None:
    """Where the command names no source, the environment does; tests/unit/local_stack asks for the rest."""
    command = ["sh", "-c", f"exec {text} {NOT_MADE}"]
    with started_stack(tmp_path, command=command) as run:
        try:
            assert run.url in _shell("make status", STATE_DIR=str(tmp_path))
        finally:
            said = _shell("make stop", STATE_DIR=str(tmp_path))
        assert "stopped; its state is saved" in said
        assert run.process.wait(30) == 0, "\n".join(run.lines)
    assert "nothing is running" in _shell("make status", STATE_DIR=str(tmp_path))


def test_the_code_is_formatted_checked_and_cleaned(copy: Path) -> None:
    shutil.rmtree(copy / "tests")
    (copy / "build").mkdir()
    (copy / "functions/quant/domain/careless.py").write_text("import os\ndef one( ) -> int :\n  return 1\n")
    _shell("make format", copy)
    assert "def one() -> int:\n    return 1\n" in (copy / "functions/quant/domain/careless.py").read_text()
    assert "Success: no issues found" in _shell("make check CODE=functions/quant/domain", copy)
    _shell("make clean", copy)
    assert not (copy / "build").exists()


@pytest.mark.parametrize("text", SHORTLY)
def test_what_takes_minutes_works_in_its_short_form(copy: Path, text: str) -> None:
    assert len(_shell(SHORTLY[text], copy).splitlines()) > 3


@pytest.mark.parametrize("text", SUITES)
def test_tests_that_are_run_by_folder_are_found(text: str) -> None:
    """They are in the suite that this test is part of; here they are only collected, as the document says it."""
    assert re.search(r"^\d+ tests collected", _shell(f"{text} --collect-only -q"), re.MULTILINE)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The repository's code, to be written into."""
    for name in ("functions", "infra", "ingestor", "tests", "Makefile", "pyproject.toml", "template.yaml"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    return tmp_path


def _shell(text: str, folder: Path = ROOT, **changes: str) -> str:
    """What a command printed; it has to end well. What an outer make told its children is not for this one."""
    environment = child_environment(**changes)
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHONPATH"):
        environment.pop(name, None)
    done = subprocess.run(
        ["sh", "-c", SHELL + text],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=90,
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}"
    return done.stdout.strip()
