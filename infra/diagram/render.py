"""A draw.io file as SVG and PNG, drawn by draw.io's viewer in a headless Chromium that reaches nothing else."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from urllib.parse import quote

from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import Page, Route, sync_playwright

from infra.diagram import text
from infra.diagram.canvas import UNITS_PER_INCH
from infra.diagram.palette import FONT, PAPER

DPI = 320
"""A little more than the 300 that are asked for, so that rounding never falls below them."""
BORDER = 10
ORIGIN = "http://diagram.invalid"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-quic", "--no-first-run", "--font-render-hinting=none", "--force-color-profile=srgb",
]  # fmt: skip


class RenderingError(RuntimeError):
    """The viewer failed, or wanted something that is not there."""


@dataclass(frozen=True, slots=True)
class Rendered:
    svg: str
    png: bytes


def render(drawio: str, viewer: str, chromium: str) -> Rendered:
    """Draw it.

    Args:
        drawio: the file's text; a copy of it is kept in both pictures.
        viewer: the viewer's JavaScript.
        chromium: path of the browser.

    Raises:
        RenderingError: the page reported an error or asked for something else.
    """
    with _page(viewer, chromium) as page:
        svg, large = (str(page.evaluate("draw", [drawio, scale])) for scale in (1, DPI / UNITS_PER_INCH))
        png = _screenshot(page, large)
    return Rendered(_without_editor_marks(svg), _finished(png, drawio))


@contextmanager
def _page(viewer: str, chromium: str) -> Iterator[Page]:
    html = files("infra.diagram").joinpath("viewer.html").read_text()
    served = {
        f"{ORIGIN}/": (html, "text/html"),
        f"{ORIGIN}/viewer.js": (viewer, "text/javascript"),
        # The viewer asks for it at its end; it holds nothing that drawing needs.
        f"{ORIGIN}/startup.js": ("", "text/javascript"),
    }
    troubles: list[str] = []

    def answer(route: Route) -> None:
        if route.request.url in served:
            body, kind = served[route.request.url]
            route.fulfill(body=body, content_type=f"{kind}; charset=utf-8")
        elif route.request.url.startswith("data:"):
            route.continue_()
        else:
            troubles.append(f"asked for {route.request.url}")
            route.abort()

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page()
        page.route("**/*", answer)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(f"{ORIGIN}/")
        page.wait_for_function("typeof Graph === 'function' && typeof mxCodec === 'function'")
        _check_font(page)
        yield page
        browser.close()
    if troubles:
        raise RenderingError("; ".join(troubles))


def _check_font(page: Page) -> None:
    """In any other font labels would be cut and lie on each other, though the layout has found that all of them fit."""
    for weight in ("normal", "bold"):
        measured = float(page.evaluate("measure", [f"{weight} 100px {FONT}", text.SAMPLE]))
        if not text.is_metric(measured, 100, weight == "bold"):
            raise RenderingError("no font here is as wide as Arial: install Liberation Sans (fonts-liberation)")


def _screenshot(page: Page, svg: str) -> bytes:
    width, height = (int(float(_attribute(svg, name).removesuffix("px"))) for name in ("width", "height"))
    page.set_viewport_size({"width": width, "height": height})
    page.set_content(f"<style>*{{margin:0}} svg{{display:block}}</style>{svg[svg.index('<svg') :]}")
    return page.screenshot()


def _attribute(svg: str, name: str) -> str:
    found = re.search(rf'<svg[^>]*? {name}="([^"]*)"', svg)
    if found is None:
        raise RenderingError(f"the drawing has no {name}")
    return found[1]


def _without_editor_marks(svg: str) -> str:
    return re.sub(r' data-(?:drawio-colors|cell-id)="[^"]*"', "", svg) + "\n"


def _finished(png: bytes, drawio: str) -> bytes:
    """The picture without an alpha channel, its border, its resolution, and its source as draw.io keeps it."""
    out, texts = io.BytesIO(), PngInfo()
    texts.add_text("mxfile", quote(drawio, safe=""))
    image = _bordered(Image.open(io.BytesIO(png)).convert("RGB"))
    image.save(out, "PNG", dpi=(DPI, DPI), pnginfo=texts, optimize=True)
    return out.getvalue()


def _bordered(image: Image.Image) -> Image.Image:
    """With a border of exactly so many pixels; the viewer's own is some more or less, as lines are wide."""
    drawn = ImageOps.invert(image).getbbox()
    if drawn is None:
        raise RenderingError("the drawing is empty")
    return ImageOps.expand(image.crop(drawn), BORDER, PAPER)
