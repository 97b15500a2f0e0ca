"""The built site's files over HTTP, as a web server would give them."""

from __future__ import annotations

import gzip
import json
import mimetypes
from email.utils import formatdate
from functools import lru_cache
from pathlib import Path
from typing import Any

from aiohttp import web

ANEW = "no-cache"
HEADERS = {
    # The pages carry their own policy; this is the part that a page cannot say of itself.
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".webmanifest": "application/manifest+json"}
_NOT_FOUND = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>Not found</title>"
    "<h1>Not found</h1><p>There is no such page. <a href=/>Back to the dashboard</a></p></html>"
)


# What is packed already is not packed again.
PACKED = {".png", ".jpg", ".woff2", ".gz"}


class SiteFiles:
    """Answers GET and HEAD with the files under ``folder``; a folder's page is its index.html.

    ``manifest.json`` says how long each file may be kept. Text goes out gzipped to who takes it so.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        if request.method not in ("GET", "HEAD"):
            return web.Response(status=405, headers={"Allow": "GET, HEAD"})
        path = self._find(request.path)
        if path is None:
            return self._not_found()
        if path.is_dir():
            if not request.path.endswith("/"):
                # Relative links of the page count from its folder.
                return web.Response(status=308, headers={"Location": f"/{request.rel_url.raw_path.strip('/')}/"})
            path = path / "index.html"
        if not path.is_file():
            return self._not_found()
        response = self._packed(request, path) or web.FileResponse(path)
        response.headers.update(HEADERS | {"Cache-Control": self._kept_for(path)})
        if path.suffix in TYPES:
            response.content_type = TYPES[path.suffix]
        return response

    def _packed(self, request: web.Request, path: Path) -> web.Response | None:
        if request.method != "GET" or path.suffix in PACKED or "Range" in request.headers:
            return None
        if "gzip" not in request.headers.get("Accept-Encoding", ""):
            return None
        stamp = path.stat().st_mtime_ns
        etag = f'"{stamp:x}-{path.stat().st_size:x}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag, "Vary": "Accept-Encoding"})
        headers = {"Content-Encoding": "gzip", "ETag": etag, "Vary": "Accept-Encoding"}
        changed = formatdate(path.stat().st_mtime, usegmt=True)
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return web.Response(
            body=_gzipped(path, stamp), headers={**headers, "Last-Modified": changed}, content_type=kind
        )

    def _kept_for(self, path: Path) -> str:
        name = path.relative_to(self._folder).as_posix()
        control: str = _manifest(self._folder / "manifest.json").get(name, {}).get("cache_control", ANEW)
        return control

    def _find(self, path: str) -> Path | None:
        if "\0" in path or "\\" in path:
            return None
        found = (self._folder / path.lstrip("/")).resolve()
        return found if found.is_relative_to(self._folder) else None

    def _not_found(self) -> web.Response:
        page = self._folder / "404.html"
        text = page.read_text() if page.is_file() else _NOT_FOUND
        return web.Response(status=404, text=text, content_type="text/html", headers=HEADERS)


@lru_cache(maxsize=256)
def _gzipped(path: Path, stamp: int) -> bytes:
    """``stamp`` is the file's time of change: one that has changed is packed anew."""
    return gzip.compress(path.read_bytes(), 6, mtime=0)


def _manifest(path: Path) -> dict[str, dict[str, Any]]:
    return _read_manifest(path, path.stat().st_mtime_ns) if path.is_file() else {}


@lru_cache(maxsize=4)
def _read_manifest(path: Path, stamp: int) -> dict[str, dict[str, Any]]:
    files: dict[str, dict[str, Any]] = json.loads(path.read_bytes())["files"]
    return files
