"""URLs that somebody may try to make a webhook of, and what becomes of each: ``python -m tests.unit.notify.addresses``.

Names are answered by a table instead of the network.
"""

from __future__ import annotations

from quant.errors import ValidationError
from quant.notify.addresses import parse, resolve

NAMES = {
    "hooks.example.com": ["93.184.215.14"],
    "six.example.com": ["2606:2800:21f:cb07:6820:80da:af6b:8b2c"],
    "both.example.com": ["2606:2800:21f:cb07:6820:80da:af6b:8b2c", "93.184.215.14"],
    "loop.example.com": ["127.0.0.1"],
    "inside.example.com": ["10.1.2.3"],
    "half.example.com": ["93.184.215.14", "192.168.1.1"],
    "mapped.example.com": ["::ffff:127.0.0.1"],
    "zone.example.com": ["fe80::1%eth0"],
    "nat64.example.com": ["64:ff9b::a9fe:a9fe"],
    "six-to-four.example.com": ["2002:7f00:1::"],
    "nothing.example.com": ["0.0.0.0"],
    "unique-local.example.com": ["fd12::1"],
    "metadata.google.internal": ["169.254.169.254"],
    "127.0.0.1.nip.io": ["127.0.0.1"],
    "xn--bcher-kva.example": ["93.184.215.14"],
}
TRUSTED = ("127.0.0.1:8000",)
SENT = "sent"
PUBLIC, HTTPS, FULL = "must lead to a public address", "must begin with https://", "must name its host in full"
USER, PORT, ASCII, SHAPE = (
    "must hold no user name",
    "must name no port",
    "must be a URL of at most",
    "must be a URL such",
)

URLS: tuple[tuple[str, str], ...] = (
    ("https://hooks.example.com/alerts?room=1", SENT),
    ("https://HOOKS.example.com./alerts", SENT),
    ("https://six.example.com/", SENT),
    ("https://both.example.com:8443/", SENT),
    ("https://93.184.215.14/", SENT),
    ("https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/", SENT),
    ("https://xn--bcher-kva.example/", SENT),
    ("http://127.0.0.1:8000/inbox/webhook", SENT),
    ("http://hooks.example.com/", HTTPS),
    ("ftp://hooks.example.com/", SHAPE),
    ("file:///etc/passwd", SHAPE),
    ("gopher://hooks.example.com/", SHAPE),
    ("//hooks.example.com/", SHAPE),
    ("https:///hook", SHAPE),
    ("https://127.0.0.1/", PUBLIC),
    ("https://127.1/", FULL),
    ("https://2130706433/", FULL),
    ("https://0x7f000001/", FULL),
    ("https://0x7f.0.0.1/", FULL),
    ("https://0177.0.0.1/", FULL),
    ("https://127.0.0.0x1/", FULL),
    ("https://localhost/", FULL),
    ("https://localhost./", FULL),
    ("https://127.0.0.1./", PUBLIC),
    ("https://0/", FULL),
    ("https://017700000001/", FULL),
    ("https://[::ffff:0:127.0.0.1]/", PUBLIC),
    ("https://hooks.example.com%00.127.0.0.1/", FULL),
    ("https://127.0.0.1%2f.example.com/", FULL),
    ("https://%31%32%37.0.0.1/", FULL),
    ("https://0.0.0.0/", PUBLIC),
    ("https://10.0.0.1/", PUBLIC),
    ("https://172.31.255.255/", PUBLIC),
    ("https://192.168.0.1/", PUBLIC),
    ("https://100.64.0.1/", PUBLIC),
    ("https://100.100.100.200/latest/meta-data/", PUBLIC),
    ("https://169.254.169.254/latest/meta-data/", PUBLIC),
    ("https://168.63.129.16/", PUBLIC),
    ("https://198.18.0.1/", PUBLIC),
    ("https://192.88.99.1/", PUBLIC),
    ("https://203.0.113.7/", PUBLIC),
    ("https://224.0.0.1/", PUBLIC),
    ("https://255.255.255.255/", PUBLIC),
    ("https://[::1]/", PUBLIC),
    ("https://[::]/", PUBLIC),
    ("https://[::ffff:127.0.0.1]/", PUBLIC),
    ("https://[::ffff:a9fe:a9fe]/", PUBLIC),
    ("https://[::127.0.0.1]/", PUBLIC),
    ("https://[64:ff9b::7f00:1]/", PUBLIC),
    ("https://[64:ff9b:1::a9fe:a9fe]/", PUBLIC),
    ("https://[2002:7f00:1::]/", PUBLIC),
    ("https://[2001:0:7f00:1::]/", PUBLIC),
    ("https://[2001:db8::1]/", PUBLIC),
    ("https://[fc00::1]/", PUBLIC),
    ("https://[fd00:ec2::254]/latest/meta-data/", PUBLIC),
    ("https://[fe80::1]/", PUBLIC),
    ("https://[fe80::1%25eth0]/", PUBLIC),
    ("https://[fec0::1]/", PUBLIC),
    ("https://[ff02::1]/", PUBLIC),
    ("https://[::1/", "is no URL"),
    ("https://loop.example.com/", PUBLIC),
    ("https://inside.example.com/", PUBLIC),
    ("https://half.example.com/", PUBLIC),
    ("https://mapped.example.com/", PUBLIC),
    ("https://zone.example.com/", PUBLIC),
    ("https://nat64.example.com/", PUBLIC),
    ("https://six-to-four.example.com/", PUBLIC),
    ("https://nothing.example.com/", PUBLIC),
    ("https://unique-local.example.com/", PUBLIC),
    ("https://metadata.google.internal/computeMetadata/v1/", PUBLIC),
    ("https://127.0.0.1.nip.io/", PUBLIC),
    ("https://user@hooks.example.com/", USER),
    ("https://user:secret@hooks.example.com/", USER),
    ("https://hooks.example.com@127.0.0.1/", USER),
    ("https://127.0.0.1:8000@hooks.example.com/", USER),
    ("https://@hooks.example.com/", USER),
    ("https://hooks.example.com:22/", PORT),
    ("https://hooks.example.com:0/", PORT),
    ("https://hooks.example.com:80/", PORT),
    ("https://hooks.example.com:99999/", "is no URL"),
    ("https://hooks.example.com:4x3/", "is no URL"),
    ("https://hooks.example.com\\@127.0.0.1/", ASCII),
    ("https://127.0.0.1#@hooks.example.com/", PUBLIC),
    ("https://127.0.0.1?@hooks.example.com/", PUBLIC),
    ("https://hooks.example.com/\r\nHost:127.0.0.1", ASCII),
    ("https://hooks.example.com/a b", ASCII),
    ("https://①②⑦.0.0.1/", ASCII),
    ("https://127。0。0。1/", ASCII),
    ("https://bücher.example/", ASCII),
    ("https://-hooks.example.com/", FULL),
    ("https://hooks..example.com/", FULL),
    ("http://127.0.0.1:8001/inbox/webhook", HTTPS),
    ("http://127.0.0.1/inbox/webhook", HTTPS),
    ("https://nowhere.example.com/", "has no address"),
    ("", ASCII),
    ("https://hooks.example.com/" + "x" * 2_000, ASCII),
)


def outcome(url: str) -> str:
    """Where a message to ``url`` would go, or why it would not."""
    try:
        found = resolve(parse(url, TRUSTED), _lookup)
    except (ValidationError, OSError) as exc:
        return str(exc)
    return f"{SENT} to {found.address} port {found.url.port}"


def _lookup(host: str, port: int) -> list[str]:
    if (host[:1].isdigit() and host.replace(".", "").isdigit()) or ":" in host:
        return [host]
    return NAMES.get(host, [])


if __name__ == "__main__":
    for text, _ in URLS:
        print(f"{text[:70]!r:75} {outcome(text)}")
