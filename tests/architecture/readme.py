"""The README's tables, made from the settings and the Makefile."""

from __future__ import annotations

import re
from pathlib import Path

from quant.settings import SETTINGS

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"


def with_tables(text: str) -> str:
    """The text with both tables made anew."""
    for name, lines in (("settings", _settings()), ("commands", _commands())):
        block = "\n".join([f"<!-- {name} -->", *lines, f"<!-- /{name} -->"])
        text = re.sub(rf"<!-- {name} -->.*?<!-- /{name} -->", lambda _, block=block: block, text, flags=re.DOTALL)
    return text


def _settings() -> list[str]:
    rows = [f"| `{row.name}` | {f'`{_short(row.default)}`' if row.default else ''} | {row.help} |" for row in SETTINGS]
    return ["| setting | default | meaning |", "|---|---|---|", *rows]


def _short(default: str) -> str:
    return default if len(default) <= 40 else f"{default[:32]}…"


def _commands() -> list[str]:
    found = re.findall(r"^([a-z-]+):.*?## (.*)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    rows = [f"| `make {name}` | {text.replace('|', chr(92) + '|')} |" for name, text in found]
    return ["| command | what it does |", "|---|---|", *rows]


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text()))
