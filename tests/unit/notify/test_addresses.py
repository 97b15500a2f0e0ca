"""Where webhooks may lead."""

from __future__ import annotations

import socket

import pytest

from quant.errors import ValidationError
from quant.notify.addresses import look_up, parse, resolve
from tests.unit.notify.addresses import SENT, TRUSTED, URLS, outcome


@pytest.mark.parametrize(("url", "expected"), URLS, ids=[repr(url[:60]) for url, _ in URLS])
def test_each_url_is_sent_to_or_refused(url: str, expected: str) -> None:
    assert (outcome(url).startswith(SENT)) == (expected == SENT)
    assert expected in outcome(url)


def test_the_connection_goes_to_the_address_that_was_judged() -> None:
    """A name that answers differently the second time is never asked a second time."""
    answers = iter([["93.184.215.14"], ["127.0.0.1"]])
    found = resolve(parse("https://rebind.example.com/hook"), lambda host, port: next(answers))
    assert (found.address, found.url.host) == ("93.184.215.14", "rebind.example.com")
    assert next(answers) == ["127.0.0.1"]


def test_the_field_is_named() -> None:
    with pytest.raises(ValidationError, match=r"^channels\[2\].target must begin with https://$"):
        parse("http://example.com/", field="channels[2].target")


def test_a_trusted_receiver_may_be_private_and_plain() -> None:
    url = parse("http://127.0.0.1:8000/inbox/webhook?a=1", TRUSTED)
    assert (url.host, url.port, url.path, url.authority) == ("127.0.0.1", 8000, "/inbox/webhook?a=1", "127.0.0.1:8000")
    assert resolve(url, lambda host, port: ["127.0.0.1"]).address == "127.0.0.1"


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("https://example.com/", "example.com"),
        ("https://example.com:443/", "example.com"),
        ("https://example.com:8443/", "example.com:8443"),
        ("https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:8443/", "[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:8443"),
    ],
)
def test_the_host_header_is_that_of_the_url(url: str, authority: str) -> None:
    assert parse(url).authority == authority


def test_the_resolver_is_asked() -> None:
    assert look_up("127.0.0.1", 80) == ["127.0.0.1"]
    with pytest.raises(socket.gaierror):
        look_up("no-such-name.invalid", 80)
