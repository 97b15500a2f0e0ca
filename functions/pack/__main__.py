"""`python -m pack ApiFunction FOLDER`: what `sam build` calls through functions/Makefile."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pack.build import build
from pack.errors import PackError
from pack.install import Target
from pack.recipes import MIB, PYTHON


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m pack", description=__doc__)
    parser.add_argument("function", help="its name in template.yaml")
    parser.add_argument("folder", type=Path, help="an empty folder")
    parser.add_argument("--machine", default="aarch64", choices=("aarch64", "x86_64"), help="the processor")
    parser.add_argument("--uv", default="", help="path of uv; without it the one on PATH, without that pip")
    given = parser.parse_args(arguments)
    try:
        built = build(given.function, given.folder.resolve(), Target(given.machine), given.uv)
    except PackError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    how = (
        "compiled" if built.compiled else f"NOT compiled: this machine has no Python {PYTHON}, cold starts take longer"
    )
    print(
        f"{built.function}: {built.size / MIB:.1f} of {built.budget / MIB:.0f} MiB, {how}, sha256 {built.digest[:16]}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
