"""The commands of ``python -m infra.local``."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import aiohttp

from infra.local.environment import local_settings
from infra.local.packages import thin_package
from infra.local.running import Run, claimed, end
from infra.local.signals import stop_signals, until
from infra.local.stack import LocalStack, get_json
from infra.local.status import Console, status_line
from infra.local.templates import FUNCTION, load_template
from infra.local.tokens import kept_token
from quant.settings import Settings, child_environment

ROOT = Path(__file__).resolve().parents[2]
STOP_PATIENCE = 120.0
HINT_AFTER = 60.0
NOT_RUNNING = 3


def run() -> int:
    """Start everything and go on until the first signal."""
    settings, chosen = local_settings()
    folder = state_folder(settings)
    with claimed(folder):
        asyncio.run(_run(settings, folder, chosen))
    return 0


async def _run(settings: Settings, folder: Path, chosen: bool) -> None:
    console = Console(sys.stdout)
    stack = LocalStack(settings, root=ROOT, log=console.say, symbols_chosen=chosen)
    with stop_signals(first=asyncio.Event(), second=stack.hurry) as stopped:
        try:
            await until(stopped, _serve(stack, console, folder))
        finally:
            console.end_status()
            await _end(stack, console)


async def _end(stack: LocalStack, console: Console) -> None:
    began = time.monotonic()
    if stack.emulator_url:
        last = "saves its state" if stack.keeps_state else "ends"
        console.say(f"stopping: the ingestor drains, the emulator {last} (Ctrl-C again hurries)")
    await stack.stop()
    if stack.emulator_url:
        console.say(f"stopped in {time.monotonic() - began:.1f} s")


async def _serve(stack: LocalStack, console: Console, folder: Path) -> None:
    began = time.monotonic()
    await stack.start()
    stack.run.write(folder)
    watching = asyncio.ensure_future(stack.failure())
    showing = asyncio.ensure_future(_show(stack, console, began))
    try:
        await asyncio.gather(watching, showing)
    finally:
        watching.cancel()
        showing.cancel()


async def _show(stack: LocalStack, console: Console, began: float) -> None:
    hint = asyncio.get_running_loop().call_later(
        HINT_AFTER, console.say, f"still no bar after {HINT_AFTER:g} s; the logs are in {stack.logs}"
    )
    await stack.first_bar()
    hint.cancel()
    console.say(f"first bar after {time.monotonic() - began:.1f} s")
    console.say(f"ready {stack.url}")
    async with aiohttp.ClientSession() as session:
        while True:
            health = await stack.health(session)
            console.status(status_line(health, source=stack.source_name, elapsed=time.monotonic() - began))
            await asyncio.sleep(console.every)


def stop(*, quiet: bool = False) -> int:
    """End the active run and wait until its state is saved."""
    folder = state_folder(local_settings()[0])
    active = Run.read(folder)
    if active is None:
        if not quiet:
            print("nothing is running")
        return 0
    print("stopping…", flush=True)
    if not end(active, folder, patience=STOP_PATIENCE):
        print(f"the run (process {active.pid}) has not ended within {STOP_PATIENCE:g} s", file=sys.stderr)
        return 1
    print("stopped; its state is saved" if active.keeps_state else "stopped; its emulator keeps no state")
    return 0


def status() -> int:
    """Say whether a run is active, and how it is."""
    active = Run.read(state_folder(local_settings()[0]))
    if active is None:
        print("nothing is running")
        return NOT_RUNNING
    if not active.url:
        print(f"starting (process {active.pid})")
        return 0
    print(f"running on {active.url} (process {active.pid}), emulator on {active.emulator_url}")
    print(status_line(asyncio.run(_health(active.url)), source=active.source, elapsed=time.time() - active.since))
    return 0


async def _health(url: str) -> dict[str, object]:
    async with aiohttp.ClientSession() as session:
        return await get_json(session, f"{url}/api/health")


def tool(module: str, arguments: list[str]) -> int:
    """Run a command-line tool on the active run, or where there is none, on what the user's environment says."""
    settings, _ = local_settings()
    active = Run.read(state_folder(settings))
    environment = child_environment(**(active.environment if active else {}))
    return subprocess.call([sys.executable, "-m", module, *arguments], env=environment, cwd=ROOT)


def token() -> int:
    """Print the API's token of the local stack."""
    folder = state_folder(local_settings()[0])
    folder.mkdir(parents=True, exist_ok=True)
    print(kept_token(folder))
    return 0


def package() -> int:
    """Write the thin packages to build/packages."""
    out = ROOT / "build" / "packages"
    out.mkdir(parents=True, exist_ok=True)
    for resource in load_template(ROOT / "template.yaml")["Resources"].values():
        if resource["Type"] == FUNCTION:
            properties = resource["Properties"]
            made = thin_package(ROOT / properties["CodeUri"], properties["Handler"])
            (out / made.key).write_bytes(made.data)
            print(f"{out.relative_to(ROOT) / made.key}  {len(made.data):,} bytes")
    return 0


def state_folder(settings: Settings) -> Path:
    return settings.state_dir.expanduser().resolve()
