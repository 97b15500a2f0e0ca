"""``make chaos``: break everything, then count. ``python -m tests.chaos [SCENARIO]`` with FAULTS, SEED and others set.

storm (default): a seeded storm of faults with kills in between. The other scenarios are listed by ``--help``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from importlib import import_module
from pathlib import Path

SCENARIOS = ("storm", "twins", "exchange_outage", "storage_outage", "restart", "upgrade", "resize")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("scenario", nargs="?", choices=SCENARIOS, default="storm")
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--seconds", type=float, help="how long it lasts (outages: 600)")
    parser.add_argument("--folder", type=Path, help="keep journals and logs there")
    parser.add_argument("--json", type=Path, help="write the figures there")
    options = parser.parse_args()
    run = import_module(f"tests.chaos.{options.scenario}").run
    with tempfile.TemporaryDirectory() as folder:
        place = options.folder or Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        figures = asyncio.run(run(place, options))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    print("PASSED" if figures["passed"] else "FAILED")
    return 0 if figures["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
