"""The built site's files over HTTP, as a web server would give them."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

HEADERS = {
    "Cache-Control": "no-cache",
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


class SiteFiles:
    """Answers GET and HEAD with the files under ``folder``; a folder's page is its index.html."""

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
        response = web.FileResponse(path, headers=HEADERS)
        if path.suffix in TYPES:
            response.content_type = TYPES[path.suffix]
        return response

    def _find(self, path: str) -> Path | None:
        if "\0" in path or "\\" in path:
            return None
        found = (self._folder / path.lstrip("/")).resolve()
        return found if found.is_relative_to(self._folder) else None

    def _not_found(self) -> web.Response:
        page = self._folder / "404.html"
        text = page.read_text() if page.is_file() else _NOT_FOUND
        return web.Response(status=404, text=text, content_type="text/html", headers=HEADERS)
