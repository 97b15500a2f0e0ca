"""One POST over HTTP/1.1 to an address that was chosen before, within one time for all of it.

A client library's time-outs are per read: a receiver that sends a byte every few seconds holds its caller for ever.
Here the connection is cut off when the time is over, whatever it is doing. Nothing follows redirects or reads proxies.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from quant.errors import PostError
from quant.notify.addresses import Destination


@dataclass(frozen=True, slots=True)
class Answer:
    """``body`` is what was read of it: at most as many bytes as were asked for."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def post(
    to: Destination,
    body: bytes,
    headers: Mapping[str, str],
    *,
    seconds: float,
    most: int,
    context: ssl.SSLContext | None = None,
) -> Answer:
    """Send ``body`` and read the answer's head and at most ``most`` bytes.

    Raises:
        PostError: no connection, or no head of an answer within ``seconds``.
    """
    connection = _Pinned(to, seconds, context)
    watch = threading.Timer(seconds, connection.cut)
    watch.daemon = True
    watch.start()
    try:
        connection.request("POST", to.url.path, body, {**headers, "Host": to.url.authority, "Connection": "close"})
        response = connection.getresponse()
        told = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, told, _start_of(response, most))
    except (OSError, http.client.HTTPException, ValueError) as exc:
        if connection.is_cut or isinstance(exc, TimeoutError):
            raise PostError(f"no answer within {seconds:g} s") from exc
        raise PostError(_reason(exc)) from exc
    finally:
        watch.cancel()
        connection.close()


def _start_of(response: http.client.HTTPResponse, most: int) -> bytes:
    """The status has said it all: a body that never ends, or breaks off, takes nothing back."""
    try:
        return response.read(most)
    except (OSError, http.client.HTTPException, ValueError):
        return b""


class _Pinned(http.client.HTTPConnection):
    """A connection to the address of a destination, by TLS under its host's name where the URL says https."""

    def __init__(self, to: Destination, seconds: float, context: ssl.SSLContext | None) -> None:
        super().__init__(to.url.host, to.url.port, timeout=seconds)
        self.is_cut = False
        # Of its own: HTTPConnection gives its socket up to an answer that says "Connection: close", and forgets it.
        self._open: socket.socket | None = None
        self._to, self._seconds = to, seconds
        self._context = (context or ssl.create_default_context()) if to.url.scheme == "https" else None

    def connect(self) -> None:
        self.sock = self._open = socket.create_connection((self._to.address, self._to.url.port), self._seconds)
        if self._context is not None:
            # The handshake comes apart, so that it can be cut off too.
            wrapped = self._context.wrap_socket(
                self.sock, server_hostname=self._to.url.host, do_handshake_on_connect=False
            )
            self.sock = self._open = wrapped
            wrapped.do_handshake()
        if self.is_cut:
            raise TimeoutError

    def cut(self) -> None:
        """End it from another thread: whoever reads or writes there fails at once."""
        self.is_cut = True
        if self._open is not None:
            try:
                socket.socket.shutdown(self._open, socket.SHUT_RDWR)
            except OSError:
                self.is_cut = True  # It has ended by itself.


def _reason(exc: Exception) -> str:
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"the certificate is not valid: {exc.verify_message}"
    if isinstance(exc, ssl.SSLError):
        return "no connection by TLS"
    if isinstance(exc, ConnectionRefusedError):
        return "the connection was refused"
    if isinstance(exc, OSError):
        return "the connection failed or broke off"
    return "the answer was not HTTP"
