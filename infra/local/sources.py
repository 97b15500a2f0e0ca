"""Where the trades come from: the exchange itself, the simulator, or a recording played by the simulator."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from infra.local.children import Child
from infra.local.environment import program_environment
from quant.domain.market import Market
from quant.errors import SettingError, ValidationError
from quant.settings import Settings

PROBE_SECONDS = 5.0
START_PATIENCE = 30.0
REPLAY = "replay:"


@dataclass(frozen=True, slots=True)
class Source:
    """A decided source. ``market`` is what the ingestor is told; ``recording`` is set for a replay."""

    name: str
    market: str
    recording: Path | None = None

    @property
    def is_simulated(self) -> bool:
        return self.market != "live"

    @property
    def argument(self) -> str:
        return f"{REPLAY}{self.recording}" if self.recording else self.name

    def __str__(self) -> str:
        return f"{REPLAY}{self.recording.name}" if self.recording else self.name


BINANCE = Source("binance", "live")
SIMULATOR = Source("simulator", "simulated")


async def choose_source(
    settings: Settings, probe: Callable[[str], Awaitable[str | None]], say: Callable[[str], None]
) -> Source:
    """Decide the source. ``probe`` asks the exchange and says why it cannot be used, or None when it can.

    Raises:
        SettingError: the recording's folder is not there.
    """
    wanted = settings.source
    if wanted.startswith(REPLAY):
        folder = Path(wanted.removeprefix(REPLAY)).expanduser().resolve()
        if not folder.is_dir():
            raise SettingError("SOURCE", "must name a folder of recorded frames that exists", wanted)
        return Source("replay", "replay", folder)
    if wanted == SIMULATOR.name:
        return SIMULATOR
    problem = await probe(settings.binance_rest_url)
    if problem is None:
        return BINANCE
    if wanted == BINANCE.name:
        say(f"Binance cannot be used now ({problem}); it is waited for. SOURCE=simulator needs no network")
        return BINANCE
    say(f"Binance cannot be used ({problem}): the market is SIMULATED. SOURCE=binance insists on the exchange")
    return SIMULATOR


async def probe_binance(rest_url: str, seconds: float = PROBE_SECONDS) -> str | None:
    """Say why the exchange cannot be used, or None when it answers."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=seconds), trust_env=True) as session,
            session.get(f"{rest_url}/api/v3/ping") as answer,
        ):
            return None if answer.status == 200 else f"it answers with status {answer.status}"
    except TimeoutError:
        return f"no answer within {seconds:g} s"
    except aiohttp.ClientError:
        return "it cannot be reached"


@dataclass(slots=True)
class Simulator:
    """The exchange simulator as a child process. It keeps its ports when it is started again."""

    child: Child
    ws_url: str = ""
    rest_url: str = ""

    @classmethod
    def of(cls, settings: Settings, source: Source, *, symbols: bool, root: Path, folder: Path) -> Simulator:
        """``symbols`` says whether the settings' symbols are asked for; a recording else plays what it holds.

        Raises:
            SettingError: a symbol that the simulated exchange cannot have.
        """
        if symbols and source.recording is None:
            _demand_listed([market.symbol for market in settings.symbols])
        chosen = ["--symbols", ",".join(market.symbol for market in settings.symbols)] if symbols else []
        child = Child(
            name="exchange simulator",
            command=[
                *(sys.executable, "-m", "infra.local.exchange", "--source", source.argument, *chosen),
                *("--seed", "7", "--rate", "1.0", "--speed", f"{settings.speed:g}"),
            ],
            env=program_environment(root),
            log_path=folder / "logs" / "simulator.log",
            cwd=root,
            death_signal=signal.SIGKILL,
            capture=True,
        )
        return cls(child)

    async def start(self) -> None:
        """Start it and learn its addresses.

        Raises:
            ChildError: it ended instead, or did not say its addresses in time.
        """
        command = self.child.command
        self.child.command = [*command, "--ws-port", _port(self.ws_url), "--rest-port", _port(self.rest_url)]
        try:
            await self.child.start()
        finally:
            self.child.command = command
        try:
            line = await asyncio.wait_for(self._first_line(), START_PATIENCE)
            addresses = json.loads(line)
            self.ws_url, self.rest_url = str(addresses["ws_url"]), str(addresses["rest_url"])
        except TimeoutError as exc:
            raise self.child.failed(f"did not say its addresses within {START_PATIENCE:g} s") from exc
        except (ValueError, KeyError, TypeError) as exc:
            await self.child.stop(1)
            raise self.child.failed("did not start") from exc

    async def _first_line(self) -> bytes:
        assert self.child.process is not None
        assert self.child.process.stdout is not None
        return await self.child.process.stdout.readline()

    async def markets(self) -> tuple[Market, ...]:
        """The symbols that it offers."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.rest_url}/api/v3/exchangeInfo") as answer:
            offered = (await answer.json())["symbols"]
        return tuple(Market.parse(entry["symbol"]) for entry in offered)


def _demand_listed(symbols: Sequence[str]) -> None:
    from infra.local.exchange.listing import listing  # with numpy, which a run on the exchange itself does not need

    try:
        for symbol in symbols:
            listing(symbol)
    except ValidationError as exc:
        raise SettingError("SYMBOLS", f"{exc.problem}: the simulated exchange has no others") from exc


def _port(url: str) -> str:
    return url.rpartition(":")[2] if url else "0"
