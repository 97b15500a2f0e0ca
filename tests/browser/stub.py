"""The built site and a small API with a seeded market behind one port, for tests of the pages alone.

The market is a pure function of its seed and of ``now``: a bar is made of twelve equal steps, of which those count that
lie before ``now``, so that the newest bar forms as time goes on.
"""

from __future__ import annotations

import gzip
import json
import mimetypes
import random
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from frontend_static.build import cache_control
from quant.contract import alerts
from quant.contract.document import document
from tests.browser.stub_alerts import StubAlerts

STEPS = 12
HISTORY = 3000
# Answers of the real API, recorded once from the simulated market: figures that a stub had to make up otherwise.
RECORDED = Path(__file__).parents[1] / "data/site"
MINUTE = 60_000
# A Sunday noon; all series start HISTORY bars before it.
NOON = 1_795_348_800_000
UNITS = {"s": 1000, "m": MINUTE, "h": 60 * MINUTE, "d": 1440 * MINUTE}

Json = dict[str, Any]


@dataclass(frozen=True)
class Instrument:
    symbol: str
    base: str
    quote: str
    price_decimals: int
    quantity_decimals: int
    price: int
    exchange: str = "binance"


INSTRUMENTS = (
    Instrument("BTCUSDT", "BTC", "USDT", 2, 5, 6_183_763),
    Instrument("ETHUSDT", "ETH", "USDT", 2, 4, 264_110),
    Instrument("DOGEUSDT", "DOGE", "USDT", 5, 0, 8_412),
)


def interval_ms(interval: str) -> int:
    return int(interval[:-1]) * UNITS[interval[-1]]


@cache
def steps(instrument: Instrument, interval: str, index: int) -> tuple[tuple[int, int], ...]:
    """Price and quantity, both scaled, of the steps of one bar."""
    price = steps(instrument, interval, index - 1)[-1][0] if index else instrument.price
    chance = random.Random(f"{instrument.symbol} {interval} {index}")
    spread = instrument.price * 2.2e-4 * (interval_ms(interval) / MINUTE) ** 0.4
    made = []
    for _ in range(STEPS):
        price = max(1, round(price + chance.gauss(0, spread / 2) - (price - instrument.price) * 2e-4))
        quantity = round(chance.lognormvariate(0, 0.9) * 0.4 * 10**instrument.quantity_decimals)
        made.append((price, max(1, quantity)))
    return tuple(made)


def bar(instrument: Instrument, interval: str, index: int, now: int) -> Json:
    step = interval_ms(interval)
    time = NOON + (index - HISTORY) * step
    passed = min(STEPS, (now - time) * STEPS // step + 1)
    done = steps(instrument, interval, index)[:passed]
    prices = [price for price, _ in done]
    unit, lot = 10**instrument.price_decimals, 10**instrument.quantity_decimals
    quantity = sum(each for _, each in done)
    quote = sum(price * each for price, each in done)
    bought = [pair for number, pair in enumerate(done) if number % 2]
    # Bars of the first tenth come from the exchange; a few of the later ones have lost trades.
    own = index >= HISTORY - 1800
    ago = HISTORY - index
    return {
        "time": time,
        "open": prices[0] / unit,
        "high": max(prices) / unit,
        "low": min(prices) / unit,
        "close": prices[-1] / unit,
        "volume": quantity / lot,
        "quote_volume": quote / unit / lot,
        "vwap": round(quote / quantity / unit, instrument.price_decimals + 4),
        "trades": len(done) * 25,
        "taker_buy_volume": sum(each for _, each in bought) / lot,
        "taker_buy_quote_volume": sum(price * each for price, each in bought) / unit / lot,
        "first_id": index * 1000 if own else None,
        "last_id": index * 1000 + len(done) * 25 - 1 if own else None,
        "closed": now >= time + step,
        "complete": None if not own or ago > 180 else ago not in (37, 38, 39, 90),
        "source": "trades" if own and ago <= 180 else "exchange",
    }


@cache
def contract() -> Json:
    """The real one: what the editor of rules knows comes from it."""
    return document(alerts.OPERATIONS, "0.1.0")


@cache
def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_bytes())


@dataclass
class Stub:
    """What the API will answer: tests change the fields as they please."""

    site: Path
    now: int = NOON + 25_000
    market: str | None = "live"
    status: str = "ok"
    instruments: tuple[Instrument, ...] = INSTRUMENTS
    bars_from: int = 0
    bars_to: int | None = None
    last_trade_ago: int = 400
    # Of the list of symbols, those too young for an analysis.
    young: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    gaps: list[Json] = field(default_factory=list)
    is_scanned: bool = True
    alerts: StubAlerts = field(default_factory=StubAlerts)
    # Path and query of every question, in order.
    asked: list[str] = field(default_factory=list)
    sent: int = 0
    # Called before an answer with its path: may block, to make it slow.
    before: Callable[[str], None] = lambda path: None

    def symbols(self) -> Json:
        return {"market": self.market, "symbols": [self._symbol(each) for each in self.instruments]}

    def _symbol(self, each: Instrument) -> Json:
        last = self._bars(each, "1m", {"limit": "1"})[-1:]
        price = last[0]["close"] if last else None
        open_ = each.price / 10**each.price_decimals
        return {
            "exchange": each.exchange,
            "symbol": each.symbol,
            "base": each.base,
            "quote": each.quote,
            "price_decimals": each.price_decimals,
            "quantity_decimals": each.quantity_decimals,
            "last_price": price,
            "last_time": self.now - self.last_trade_ago if last else None,
            "change_24h": round(price - open_, each.price_decimals) if last else None,
            "change_24h_percent": (price - open_) / open_ * 100 if last else None,
            "complete": 0.9987 if last else None,
            "quote_volume_24h": price * 9_000.5 if last else None,
        }

    def follow_scanned(self) -> None:
        """Follow the symbols of the scan too."""
        known = {each.symbol for each in self.instruments}
        names = dict.fromkeys(card[side] for card in self.scan()["pairs"] for side in ("y", "x"))
        new = (
            Instrument(name, name.removesuffix("USDT"), "USDT", 2, 3, 100_000) for name in names if name not in known
        )
        self.instruments = (*self.instruments, *new)

    def monitor(self) -> Json:
        return {
            "healthy": True, "last_run": NOON, "next_run": NOON + MINUTE, "duration_ms": 42, "age_ms": self.now - NOON,
            "rules": 3, "evaluated": 3, "events": 1, "fired": 1, "deliveries": 1,
            "unfinished": 0, "reads": 3, "errors": {}, "skipped": {}, "evaluated_until": {},
        }  # fmt: skip

    def stats(self, instrument: Instrument, window: str) -> Json:
        return {
            "exchange": instrument.exchange,
            "symbol": instrument.symbol,
            "computed_at": self.now,
            "window": {"start": 0, "end": self.now, "interval": "1m"},
            "summary": recorded("stats")["summary"],
            "reason": None,
            "age_ms": 0,
        }

    def scan(self) -> Json:
        found: Json = recorded("scan") | {"computed_at": self.now, "run_id": "1"}
        if not self.is_scanned:
            return {"computed_at": None, "age_ms": None, "pairs": [], "reason": "not computed yet"}
        return found

    def correlation(self) -> Json:
        if not self.is_scanned:
            return {"computed_at": None, "age_ms": None, "symbols": [], "matrix": [], "reason": "not computed yet"}
        return recorded("correlation") | {"computed_at": self.now, "run_id": "1"}

    def analyze(self, query: dict[str, str]) -> tuple[int, Json]:
        """The recorded analysis under the names that are asked for, ending with the minute that has closed last."""
        y, x = (query[name].rpartition(":")[2] for name in ("y", "x"))
        for name, symbol in (("y", y), ("x", x)):
            if symbol not in {each.symbol for each in self.instruments}:
                return 400, _error("invalid_parameter", f"{name} {symbol!r} is not followed")
        if y in self.young or x in self.young:
            message = "lookback finds only 12 bars that both symbols have; at least 30 are needed"
            return 400, _error("too_few", message)
        answer: Json = json.loads((RECORDED / "analyze.json").read_bytes())
        shift = self.now // MINUTE * MINUTE - answer["end"]
        answer |= {"window": int(query["window"]), "end": answer["end"] + shift, "start": answer["start"] + shift}
        answer["y"]["symbol"], answer["x"]["symbol"] = y, x
        answer["series"]["time"] = [time + shift for time in answer["series"]["time"]]
        for trip in answer["backtest"]["round_trips"]:
            trip["entry_time"] += shift
            trip["exit_time"] += shift
        answer["backtest"]["rule"]["entry"] = float(query["entry"])
        return 200, answer

    def health(self) -> Json:
        marks = [
            {
                "exchange": each.exchange,
                "symbol": each.symbol,
                "last_time": self.now - self.last_trade_ago,
                "lag_ms": self.last_trade_ago,
                "watermark": self.now // MINUTE * MINUTE,
                "last_id": (self.now - NOON) // 100 * (place + 1),
                "holes_open": 0,
                "missing_ids": 0,
            }
            for place, each in enumerate(self.instruments)
        ]
        return {
            "status": self.status,
            "version": "0.1.0",
            "time": self.now,
            "market": self.market,
            "reasons": list(self.reasons),
            "checks": {
                "tick_data": {"ok": True},
                "archive": {"ok": self.status != "down", "problem": "ThrottledError"},
            },
            "ingestor": {
                "trades_per_second": 30.5,
                "reconnects": 1,
                "holes_healed": 12,
                "uptime_s": 3600,
                "quarantined": 2,
                "quarantined_by_reason": {"bad_price": 2},
            },
            "gaps": self.gaps,
            "data": {"damaged_chunks": 0, "dirty_marks": 0, "incomplete_minutes": 12, "differing_bars": 0},
            "symbols": marks,
        }

    def ohlc(self, symbol: str, query: dict[str, str]) -> Json | None:
        found = [each for each in self.instruments if each.symbol == symbol]
        if not found:
            return None
        return {
            "exchange": found[0].exchange,
            "symbol": symbol,
            "interval": query["interval"],
            "price_decimals": found[0].price_decimals,
            "quantity_decimals": found[0].quantity_decimals,
            "bars": self._bars(found[0], query["interval"], query),
            "next_cursor": None,
        }

    def _bars(self, instrument: Instrument, interval: str, query: dict[str, str]) -> list[Json]:
        step = interval_ms(interval)
        newest = HISTORY + (self.now - NOON) // step
        first, last = self.bars_from, newest if self.bars_to is None else min(newest, self.bars_to)
        limit = int(query.get("limit", "500"))
        if "end" in query:
            last = min(last, HISTORY + (int(query["end"]) - NOON) // step)
        if "start" in query:
            first = max(first, HISTORY + -(-(int(query["start"]) - NOON) // step))
            last = min(last, first + limit - 1)
        else:
            first = max(first, last - limit + 1)
        # Bottom up, for each bar starts where the one before it ended.
        for index in range(0, last + 1, 100):
            steps(instrument, interval, index)
        return [bar(instrument, interval, index, self.now) for index in range(first, last + 1)]

    def answer(self, path: str) -> tuple[int, Json]:
        url = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/api/symbols":
            return 200, self.symbols()
        if url.path == "/api/health":
            return (503 if self.status == "down" else 200), self.health()
        if url.path.startswith("/api/ohlc/"):
            body = self.ohlc(url.path.removeprefix("/api/ohlc/"), query)
            return (200, body) if body else (404, _error("not_found", "no such symbol"))
        symbols = {each.symbol: each for each in self.instruments}
        if url.path == "/api/stats":
            return 200, {"symbols": [self.stats(each, "24h") for each in self.instruments], "reason": None}
        if url.path.startswith("/api/stats/"):
            return 200, self.stats(symbols[url.path.removeprefix("/api/stats/")], query["window"])
        if url.path == "/api/pairs/analyze":
            return self.analyze(query)
        answers = {
            "/api/pairs/scan": self.scan,
            "/api/pairs/correlation": self.correlation,
            "/api/costs": self.costs,
            "/api/alerts/monitor/status": self.monitor,
        }
        answers |= {"/api/alerts/rules": self.alerts.list_rules, "/api/alerts/examples": self.alerts.examples}
        if url.path == "/api/alerts/history":
            return 200, self.alerts.history(query)
        if url.path == "/api/openapi.json":
            return 200, contract()
        if url.path in answers:
            return 200, answers[url.path]()
        return 404, _error("not_found", "no such route")

    def costs(self) -> Json:
        found: Json = recorded("costs")
        return found


def _error(code: str, message: str, field: str | None = None) -> Json:
    return {"error": {"code": code, "message": message} | ({"field": field} if field else {})}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Header and body go out in one piece: in two, each answer would wait for the acknowledgement of the first.
    wbufsize = -1
    server: StubServer

    def do_GET(self) -> None:
        stub = self.server.stub
        if self.path.startswith("/api/"):
            stub.asked.append(self.path)
            stub.before(self.path)
            status, body = stub.answer(self.path)
            self._send(status, json.dumps(body).encode(), "application/json", "no-cache")
            return
        name = urlsplit(self.path).path.lstrip("/")
        name += "index.html" if not name or name.endswith("/") else ""
        file = (stub.site / name).resolve()
        if not file.is_relative_to(stub.site.resolve()) or not file.is_file():
            self._send(404, b"not found", "text/plain", "no-cache")
            return
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        self._send(200, file.read_bytes(), kind, cache_control(name))

    def do_POST(self) -> None:
        stub = self.server.stub
        stub.asked.append(self.path)
        stub.before(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        status, answer = stub.alerts.write(
            stub.now, self.command, self.path, self.headers.get("Authorization", ""), body
        )
        self._send(status, json.dumps(answer).encode(), "application/json", "no-store")

    do_PUT = do_POST
    do_DELETE = do_POST

    def _send(self, status: int, body: bytes, kind: str, cache_control: str) -> None:
        packed = _packed(body)
        self.server.stub.sent += len(packed)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(packed)))
        self.send_header("Cache-Control", cache_control)
        self.end_headers()
        self.wfile.write(packed)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        pass


@cache
def _packed(body: bytes) -> bytes:
    return gzip.compress(body, 6, mtime=0)


class StubServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, stub: Stub) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.stub = stub
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that hangs up in the middle of an answer is no fault of the test; all else is."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()
