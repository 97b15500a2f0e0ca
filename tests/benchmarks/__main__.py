"""`make bench`: every claim against its peer, measured in the same run; a table, and build/bench.json.

A module ``bench_*.py`` of this folder has a function ``run() -> list[Row]``. Arguments choose among them by name.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

from tests.benchmarks.row import Row, table

HERE = Path(__file__).parent
OUT = HERE.parents[1] / "build/bench.json"


def main(chosen: list[str]) -> int:
    names = sorted(path.stem for path in HERE.glob("bench_*.py"))
    wanted = [name for name in names if not chosen or name.removeprefix("bench_") in chosen]
    if not wanted:
        known = ", ".join(name.removeprefix("bench_") for name in names)
        print(f"no benchmark is called {' or '.join(chosen)}; there are {known}", file=sys.stderr)
        return 2
    rows: list[Row] = []
    for name in wanted:
        print(f"running {name.removeprefix('bench_')}…", file=sys.stderr, flush=True)
        rows += import_module(f"tests.benchmarks.{name}").run()
    print(table(rows))
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps([row.as_json() for row in rows], indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
