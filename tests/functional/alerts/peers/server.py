"""A receiver on a real port that behaves as badly as it is told to."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """An answer; ``drip`` sends it a byte at a time with so many seconds between, ``endless`` never ends its body."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    drip: float = 0.0
    endless: bool = False
    silent: bool = False
    hang_up: bool = False
    garbage: bool = False


Behaviour = Callable[[Request], Reply]


class Peer:
    """``behave`` is asked for each request's answer; ``requests`` holds all that came."""

    def __init__(self, behave: Behaviour, context: ssl.SSLContext | None = None) -> None:
        self.behave = behave
        self.requests: list[Request] = []
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                request = Request(self.path, dict(self.headers.items()), body)
                peer.requests.append(request)
                try:
                    peer.answer(self, peer.behave(request))
                except OSError:
                    self.close_connection = True  # The sender has gone, which is what some tests are about.

            def log_message(self, *_: Any) -> None: ...

        return Handler

    def answer(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        handler.close_connection = True
        if reply.silent:
            self._over.wait(60)
        if reply.silent or reply.hang_up:
            return
        length = len(reply.body) + 1_000 if reply.endless else len(reply.body)
        head = {"Content-Length": str(length), **reply.headers}
        lines = [f"HTTP/1.1 {reply.status} Whatever", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        data = b"SSH-2.0-not-http\r\n" if reply.garbage else "\r\n".join(lines).encode() + reply.body
        if reply.drip:
            self._drip(handler, data, reply.drip)
        else:
            handler.wfile.write(data)
            handler.wfile.flush()
        while reply.endless and not self._over.wait(0.05):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    def _drip(self, handler: BaseHTTPRequestHandler, data: bytes, pause: float) -> None:
        for at in range(len(data)):
            handler.wfile.write(data[at : at + 1])
            handler.wfile.flush()
            if self._over.wait(pause):
                return


def in_order(*replies: Reply) -> Behaviour:
    """These answers one after the other, and the last one from then on."""
    left = list(replies)
    lock = threading.Lock()

    def behave(_: Request) -> Reply:
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return behave


def seconds_of(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began
