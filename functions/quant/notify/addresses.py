"""Where a webhook may lead. A user chooses the URL, so it must not reach what only this side of the network can.

The rules: https, a host that is a name or a plain IP address, no user info, a port that no system service listens on.
The name is looked up once; every address found has to be public; and the connection is made to an address that was
judged, so that a name that changes its answer changes nothing. Redirects are not followed.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from queue import Empty, Queue
from threading import Thread
from urllib.parse import urlsplit

from quant.errors import ValidationError

LONGEST = 2_000
LOOKUP_SECONDS = 3.0
_PORTS = {"https": 443, "http": 80}
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)\Z")
_UNSAFE = re.compile(r"[^\x21-\x7e]|[\\<>\"`{}|^]")
# IANA's registries of special-purpose addresses, and the address at which Azure's hosts answer.
_NOT_PUBLIC_4 = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
        "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
        "240.0.0.0/4",
    )
)  # fmt: skip
# Of IPv6 only global unicast is public, less the parts that stand for other addresses or for nothing.
_PUBLIC_6 = ip_network("2000::/3")
_NOT_PUBLIC_6 = tuple(ip_network(block) for block in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))

Lookup = Callable[[str, int], Sequence[str]]
"""The IP addresses of a name. Raises OSError where it has none."""


@dataclass(frozen=True, slots=True)
class Url:
    """A URL that may be asked for, taken apart. ``host`` is lower case, an IPv6 address without brackets."""

    scheme: str
    host: str
    port: int
    path: str
    is_trusted: bool = False

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Destination:
    """A URL, and the address that is connected to."""

    url: Url
    address: str


def look_up(host: str, port: int) -> list[str]:
    """Ask the system's resolver, which knows no time-out of its own, for at most LOOKUP_SECONDS."""
    found: Queue[list[str] | OSError] = Queue()

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.put(list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in answers)))
        except OSError as exc:
            found.put(exc)

    Thread(target=ask, daemon=True).start()
    try:
        answer = found.get(timeout=LOOKUP_SECONDS)
    except Empty as exc:
        raise TimeoutError(f"no address of {host} within {LOOKUP_SECONDS:g} s") from exc
    if isinstance(answer, OSError):
        raise answer
    return answer


def parse(text: str, trusted: Collection[str] = (), field: str = "target") -> Url:
    """Take a webhook's URL apart and judge what can be judged without the network.

    Args:
        trusted: ``host:port`` of receivers that may be plain http and private: the local inbox.

    Raises:
        ValidationError: names ``field`` and says what the URL must be.
    """
    if not text or len(text) > LONGEST or _UNSAFE.search(text):
        raise ValidationError(field, f"must be a URL of at most {LONGEST} printable ASCII characters")
    try:
        parts = urlsplit(text)
        scheme, host, port = parts.scheme, (parts.hostname or "").rstrip("."), parts.port
    except ValueError as exc:
        raise ValidationError(field, f"is no URL: {exc}") from exc
    if scheme not in _PORTS or not host:
        raise ValidationError(field, "must be a URL such as https://example.com/hook")
    if "@" in parts.netloc:
        raise ValidationError(field, "must hold no user name or password; receivers check the signature instead")
    port = _PORTS[scheme] if port is None else port
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if f"{host}:{port}" in trusted:
        return Url(scheme, host, port, path, is_trusted=True)
    if scheme != "https":
        raise ValidationError(field, "must begin with https://")
    if port != 443 and not 1024 <= port <= 65_535:
        raise ValidationError(field, "must name no port, 443, or one from 1024 to 65535")
    if not _is_name(host) and not _is_public(_plain_address(host, field)):
        raise ValidationError(field, "must lead to a public address")
    return Url(scheme, host, port, path)


def resolve(url: Url, lookup: Lookup = look_up, field: str = "target") -> Destination:
    """Look the host up and judge every address that it has.

    Raises:
        ValidationError: one of them is not public.
        OSError: the name cannot be looked up.
    """
    addresses = lookup(url.host, url.port)
    if not addresses:
        raise OSError(f"{url.host} has no address")
    if not url.is_trusted and not all(_is_public(ip_address(one.partition("%")[0])) for one in addresses):
        raise ValidationError(field, "must lead to a public address")
    return Destination(url, addresses[0])


def _is_name(host: str) -> bool:
    """A DNS name whose last label cannot be read as a part of an IPv4 address (0x7f.1, 2130706433, 127.1)."""
    labels = host.split(".")
    last = labels[-1]
    is_number = last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last) is not None
    return len(labels) > 1 and not is_number and len(host) <= 253 and all(_LABEL.match(label) for label in labels)


def _plain_address(host: str, field: str) -> IPv4Address | IPv6Address:
    try:
        return ip_address(host)
    except ValueError as exc:
        problem = "must name its host in full, such as example.com, or as a plain IP address"
        raise ValidationError(field, problem) from exc


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in block for block in _NOT_PUBLIC_4)
    return address in _PUBLIC_6 and not any(address in block for block in _NOT_PUBLIC_6)
