"""The local stack: every part started in order, kept alive, and ended in order."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import shutil
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

import aiohttp

from infra.local.children import Child, end_child, keep_alive
from infra.local.deployment import Deployed, clients, deploy
from infra.local.emulator import Emulator
from infra.local.emulators import DEFAULT_EMULATOR, emulator_of
from infra.local.gateway import Gateway
from infra.local.inbox.box import Box
from infra.local.inbox.secrets import InboxSecrets, channel_environment, connect
from infra.local.inbox.server import Inbox
from infra.local.ingestion import ingestor_child, name
from infra.local.ports import HOST, choose, reserve
from infra.local.running import Run
from infra.local.sources import Simulator, Source, choose_source, probe_binance
from infra.local.tokens import kept_token
from quant.domain.market import Market
from quant.settings import Settings

DRAIN, SAVE, HURRIED_SAVE = 20.0, 60.0, 10.0
T = TypeVar("T")


def build_site(out: Path) -> object:
    """Build the real site."""
    return importlib.import_module("frontend_static.build").build(out, api_base="/api")


class LocalStack:
    """Everything that a run consists of.

    Args:
        settings: the run's settings; a port of 0 takes a free one.
        root: the folder of template.yaml, functions/, ingestor/ and infra/.
        log: is told each step as a line of text.
        symbols_chosen: whether the symbols are the user's own choice; a recording else plays all that it holds.
        site_builder: builds the site into a folder.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        root: Path,
        log: Callable[[str], None],
        symbols_chosen: bool = True,
        site_builder: Callable[[Path], object] = build_site,
    ) -> None:
        self._settings, self._root, self._say = settings, root, log
        self._symbols_chosen, self._site_builder = symbols_chosen, site_builder
        self.hurry = asyncio.Event()
        self.markets: tuple[Market, ...] = settings.symbols
        self.url = ""
        self._source: Source | None = None
        self._emulator: Emulator | None = None
        self._simulator: Simulator | None = None
        self._ingestor: Child | None = None
        self._gateway: Gateway | None = None
        self._inbox_secrets = InboxSecrets()
        self._watchers: list[asyncio.Task[None]] = []

    @property
    def emulator_url(self) -> str:
        return self._emulator.url if self._emulator else ""

    @property
    def keeps_state(self) -> bool:
        """Whether the next run goes on where this one ends."""
        return self._emulator is None or self._emulator.keeps_state

    @property
    def run(self) -> Run:
        """The facts that `stop`, `status` and a second run are told."""
        symbols = tuple(name(market) for market in self.markets)
        environment = dict(self._ingestor.env) if self._ingestor else {}
        now, kept = time.time(), self.keeps_state
        return Run(os.getpid(), self.url, self.emulator_url, self.source_name, symbols, now, kept, environment)

    async def start(self) -> None:
        """Start all parts; ``stop`` is owed even when this fails.

        Raises:
            SettingError: a port is taken, or the recording is not there.
            ChildError: a part does not start.
            DeploymentError: the template cannot be deployed.
        """
        held = reserve(self._settings.port, "PORT")
        self._gateway = Gateway(held, self._settings.state_dir / "site")
        self.url = f"http://{HOST}:{held.getsockname()[1]}"
        port = choose(self._settings.emulator_port, "EMULATOR_PORT")
        self._source = await choose_source(self._settings, probe_binance, self._say)
        folder = state_folder(self._settings, self._source)
        emulator = emulator_of(self._settings, folder, port)
        self._empty_or_kept(folder, self._source, emulator)
        inbox = Inbox(Box(folder / "inbox.jsonl"), self._inbox_secrets, lambda: emulator.url, emulator.mail)
        self._gateway.serve_more(inbox.routes())
        self._emulator = emulator
        _, deployed, _ = await _together(
            self._serve_site(self._gateway),
            self._start_emulator(self._emulator),
            self._start_simulator(self._source, folder),
        )
        await self._connect_inbox(deployed)
        await self._start_ingestor(self._source, folder, deployed)
        self._watch()

    async def _serve_site(self, gateway: Gateway) -> None:
        await self._timed("site built", asyncio.to_thread(self._site_builder, gateway.site))
        await gateway.start()

    async def _start_emulator(self, emulator: Emulator) -> Deployed:
        await self._timed("emulator started", emulator.start())
        template = self._root / "template.yaml"
        deployed = await self._timed("deployed", self._deploy(template, emulator.url))
        emulator.save()
        return deployed

    async def _deploy(self, template: Path, url: str) -> Deployed:
        token = kept_token(self._settings.state_dir.expanduser().resolve())
        environment = channel_environment(self.url)
        return await asyncio.to_thread(deploy, template, self._settings, url, token=token, environment=environment)

    async def _connect_inbox(self, deployed: Deployed) -> None:
        """Lead every channel to the inbox; the gateway has to be there, since the topic asks it."""
        topic = deployed.outputs["AlertTopicArn"]
        client = clients(self.emulator_url)
        await asyncio.to_thread(connect, client, self._settings, self._inbox_secrets, topic, self.url)

    async def _start_simulator(self, source: Source, folder: Path) -> None:
        if not source.is_simulated:
            return
        asked = self._symbols_chosen or source.recording is None
        simulator = Simulator.of(self._settings, source, symbols=asked, root=self._root, folder=folder)
        self._simulator = simulator
        await self._timed("exchange simulator started", simulator.start())
        if not asked:
            self.markets = await simulator.markets()

    async def _start_ingestor(self, source: Source, folder: Path, deployed: Deployed) -> None:
        assert self._emulator is not None
        assert self._gateway is not None
        self._gateway.serve_api(deployed.api_url)
        self._ingestor = ingestor_child(
            self._settings,
            source,
            self.markets,
            root=self._root,
            folder=folder,
            emulator_url=self._emulator.url,
            archive_bucket=deployed.outputs.get("ArchiveBucketName", ""),
            simulator=self._simulator,
        )
        await self._timed("ingestor started", self._ingestor.start())

    def _empty_or_kept(self, folder: Path, source: Source, emulator: Emulator) -> None:
        """A replay starts empty, and so does what runs on an emulator that keeps nothing."""
        if not emulator.keeps_state:
            self._say(f"{self._settings.emulator} keeps no state: this run starts empty")
        if source.recording or not emulator.keeps_state:
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)

    def _watch(self) -> None:
        assert self._emulator is not None
        assert self._ingestor is not None
        work = [
            keep_alive(self._emulator.child, say=self._say, restart=self._restart_emulator),
            keep_alive(self._ingestor, say=self._say),
            self._emulator.save_regularly(),
        ]
        if self._simulator:
            work.append(keep_alive(self._simulator.child, say=self._say, restart=self._simulator.start))
        self._watchers = [asyncio.create_task(watcher) for watcher in work]

    async def _restart_emulator(self) -> None:
        """An emulator that crashed lost what came since its last save: the ingestor begins anew, and heals that."""
        assert self._emulator is not None
        assert self._gateway is not None
        deployed = await self._start_emulator(self._emulator)
        self._gateway.serve_api(deployed.api_url)
        await self._connect_inbox(deployed)
        if self._ingestor:
            self._ingestor.signal(signal.SIGTERM)

    async def first_bar(self) -> None:
        """Return when the first symbol's first bar can be read."""
        market = self.markets[0]
        path = f"/api/ohlc/{market.symbol}?exchange={market.exchange}&interval=1m&limit=1"
        async with aiohttp.ClientSession() as session:
            while not (await get_json(session, self.url + path)).get("bars"):
                await asyncio.sleep(0.25)

    async def health(self, session: aiohttp.ClientSession) -> dict[str, Any]:
        """The answer of the stack's own health route, empty when there is none."""
        return await get_json(session, f"{self.url}/api/health")

    @property
    def source_name(self) -> str:
        return str(self._source or "")

    @property
    def logs(self) -> Path:
        """The folder of the parts' logs."""
        return self._emulator.child.log_path.parent if self._emulator else self._settings.state_dir

    async def failure(self) -> None:
        """Return never.

        Raises:
            ChildError: a part cannot be kept alive.
        """
        await _together(*self._watchers)

    async def stop(self) -> None:
        """End all parts: the ingestor drains first, the emulator saves its state last."""
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        async with contextlib.AsyncExitStack() as order:  # last in, first out
            order.push_async_callback(self._end_emulator)
            if self._gateway:
                order.push_async_callback(self._gateway.stop)
            if self._simulator:
                order.push_async_callback(end_child, self._simulator.child, 5.0, hurry=self.hurry)
            if self._ingestor:
                order.push_async_callback(end_child, self._ingestor, DRAIN, hurry=self.hurry)

    async def _end_emulator(self) -> None:
        if self._emulator is None:
            return
        ended = await end_child(self._emulator.child, SAVE, hurry=self.hurry, hurried=HURRIED_SAVE)
        if not ended and self.keeps_state:
            self._say("the emulator did not save its state in time: what came after its last save is lost")

    async def _timed(self, what: str, work: Awaitable[T]) -> T:
        began = time.monotonic()
        result = await work
        self._say(f"{what} in {time.monotonic() - began:.1f} s")
        return result

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


def state_folder(settings: Settings, source: Source) -> Path:
    """Of this source and this emulator: one each, so that neither markets nor emulators mix."""
    name = source.name if settings.emulator == DEFAULT_EMULATOR else f"{source.name}-{settings.emulator}"
    return settings.state_dir.expanduser().resolve() / name


async def _together(*work: Awaitable[Any]) -> list[Any]:
    """The results of all; the first failure cancels the rest and is raised as it is."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def get_json(session: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    """The object that a URL answers with, whatever the status; empty when it does not answer with one."""
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=30)) as answer:
            found = await answer.json(content_type=None)
            return dict(found) if isinstance(found, Mapping) else {}
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return {}
