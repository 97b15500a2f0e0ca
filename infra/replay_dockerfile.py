"""Plays a Dockerfile without Docker: the same files and the same packages in a folder, then the same command.

It knows the few instructions that ingestor/Dockerfile uses and refuses any other. What needs a container is said
and left out: the base image (this machine's Python stands in for it), the user, and the file system that is read-only.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from infra.local.errors import DeploymentError
from pack.compiling import runtime_python

# Of the system, not of the image's files.
_NOT_PLAYED = ("useradd",)
_FOLDERS = ("/app", "/build", "/var/lib/ingestor")


@dataclass(slots=True)
class Image:
    """What an image would be: its files below ``root``, and how it is started and asked for its health."""

    root: Path
    python: str
    environment: dict[str, str] = field(default_factory=dict)
    entrypoint: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    user: str = ""
    stop_signal: str = ""
    left_out: list[str] = field(default_factory=list)

    def placed(self, text: str) -> str:
        """``text`` with the image's folders as they are on this machine."""
        return re.sub(rf"(?<![\w/])({'|'.join(_FOLDERS)})(?=[/\s\"']|$)", lambda found: f"{self.root}{found[1]}", text)

    def command(self, words: list[str]) -> list[str]:
        """A command of the image on this machine."""
        return [self.python if word == "python" else self.placed(word) for word in words]


def replay(dockerfile: Path, context: Path, root: Path) -> Image:
    """Play all steps into the empty folder ``root``.

    Raises:
        DeploymentError: an instruction is not known here, or a step failed.
    """
    image = Image(root, runtime_python() or sys.executable)
    for instruction, argument in _instructions(dockerfile.read_text()):
        play = _STEPS.get(instruction)
        if play is None:
            raise DeploymentError(f"{instruction} of {dockerfile.name} cannot be played without Docker")
        play(image, argument, context)
    return image


def _instructions(text: str) -> list[tuple[str, str]]:
    lines = [line.strip() for line in text.splitlines()]
    parts = [line.split(None, 1) for line in lines if line and not line.startswith("#")]
    return [(name, argument) for name, argument in parts]


def _note(image: Image, argument: str, context: Path) -> None:
    image.left_out.append(argument)


def _run(image: Image, argument: str, context: Path) -> None:
    folder = image.root / "var/lib/ingestor"
    if argument.startswith(_NOT_PLAYED):
        folder.mkdir(parents=True, mode=0o700)
        image.left_out.append(argument)
        return
    done = subprocess.run(image.command(shlex.split(argument)), capture_output=True, text=True)
    if done.returncode:
        raise DeploymentError(f"RUN {argument}: {done.stderr.strip()[-1000:]}")


def _copy(image: Image, argument: str, context: Path) -> None:
    if argument.startswith("--from="):
        return  # both stages are one folder here
    source, target = argument.split()
    goal = Path(image.placed(target))
    goal.parent.mkdir(parents=True, exist_ok=True)
    if (context / source).is_dir():
        shutil.copytree(context / source, goal, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    else:
        shutil.copy(context / source, goal)


def _environment(image: Image, argument: str, context: Path) -> None:
    for part in shlex.split(argument):
        name, _, value = part.partition("=")
        image.environment[name] = image.placed(value)


def _entrypoint(image: Image, argument: str, context: Path) -> None:
    image.entrypoint = json.loads(argument)


def _health(image: Image, argument: str, context: Path) -> None:
    image.health = json.loads(argument.partition("CMD ")[2])


def _user(image: Image, argument: str, context: Path) -> None:
    image.user = argument


def _stop_signal(image: Image, argument: str, context: Path) -> None:
    image.stop_signal = argument


_STEPS = {
    "ARG": _note, "FROM": _note, "WORKDIR": _note, "VOLUME": _note, "RUN": _run, "COPY": _copy, "ENV": _environment,
    "ENTRYPOINT": _entrypoint, "HEALTHCHECK": _health, "USER": _user, "STOPSIGNAL": _stop_signal,
}  # fmt: skip
