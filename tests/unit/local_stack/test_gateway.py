"""The local port: the site's files as a web server gives them, and ``/api`` as the REST API gives it."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from infra.local.gateway import AT_ONCE, Gateway
from infra.local.ports import HOST, reserve

STAGE_BASE = "/_aws/execute-api/abc123"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    (folder / "docs").mkdir(parents=True)
    (folder / "index.html").write_text("<title>dashboard</title>")
    (folder / "docs" / "index.html").write_text("<title>docs</title>")
    (folder / "app.js").write_text("export const a = 1;")
    (folder / "style.css").write_text("body {}")
    (folder / "404.html").write_text("<title>nothing here</title>")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


async def echo(request: web.Request) -> web.StreamResponse:
    """What the function behind the REST API was asked."""
    if request.path.endswith("/bars.gz"):
        return web.Response(body=b"\x1f\x8bpacked", headers={"Content-Encoding": "gzip", "ETag": '"e"'})
    asked = {
        "method": request.method,
        "path": request.rel_url.raw_path_qs,
        "authorization": request.headers.get("Authorization"),
        "if_none_match": request.headers.get("If-None-Match"),
        "body": (await request.read()).decode(),
    }
    if asked["if_none_match"]:
        return web.Response(status=304, headers={"ETag": str(asked["if_none_match"])})
    return web.json_response(asked, headers={"ETag": '"e"', "Cache-Control": "no-cache"})


@contextlib.asynccontextmanager
async def serving(site: Path, target: str) -> AsyncIterator[tuple[str, aiohttp.ClientSession]]:
    held = reserve(0, "PORT")
    base = f"http://{HOST}:{held.getsockname()[1]}"
    async with Gateway(held, site) as gateway, aiohttp.ClientSession(auto_decompress=False) as session:
        gateway.serve_api(target)
        yield base, session


@pytest.fixture
async def upstream() -> AsyncIterator[str]:
    async with answering(echo) as target:
        yield target


@contextlib.asynccontextmanager
async def answering(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """A REST API that answers so."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    held = reserve(0, "PORT")
    await web.SockSite(runner, held).start()
    yield f"http://{HOST}:{held.getsockname()[1]}{STAGE_BASE}"
    await runner.cleanup()


@pytest.mark.parametrize(
    ("path", "kind", "text"),
    [
        ("/", "text/html", "dashboard"),
        ("/docs/", "text/html", "docs"),
        ("/app.js", "text/javascript", "export"),
        ("/style.css", "text/css", "body"),
    ],
)
async def test_files_come_with_their_types(site: Path, path: str, kind: str, text: str) -> None:
    async with serving(site, "") as (base, session), session.get(base + path) as answer:
        assert (answer.status, answer.content_type) == (200, kind)
        assert answer.headers["Content-Encoding"] == "gzip"
        assert text in gzip.decompress(await answer.read()).decode()
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Last-Modified"]


async def test_a_file_that_has_not_changed_is_not_sent_again(site: Path) -> None:
    async with serving(site, "") as (base, session):
        async with session.get(f"{base}/app.js") as first:
            tag = first.headers["ETag"]
        async with session.get(f"{base}/app.js", headers={"If-None-Match": tag}) as second:
            assert second.status == 304


async def test_a_folder_without_its_slash_is_redirected_on_this_host(site: Path) -> None:
    async with serving(site, "") as (base, session):
        for path in ("/docs", "//docs"):
            async with session.get(URL(base + path, encoded=True), allow_redirects=False) as answer:
                assert (answer.status, answer.headers["Location"]) == (308, "/docs/")


@pytest.mark.parametrize(
    "path",
    [
        "/nope",
        "/../secret.txt",
        "/docs/..%2f..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "/a%00b",
        "/..%5csecret.txt",
        "//etc/passwd",
    ],
)
async def test_nothing_outside_the_site_is_served(site: Path, path: str) -> None:
    async with serving(site, "") as (base, session), session.get(URL(base + path, encoded=True)) as answer:
        text = await answer.text()
        assert answer.status == 404
        assert "nothing here" in text


async def test_the_site_takes_no_posts(site: Path) -> None:
    async with serving(site, "") as (base, session), session.post(f"{base}/") as answer:
        assert answer.status == 405


async def test_the_api_gets_method_path_query_body_and_authorization(site: Path, upstream: str) -> None:
    async with serving(site, upstream) as (base, session):
        url = URL(f"{base}/api/ohlc/BTC%2FUSDT?a=1&a=2&b=%20x+y", encoded=True)
        async with session.put(url, data=b"hello", headers={"Authorization": "Bearer t"}) as answer:
            assert answer.headers["ETag"] == '"e"'
            assert answer.headers["Cache-Control"] == "no-cache"
            assert await answer.json() == {
                "method": "PUT",
                "path": f"{STAGE_BASE}/api/ohlc/BTC%2FUSDT?a=1&a=2&b=%20x+y",
                "authorization": "Bearer t",
                "if_none_match": None,
                "body": "hello",
            }


async def test_the_emulator_is_asked_by_a_few_at_once_and_everybody_is_answered(site: Path) -> None:
    inside, most, full = 0, 0, asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        nonlocal inside, most
        inside, most = inside + 1, max(most, inside + 1)
        if inside == AT_ONCE:
            full.set()
        await full.wait()
        await asyncio.sleep(0)
        inside -= 1
        return web.json_response({})

    async with answering(slow) as target, serving(site, target) as (base, session):
        answers = await asyncio.gather(*(session.get(f"{base}/api/health") for _ in range(5 * AT_ONCE)))
        assert [answer.status for answer in answers] == [200] * 5 * AT_ONCE
        for answer in answers:
            answer.release()
    assert most == AT_ONCE


async def test_the_api_is_asked_whether_something_has_changed(site: Path, upstream: str) -> None:
    headers = {"If-None-Match": '"e"'}
    async with (
        serving(site, upstream) as (base, session),
        session.get(f"{base}/api/ticks/X", headers=headers) as answer,
    ):
        assert (answer.status, await answer.read()) == (304, b"")


async def test_packed_answers_are_handed_on_as_they_are(site: Path, upstream: str) -> None:
    async with serving(site, upstream) as (base, session), session.get(f"{base}/api/bars.gz") as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert await answer.read() == b"\x1f\x8bpacked"


async def test_too_large_a_body_is_refused_in_the_apis_words(site: Path, upstream: str) -> None:
    async with serving(site, upstream) as (base, session):
        async with session.post(f"{base}/api/alerts/rules", data=b"x" * 1_000_001) as answer:
            assert answer.status == 413
            assert (await answer.json())["error"]["code"] == "payload_too_large"
        async with session.post(f"{base}/api/alerts/rules", data=b"x" * 1_000_000) as answer:
            assert answer.status == 200


@pytest.mark.parametrize("target", ["", "http://127.0.0.1:9/_aws/execute-api/abc123"])
async def test_an_emulator_that_is_away_is_503_in_the_apis_words(site: Path, target: str) -> None:
    async with serving(site, target) as (base, session), session.get(f"{base}/api/health") as answer:
        assert answer.status == 503
        assert (await answer.json())["error"]["code"] == "unavailable"
        assert answer.headers["Retry-After"] == "2"
