"""An upgrade under load: the new ingestor, out of its image, delivers before the old one is asked to end. No hole.

The new one is what ingestor/Dockerfile makes, played without Docker (infra/replay_dockerfile.py).
"""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path
from typing import Any

from infra.local.children import Child
from infra.local.environment import aws_environment
from infra.replay_dockerfile import Image, replay
from pack.build import digest
from quant.storage.storage import open_storage
from tests.chaos.outage import caught_up, verdict
from tests.chaos.world import ROOT, World, now_ms, world

PER_SECOND = 50.0
SYMBOLS = ("BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT")
DRAIN = 20.0


def of_image(made: World, image: Image) -> Child:
    """The container's process: the image's environment, and what the task definition adds."""
    settings = made.ingestor("settings").env
    given = {name: settings[name] for name in ("BINANCE_WS_URL", "BINANCE_REST_URL", "SYMBOLS", "PREFIX", "MARKET")}
    child = Child(
        name="ingestor of the image",
        command=image.command(image.entrypoint),
        env={"PATH": "/usr/bin:/bin", **image.environment, **aws_environment(made.storage.url), **given,
             "FLUSH_SECONDS": "1", "NO_PROXY": "127.0.0.1"},
        log_path=made.folder / "ingestor-image.log",
        cwd=image.root,
    )  # fmt: skip
    made.ingestors.append(child)
    return child


async def delivering(made: World, instances: int, within: float = 60.0) -> None:
    """Wait until so many ingestors have said that trades of all symbols of theirs are stored."""
    async with asyncio.timeout(within):
        while True:
            beats = await asyncio.to_thread(open_storage(made.settings, now_ms).heartbeats.all)
            whole = [beat for beat in beats if all(pulse.confirmed_id for pulse in beat.pulses)]
            if len({beat.instance for beat in whole}) >= instances:
                return
            await asyncio.sleep(0.5)


async def health(image: Image, child: Child) -> int:
    """The exit code of the image's health check."""
    process = await asyncio.create_subprocess_exec(*image.command(image.health), env=dict(child.env), cwd=image.root)
    return await process.wait()


def written(app: Path) -> tuple[str, str, set[Path]]:
    """The program's own bytes, and the names of all files of its libraries."""
    return digest(app / "ingestor"), digest(app / "quant"), set(app.rglob("*"))


async def run(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    image = await asyncio.to_thread(replay, ROOT / "ingestor/Dockerfile", ROOT, folder / "image")
    app = image.root / "app"
    before = written(app)
    async with world(folder, symbols=SYMBOLS, seed=options.seed, per_second=PER_SECOND) as made:
        firsts = made.first_ids(now_ms())
        old, new = made.ingestor("old"), of_image(made, image)
        sick = await health(image, new)
        await old.start()
        await delivering(made, 1)
        await asyncio.sleep(options.seconds or 5)
        await new.start()
        await delivering(made, 2)
        healthy = await health(image, new)
        began = time.monotonic()
        drained = await old.stop(DRAIN)
        drained_after = time.monotonic() - began
        await asyncio.sleep(options.seconds or 5)
        lasts = made.published()
        await caught_up(made, firsts, 60)
        ended = await new.stop(DRAIN)
        code = await new.wait()
        found = await verdict(made, firsts, lasts)
    changed = written(app) != before
    print(
        f"an upgrade at {PER_SECOND * len(SYMBOLS):.0f} trades/s: the old one drained in {drained_after:.1f} s; "
        f"missing {found.missing}, duplicates {found.duplicates}, altered {found.altered} of {found.published:,}; "
        f"{found.copies:,} rows were written by both"
    )
    passed = found.is_clean and drained and ended and code == 0 and (sick, healthy) == (1, 0) and not changed
    return {
        "passed": passed, "published": found.published, "missing": found.missing, "altered": found.altered,
        "duplicates": found.duplicates, "copies": found.copies, "drained_s": drained_after, "code": code,
        "health_before": sick, "health_while": healthy, "image_changed": changed, "left_out": image.left_out,
    }  # fmt: skip
