"""``python -m infra.local run|stop|status|token|tool|package``: the platform on this machine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

FAILED, REFUSED = 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Do one command; every failure that can be foreseen is one message and an exit code."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "functions"))
    try:
        return _dispatch(_parser().parse_args(arguments))
    except KeyboardInterrupt:  # before the run listens to signals, there is nothing to end
        return 0


def _dispatch(chosen: argparse.Namespace) -> int:
    from infra.local import commands
    from infra.local.errors import AlreadyRunningError
    from quant.errors import QuantError, SettingError

    try:
        match chosen.command:
            case "run":
                return commands.run()
            case "stop":
                return commands.stop(quiet=chosen.quiet)
            case "status":
                return commands.status()
            case "token":
                return commands.token()
            case "tool":
                return commands.tool(chosen.module, chosen.arguments)
            case _:
                return commands.package()
    except QuantError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return REFUSED if isinstance(exc, SettingError | AlreadyRunningError) else FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="start everything and go on until Ctrl-C")
    stop = commands.add_parser("stop", help="end a run and wait until its state is saved")
    stop.add_argument("--quiet", action="store_true", help="say nothing when nothing is running")
    commands.add_parser("status", help="say whether a run is active, and how it is")
    commands.add_parser("token", help="print the API's token of the local stack")
    tool = commands.add_parser("tool", help="run a module with the environment of the active run")
    tool.add_argument("module")
    tool.add_argument("arguments", nargs=argparse.REMAINDER)
    commands.add_parser("package", help="build the thin Lambda packages into build/packages")
    return parser


if __name__ == "__main__":
    sys.exit(main())
