from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, web

from frontend_static.build import ANEW, FOR_EVER
from infra.local.site_files import SiteFiles

PAGE = b"<!doctype html><title>page</title>" * 20
MODULE = b"export const a = 1;\n" * 20


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    """A small site on a free port."""
    site = tmp_path / "site"
    (site / "assets/abc").mkdir(parents=True)
    (site / "pairs").mkdir()
    (site / "pairs/index.html").write_bytes(PAGE)
    (site / "assets/abc/a.js").write_bytes(MODULE)
    files = {"assets/abc/a.js": {"cache_control": FOR_EVER}, "pairs/index.html": {"cache_control": ANEW}}
    (site / "manifest.json").write_text(json.dumps({"files": files}))
    (tmp_path / "secret.txt").write_text("secret")
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", SiteFiles(site).serve)
    runner = web.AppRunner(app)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_hashed_names_are_kept_for_ever_and_pages_are_not(url: str) -> None:
    async with ClientSession() as session:
        async with session.get(f"{url}/assets/abc/a.js") as answer:
            assert answer.headers["Cache-Control"] == FOR_EVER
            assert answer.content_type == "text/javascript"
        async with session.get(f"{url}/pairs/") as answer:
            assert (answer.headers["Cache-Control"], await answer.read()) == (ANEW, PAGE)


async def test_text_is_packed_for_who_takes_it_so(url: str) -> None:
    async with ClientSession(auto_decompress=False) as session:
        async with session.get(f"{url}/assets/abc/a.js", headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            assert gzip.decompress(await answer.read()) == MODULE
        async with session.get(f"{url}/assets/abc/a.js", headers={"Accept-Encoding": "identity"}) as answer:
            assert "Content-Encoding" not in answer.headers
            assert await answer.read() == MODULE


async def test_what_the_reader_has_is_not_sent_again(url: str) -> None:
    async with ClientSession() as session:
        async with session.get(f"{url}/pairs/", headers={"Accept-Encoding": "gzip"}) as answer:
            etag = answer.headers["ETag"]
        headers = {"Accept-Encoding": "gzip", "If-None-Match": etag}
        async with session.get(f"{url}/pairs/", headers=headers) as answer:
            assert (answer.status, await answer.read()) == (304, b"")
            assert answer.headers["Cache-Control"] == ANEW


@pytest.mark.parametrize("path", ["/nothing", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/assets"])
async def test_what_is_not_there_or_outside_is_not_served(url: str, path: str) -> None:
    async with ClientSession() as session, session.get(url + path, allow_redirects=False) as answer:
        assert answer.status in (404, 308)
        assert b"secret" not in await answer.read()
