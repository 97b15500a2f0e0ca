"""``python -m infra.local.exchange``: serve a market until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.local.exchange.market import Market
from infra.local.exchange.replay import ReplayMarket
from infra.local.exchange.server import ExchangeServer
from infra.local.exchange.simulated import SimulatedMarket
from quant.errors import QuantError, SettingError
from quant.settings import DEFAULT_SYMBOLS


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    try:
        asyncio.run(_serve(_market(options), options.ws_port, options.rest_port))
    except QuantError as exc:
        print(exc, file=sys.stderr)
        return 2
    except OSError as exc:
        print(f"the exchange cannot listen: {exc.strerror or exc}", file=sys.stderr)
        return 2
    return 0


async def _serve(market: Market, ws_port: int, rest_port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with ExchangeServer(market, ws_port=ws_port, rest_port=rest_port) as server:
        print(json.dumps({"ws_url": server.ws_url, "rest_url": server.rest_url}), flush=True)
        ends = [asyncio.create_task(one) for one in (stop.wait(), server.failed())]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for one in ends:
            one.cancel()


def _market(options: argparse.Namespace) -> Market:
    source: str = options.source
    if source == "simulator":
        symbols = [name.strip().upper() for name in options.symbols.split(",") if name.strip()]
        return SimulatedMarket(symbols, seed=options.seed, rate=options.rate, trades_per_second=options.steady)
    kind, _, folder = source.partition(":")
    if kind != "replay" or not folder:
        raise SettingError("SOURCE", "must be simulator or replay:FOLDER", source)
    return ReplayMarket(Path(folder), speed=options.speed)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local.exchange", description=__doc__)
    parser.add_argument("--source", default="simulator", help="simulator or replay:FOLDER")
    parser.add_argument("--symbols", default=DEFAULT_SYMBOLS, help="symbols of the simulator, commas between them")
    parser.add_argument("--seed", type=_whole, default=7)
    parser.add_argument("--rate", type=_positive, default=1.0, help="factor of the simulator's trades per second")
    parser.add_argument("--steady", type=_positive, help="trades per second of each symbol, evenly spaced")
    parser.add_argument("--speed", type=_positive, default=1.0, help="how many times faster a recording is played")
    parser.add_argument("--ws-port", type=_whole, default=0)
    parser.add_argument("--rest-port", type=_whole, default=0)
    return parser.parse_args(arguments)


def _positive(value: str) -> float:
    number = float(value)
    if not 0 < number < math.inf:
        raise ValueError
    return number


def _whole(value: str) -> int:
    number = int(value)
    if number < 0:
        raise ValueError
    return number


if __name__ == "__main__":
    sys.exit(main())
