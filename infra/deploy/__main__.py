"""`make deploy` and `make destroy`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from frontend_static.build import build
from infra.deploy.commands import Tools, Wanted, down, up
from infra.local.errors import DeploymentError
from quant.settings import child_environment

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.deploy", description=__doc__)
    parser.add_argument("command", choices=("up", "down"))
    parser.add_argument("--prefix", default="quant", help="beginning of all names")
    parser.add_argument("--symbols", default="", help="what to follow; left out, the list that is there stays")
    parser.add_argument("--shards", default="1", help="how many ingestors share the symbols; auto, or 0 for none")
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE", help="of template.yaml")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--data", choices=("keep", "delete"), default="keep", help="what down does with the data")
    parser.add_argument("--uv", default="", help="path of uv, which installs faster than pip")
    given = parser.parse_args(arguments)
    answers = child_environment()
    region = answers.get("AWS_REGION") or answers.get("AWS_DEFAULT_REGION")
    session = boto3.Session(region_name=region)
    if not session.region_name:
        print("error: no region; set AWS_REGION, such as eu-central-1", file=sys.stderr)
        return 2
    wanted = Wanted(
        root=ROOT, prefix=given.prefix, symbols=given.symbols, shards=given.shards, uv=given.uv,
        parameters=dict(part.split("=", 1) for part in given.parameter), with_data=given.data == "delete",
    )  # fmt: skip
    tools = Tools(
        client=session.client,  # type: ignore[arg-type]
        say=lambda text: print(text, flush=True),
        ask=_agree if given.yes else _ask,
        build_site=lambda folder: build(folder, api_base="/api"),
    )
    try:
        (up if given.command == "up" else down)(wanted, tools)
    except DeploymentError as exc:
        print(f"error: {exc.reason}", file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    return 0


def _ask(question: str) -> str:
    return input(question)


def _agree(question: str) -> str:
    """Answers with the word that the question names."""
    return question.rpartition("Type ")[2].split(" ", 1)[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
