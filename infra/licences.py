"""The licences of everything that is deployed: ``python -m infra.licences`` writes docs/licences.md."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "licences.md"
LOCKS = ("functions/pack/light.lock", "functions/pack/analyse.lock", "ingestor/requirements.lock")
_PIN = re.compile(r"^([a-z0-9-]+)==([^ ;\\]+)", re.MULTILINE)
# SPDX names by what packages say in their older, free texts.
_SPDX = {
    "apache license 2.0": "Apache-2.0", "apache license version 2.0": "Apache-2.0", "apache 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0", "mit license": "MIT", "the mit license (mit)": "MIT",
    "bsd license": "BSD-3-Clause", "bsd 3-clause license": "BSD-3-Clause", "bsd": "BSD-3-Clause",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0", "dual license": "Apache-2.0 OR BSD-3-Clause",
    "2-clause bsd": "BSD-2-Clause",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Licensed:
    """A package, where it is deployed, and its licence as SPDX writes it."""

    name: str
    licence: str
    places: tuple[str, ...]


def deployed() -> list[Licensed]:
    """Every package of the locks, by what the installed one says of itself."""
    places: dict[str, list[str]] = {}
    for lock in LOCKS:
        for name in sorted({name for name, _ in _PIN.findall((ROOT / lock).read_text())}):
            places.setdefault(name, []).append(Path(lock).parts[-1] if "pack" in lock else "ingestor")
    return [Licensed(name, _licence(distribution(name)), tuple(where)) for name, where in sorted(places.items())]


def _licence(found: Distribution) -> str:
    said = found.metadata.get_all("License-Expression") or []
    if said:
        return str(said[0])
    classified = [
        line.rpartition(" :: ")[2]
        for line in found.metadata.get_all("Classifier") or []
        if line.startswith("License :: ")
    ]
    texts = [(found.metadata.get_all("License") or [""])[0], *classified]
    return next((_SPDX[text.strip().lower()] for text in texts if text.strip().lower() in _SPDX), texts[0] or "unknown")


def page() -> str:
    """The page as Markdown."""
    rows = "\n".join(f"| {one.name} | {one.licence} | {', '.join(one.places)} |" for one in deployed())
    return (
        "# Licences of what is deployed\n\n"
        "Written by `python -m infra.licences` from what each installed package says of itself. "
        "`light.lock` is in the packages of api, resample and check_alerts, `analyse.lock` in that of analyse.\n\n"
        f"| package | licence (SPDX) | in |\n|---|---|---|\n{rows}\n"
    )


if __name__ == "__main__":
    PAGE.write_text(page())
    sys.exit(0)
