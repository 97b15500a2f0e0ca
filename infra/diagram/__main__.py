"""`make diagram`: architecture.drawio, .svg and .png in the root, or in the folder that is given, from the model."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from infra.diagram.architecture import ARCHITECTURE
from infra.diagram.canvas import DoesNotFitError
from infra.diagram.drawio import to_drawio
from infra.diagram.layout import PAGE, lay_out
from infra.diagram.render import RenderingError, render
from infra.diagram.viewer import ViewerUnavailableError, viewer_script

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main(out: Path = ROOT) -> int:
    try:
        drawio = to_drawio(lay_out(ARCHITECTURE), PAGE, "Architecture")
    except DoesNotFitError as exc:
        return _fail(f"{exc}; see HEIGHTS in infra/diagram/layout.py")
    (out / "architecture.drawio").write_text(drawio)
    chromium = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if chromium is None:
        return _fail("architecture.drawio is written; its pictures need a Chromium, and none was found")
    try:
        rendered = render(drawio, viewer_script(ROOT / "build/diagram"), chromium)
    except (ViewerUnavailableError, RenderingError) as exc:
        return _fail(f"architecture.drawio is written; its pictures are not: {exc}")
    (out / "architecture.svg").write_text(rendered.svg)
    (out / "architecture.png").write_bytes(rendered.png)
    print(f"{len(ARCHITECTURE.components())} components drawn; architecture.png has {len(rendered.png):,} bytes")
    return 0


def _fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:2])))
