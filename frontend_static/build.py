"""Renders the dashboard to a folder of static files.

``python -m frontend_static.build --out build/site`` renders the templates, copies scripts, styles and images, and adds
plotly.js as :mod:`frontend_static.vendor` has it, so that no page needs a third-party host. The same sources give the
same bytes. What a page loads lies under a name that holds a hash of its content and may be kept for ever; pages are
asked for anew. ``manifest.json`` names every file with its size, its SHA-256, its type and how long it may be kept.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from frontend_static.docs_page import FILE as DOCS_FILE
from frontend_static.docs_page import docs_context
from frontend_static.vendor import plotly

SOURCE = Path(__file__).parent
MANIFEST = "manifest.json"
# Names under this folder change with what they hold.
ASSETS = "assets/"
FOR_EVER = "public, max-age=31536000, immutable"
ANEW = "no-cache"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}

_IMPORT = re.compile(r"""^\s*(?:import|export)\b[^"';]*["']\./([\w.-]+\.js)["']""", re.MULTILINE)
_API_BASE = re.compile(r"(https?://[A-Za-z0-9.:-]+)?(?:/[\w.~-]+)*/?")


@dataclass(frozen=True, slots=True)
class Page:
    """One page: ``name`` is its template, its script and its style; ``href`` is where it is served."""

    name: str
    title: str
    href: str
    summary: str

    @property
    def file(self) -> str:
        return f"{self.href.lstrip('/')}index.html"


# The navigation is made from this list: a page that is not built is not in it.
PAGES = (
    Page(
        name="single-symbol",
        title="Single Symbol",
        href="/",
        summary="Candles, volume and VWAP of one symbol, with a word on how complete they are.",
    ),
    Page(
        name="pair-trading",
        title="Pair Trading",
        href="/pairs/",
        summary="Two symbols against each other: spread, z-score, correlation, cointegration tests and a backtest.",
    ),
    Page(
        name="multi-symbol",
        title="Multi-Symbol",
        href="/symbols/",
        summary="All symbols in one table, the correlation of their returns, and the scan of all pairs.",
    ),
    Page(
        name="alerts",
        title="Alerts",
        href="/alerts/",
        summary="Alert rules with their states, a backtest of each, and what was sent.",
    ),
    Page(
        name="system",
        title="System",
        href="/system/",
        summary="How the platform is: lag, trade rates, gaps, completeness, alert checks and the monthly price.",
    ),
)

# Read by every page, in this order; a page adds the style and the components that bear its name.
SHARED_STYLES = ("tokens", "base", "site-header", "market-banner", "api-notice", "chart-controls", "cards")


def build(out: Path, *, api_base: str = "/api") -> Path:
    """Builds the site into ``out`` and returns it.

    Files of an earlier build that this one no longer makes are removed; nothing else in the folder is touched.

    Args:
        out: The folder, made when missing.
        api_base: Where the API answers: a path on the same origin, or an origin with a path.

    Raises:
        ValueError: ``api_base`` is neither.
        FileNotFoundError: plotly.js or a file that a page names is missing.
        jinja2.UndefinedError: A template uses a name that it was not given.
    """
    files = dict(_files(check_api_base(api_base)))
    files[MANIFEST] = _manifest(files)
    for name in _earlier(out) - files.keys():
        (out / name).unlink(missing_ok=True)
    for name, content in files.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return out


def check_api_base(api_base: str) -> str:
    """Returns ``api_base`` without a slash at its end."""
    if not api_base or not _API_BASE.fullmatch(api_base):
        raise ValueError(f"api_base must be a path or an http(s) origin with a path, not {api_base!r}")
    return api_base.rstrip("/")


def content_security_policy(api_base: str) -> str:
    """The policy of every page: this origin only, and the API's where that is another one."""
    url = urlsplit(api_base)
    connect = f"'self' {url.scheme}://{url.netloc}" if url.netloc else "'self'"
    rules = {
        "default-src": "'self'",
        # Plotly writes a style element of its own.
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "connect-src": connect,
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def integrity(content: bytes) -> str:
    """The value of an ``integrity`` attribute."""
    return "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode("ascii")


def environment(source: Path = SOURCE) -> Environment:
    """Jinja2 as the templates want it: an unknown name is an error, all values are escaped."""
    return Environment(
        loader=FileSystemLoader(source / "templates"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def module_graph(entry: str, scripts: dict[str, str]) -> list[str]:
    """The modules that ``entry`` imports, directly or not, for the browser to fetch all at once."""
    seen: list[str] = []
    queue = [entry]
    while queue:
        name = queue.pop(0)
        if name not in scripts:
            raise FileNotFoundError(f"scripts/{name} is imported but missing")
        if name not in seen:
            seen.append(name)
            queue.extend(_IMPORT.findall(scripts[name]))
    return seen


def cache_control(name: str) -> str:
    """How long a file of the site may be kept by who has loaded it."""
    return FOR_EVER if name.startswith(ASSETS) else ANEW


def content_type(name: str) -> str:
    """The media type of a file of the site."""
    return TYPES[PurePosixPath(name).suffix]


def _files(api_base: str) -> Iterator[tuple[str, bytes]]:
    assets = {name: content for folder in ("scripts", "styles", "images") for name, content in _tree(folder)}
    # Modules import each other by their plain names, so all of them lie in one folder under one hash.
    folder = f"{ASSETS}{_digest(*assets.keys(), *assets.values())}"
    library = plotly()
    library_name = f"{ASSETS}plotly-{_digest(library)}.min.js"
    yield from ((f"{folder}/{name}", content) for name, content in assets.items())
    yield library_name, library
    scripts = {PurePosixPath(name).name: text.decode() for name, text in assets.items() if name.startswith("scripts/")}
    templates = environment()

    def asset(name: str) -> str:
        if name not in assets:
            raise FileNotFoundError(f"{name} is named by a page but missing")
        return f"/{folder}/{name}"

    for page in PAGES:
        modules = module_graph(f"{page.name}.js", scripts)
        components = [module.removesuffix(".js") for module in modules]
        own = [name for name in components if name not in SHARED_STYLES and f"styles/{name}.css" in assets]
        html = templates.get_template(f"{page.name}.html.j2").render(
            api_base=api_base,
            asset=asset,
            csp=content_security_policy(api_base),
            modules=[f"scripts/{name}" for name in modules],
            page=page,
            pages=PAGES,
            plotly=f"/{library_name}",
            plotly_integrity=integrity(library),
            styles=[f"styles/{name}.css" for name in (*SHARED_STYLES, *own)],
        )
        yield page.file, html.encode()
    docs = templates.get_template("docs.html.j2").render(
        api_base=api_base, asset=asset, csp=content_security_policy(api_base), pages=PAGES, **docs_context(api_base)
    )
    yield DOCS_FILE, docs.encode()


def _tree(folder: str) -> Iterator[tuple[str, bytes]]:
    for path in sorted((SOURCE / folder).rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            yield path.relative_to(SOURCE).as_posix(), path.read_bytes()


def _digest(*parts: str | bytes) -> str:
    found = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        found.update(b"%d:" % len(content) + content)
    return found.hexdigest()[:12]


def _manifest(files: dict[str, bytes]) -> bytes:
    entries = {
        name: {
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "content_type": content_type(name),
            "cache_control": cache_control(name),
        }
        for name, content in sorted(files.items())
    }
    return (json.dumps({"files": entries}, indent=2) + "\n").encode()


def _earlier(out: Path) -> set[str]:
    """The files that the last build into this folder made: names that lead out of it are not believed."""
    try:
        names = json.loads((out / MANIFEST).read_bytes())["files"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return set()
    return {name for name in names if not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m frontend_static.build", description="Build the dashboard.")
    parser.add_argument("--out", type=Path, default=Path("build/site"), help="folder to build into (%(default)s)")
    parser.add_argument("--api-base", default="/api", help="path or origin of the API (%(default)s)")
    options = parser.parse_args(arguments)
    out = build(options.out, api_base=options.api_base)
    print(f"site built in {out}")


if __name__ == "__main__":
    main()
