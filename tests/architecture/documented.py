"""The commands of the documents: lines of blocks, and what is written like code within a sentence."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")]
    if "decisions" not in path.parts
)
SHELLS = ("sh", "bash", "console")
# The beginnings of what is run; other code in a sentence is a name.
PROGRAMS = r"(?:PYTHONPATH=\S+ )?(?:make|curl|aws|sam|docker|git|pip|python -m|\.venv/bin/python) "
MARK = re.compile(r"needs (?:AWS|the network)")


@dataclass(frozen=True, slots=True)
class Command:
    """``text`` on one line without its comment; ``is_marked`` where its comment or paragraph says what it needs."""

    place: str
    text: str
    is_marked: bool


def commands() -> list[Command]:
    return [one for page in PAGES for one in commands_in(page.read_text(), page.relative_to(ROOT).as_posix())]


def commands_in(text: str, place: str) -> Iterator[Command]:
    prose, blocks = _parts(text)
    for line in (line for block in blocks for line in _whole_lines(block)):
        command, _, comment = line.partition(" #")
        if not line.startswith("#"):
            yield Command(place, command.strip(), bool(MARK.search(comment)))
    # A row of a table and an item of a list stand for themselves, like a paragraph.
    for paragraph in re.split(r"\n\s*\n|\n(?=\s*(?:\||- |\d+\. ))", prose):
        for code in re.findall(r"`([^`]+)`", paragraph):
            command = " ".join(code.split())
            if re.match(PROGRAMS, command):
                yield Command(place, command, bool(MARK.search(" ".join(paragraph.split()))))


def _parts(text: str) -> tuple[str, list[list[str]]]:
    """Prose, and the blocks of commands: fenced ones of a shell's language, and indented ones after an empty line."""
    prose: list[str] = []
    blocks: list[list[str]] = [[]]
    fence, before = None, ""
    for line in text.splitlines():
        is_fence = line.lstrip().startswith("```")
        if is_fence:
            fence = None if fence is not None else line.strip("` \t")
            blocks.append([])
        elif fence is not None:
            if fence in SHELLS:
                blocks[-1].append(line)
        elif line.startswith("    ") and (blocks[-1] or not before.strip()):
            blocks[-1].append(line.strip())
        else:
            prose.append(line)
            blocks.append([])
        before = line
    return "\n".join(prose), [block for block in blocks if block]


def _whole_lines(block: list[str]) -> Iterator[str]:
    """Lines that end with a backslash or within quotes are joined with the next."""
    held = ""
    for line in block:
        held = f"{held.removesuffix(chr(92))}{line}" if held else line.removeprefix("$ ")
        if held.startswith("#") or (not held.endswith("\\") and _is_closed(held)):
            yield held
            held = ""
    assert not held, f"a command does not end: {held}"


def _is_closed(line: str) -> bool:
    try:
        shlex.split(line, comments=True)
    except ValueError:
        return False
    return True
