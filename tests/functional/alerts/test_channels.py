"""Telegram and webhooks against receivers on real ports, which answer late, half, wrongly or not at all."""

from __future__ import annotations

import datetime
import ipaddress
import json
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra.local.inbox.webhook import received
from quant.domain.alert import ChannelType
from quant.domain.notification import DELIVERED, Outcome, Result, Sender
from quant.notify.secrets import Secrets as Kept
from quant.notify.telegram import LONGEST, Pace, TelegramSender
from quant.notify.webhook import WebhookSender
from tests.functional.alerts.messages import NOW, Secrets, event, message
from tests.functional.alerts.peers.server import Peer, Reply, in_order, seconds_of
from tests.functional.alerts.peers.telegram import TOKEN, TelegramPeer

SECRET = "a secret of the deployment"
CHAT = "-1001234567890"
PATIENCE = 0.5
Faulty = Callable[[Peer], tuple[Sender, str]]


def webhook(peer: Peer, **changes: object) -> WebhookSender:
    secrets = Kept(Secrets(webhook_secret=SECRET))
    usual = {"trusted": (peer.host,), "seconds": PATIENCE}
    return WebhookSender(secrets, "webhook-secret", lambda: NOW, **(usual | changes))  # type: ignore[arg-type]


def telegram(peer: Peer, token: str = TOKEN) -> TelegramSender:
    pace = Pace(lambda: 0.0, lambda seconds: None)
    return TelegramSender(Kept(Secrets(token=token)), "token", peer.url, pace=pace, seconds=PATIENCE)


def to_webhook(sender: Sender, peer: Peer) -> Outcome:
    return sender.send(message(ChannelType.WEBHOOK, f"{peer.url}/hook?room=1"))


def to_chat(sender: Sender, peer: Peer) -> Outcome:
    return sender.send(message(ChannelType.TELEGRAM, CHAT))


def send(kind: str, peer: Peer) -> Outcome:
    return to_webhook(webhook(peer), peer) if kind == "webhook" else to_chat(telegram(peer), peer)


both = pytest.mark.parametrize("kind", ["webhook", "telegram"])


def test_a_webhook_gets_signed_json() -> None:
    with Peer(in_order(Reply(204, b""))) as peer:
        assert to_webhook(webhook(peer), peer) == DELIVERED
    (request,) = peer.requests
    sent = message(ChannelType.WEBHOOK, f"{peer.url}/hook?room=1")
    assert request.path == "/hook?room=1"
    assert request.headers["Host"] == peer.host
    assert request.headers["X-Event-Id"] == sent.id
    assert request.headers["Content-Type"] == "application/json"
    told = json.loads(request.body)
    assert (told["id"], told["count"], told["kind"], told["severity"]) == (sent.id, 1, "fired", "critical")
    (one,) = told["notifications"]
    assert (one["id"], one["event_id"], one["market"], one["value"]) == (
        sent.id,
        "0f3a9c",
        "binance:BTCUSDT",
        100_000.5,
    )
    assert one["links"]["Silence"].startswith("https://quant.example.com/silence")


def test_a_receiver_can_check_the_signature_and_notices_any_change() -> None:
    with Peer(in_order(Reply())) as peer:
        to_webhook(webhook(peer), peer)
    (request,) = peer.requests
    body, headers = request.body, dict(request.headers)
    entry = received("/hook", headers, body, SECRET, NOW, 1)
    assert entry is not None
    assert (entry.subject, entry.event_id) == ("Bitcoin above 100,000", headers["X-Event-Id"])
    assert received("/hook", headers, body + b" ", SECRET, NOW, 1) is None
    assert received("/hook", headers, body, "another", NOW, 1) is None
    assert received("/hook", headers | {"X-Timestamp": str(NOW // 1_000 + 1)}, body, SECRET, NOW, 1) is None
    assert received("/hook", headers, body, SECRET, NOW + 301_000, 1) is None


@pytest.mark.parametrize(
    ("reply", "result", "reason"),
    [
        (Reply(400), Result.REFUSED, "answered 400"),
        (Reply(404), Result.REFUSED, "answered 404"),
        (Reply(410), Result.REFUSED, "answered 410"),
        (Reply(408), Result.RETRY, "answered 408"),
        (Reply(429, headers={"Retry-After": "7"}), Result.RETRY, "answered 429"),
        (Reply(500), Result.RETRY, "answered 500"),
        (Reply(503, headers={"Retry-After": "7"}), Result.RETRY, "answered 503"),
        (Reply(302, headers={"Location": "http://127.0.0.1/"}), Result.REFUSED, "redirects"),
        (Reply(307, headers={"Location": "http://169.254.169.254/"}), Result.REFUSED, "redirects"),
    ],
    ids=lambda one: str(getattr(one, "status", "")),
)
def test_a_webhooks_status_decides(reply: Reply, result: Result, reason: str) -> None:
    with Peer(in_order(reply)) as peer:
        outcome = to_webhook(webhook(peer), peer)
    assert outcome.result is result
    assert reason in outcome.reason
    assert outcome.retry_after == (7_000 if "Retry-After" in reply.headers else 0)
    assert len(peer.requests) == 1


@both
@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(silent=True), "no answer within 0.5 s"),
        (Reply(drip=0.1), "no answer within 0.5 s"),
        (Reply(hang_up=True), "broke off"),
        (Reply(garbage=True), "not HTTP"),
        (Reply(503, b"x" * 100_000), "503"),
    ],
    ids=["silent", "dripping", "hanging up", "not HTTP", "503"],
)
def test_bad_answers_end_in_time_and_are_tried_again(kind: str, reply: Reply, reason: str) -> None:
    outcomes: list[Outcome] = []
    with Peer(in_order(reply)) as peer:
        took = seconds_of(lambda: outcomes.append(send(kind, peer)))
    assert outcomes[0].result is Result.RETRY
    assert reason in outcomes[0].reason
    assert took < PATIENCE + 1.0


@both
@pytest.mark.parametrize("connection", ["close", "keep-alive"])
def test_a_body_that_never_ends_takes_back_nothing(kind: str, connection: str) -> None:
    outcomes: list[Outcome] = []
    with Peer(in_order(Reply(200, headers={"Connection": connection}, endless=True))) as peer:
        took = seconds_of(lambda: outcomes.append(send(kind, peer)))
    assert outcomes == [DELIVERED]
    assert took < PATIENCE + 1.0


@both
def test_a_huge_body_is_not_read(kind: str) -> None:
    with Peer(in_order(Reply(200, b"x" * 50_000_000))) as peer:
        assert send(kind, peer) == DELIVERED


@both
def test_a_port_that_nobody_listens_on_is_tried_again(kind: str) -> None:
    with Peer(in_order(Reply())) as peer:
        pass
    assert send(kind, peer) == Outcome(Result.RETRY, "the connection was refused")


def test_without_its_secret_nothing_is_sent() -> None:
    with Peer(in_order(Reply())) as peer:
        sender = WebhookSender(Kept(Secrets()), "webhook-secret", lambda: NOW, trusted=(peer.host,))
        outcome = to_webhook(sender, peer)
    assert outcome == Outcome(Result.RETRY, "the secret webhook-secret is not in SSM")
    assert peer.requests == []


def test_a_webhook_that_may_not_be_asked_is_not() -> None:
    with Peer(in_order(Reply())) as peer:
        outcome = to_webhook(webhook(peer, trusted=()), peer)
    assert outcome == Outcome(Result.REFUSED, "the URL must begin with https://")
    assert peer.requests == []


def test_a_simulated_market_is_told_to_this_machine_only() -> None:
    simulated, outside = event(market_kind="simulated"), "https://hooks.example.com/"
    with Peer(in_order(Reply())) as peer:
        here = webhook(peer).send(message(ChannelType.WEBHOOK, peer.url, event(), simulated))
        there = webhook(peer).send(message(ChannelType.WEBHOOK, outside, event(), simulated))
    assert here == DELIVERED
    assert there == Outcome(Result.REFUSED, "the market is simulated, and this webhook leads outside")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of hooks.example.com, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example.com")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("hooks.example.com"), x509.IPAddress(ipaddress.ip_address("93.184.215.14"))]
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def secure(certificate: Path) -> Iterator[Peer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Peer(in_order(Reply()), context) as peer:
        yield peer


@pytest.mark.parametrize(
    ("host", "outcome"),
    [
        ("hooks.example.com", DELIVERED),
        ("other.example.com", Outcome(Result.RETRY, "the certificate is not valid")),
    ],
)
def test_tls_is_under_the_urls_name_and_the_connection_to_the_judged_address(
    secure: Peer, certificate: Path, host: str, outcome: Outcome
) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate))
    sender = webhook(
        secure, trusted=(f"{host}:{secure.port}",), context=trusting, seconds=5, lookup=lambda name, port: ["127.0.0.1"]
    )
    found = sender.send(message(ChannelType.WEBHOOK, f"https://{host}:{secure.port}/hook"))
    assert found.result is outcome.result
    assert found.reason.startswith(outcome.reason)
    assert len(secure.requests) == (1 if outcome == DELIVERED else 0)


def test_a_certificate_that_nobody_vouches_for_is_refused(secure: Peer) -> None:
    host = f"hooks.example.com:{secure.port}"
    sender = webhook(secure, trusted=(host,), seconds=5, lookup=lambda name, port: ["127.0.0.1"])
    found = sender.send(message(ChannelType.WEBHOOK, f"https://{host}/hook"))
    assert (found.result, found.reason[:28]) == (Result.RETRY, "the certificate is not valid")


def test_a_receiver_that_says_nothing_of_tls_is_left_in_time() -> None:
    with Peer(in_order(Reply(silent=True))) as peer:
        sender = webhook(peer)
        outcome = sender.send(message(ChannelType.WEBHOOK, f"https://{peer.host}/hook"))
    assert outcome.result is Result.RETRY


def test_a_chat_gets_its_text_escaped() -> None:
    told = event(title="<b>A & B</b>", message="5 < 6 & *_[`</b><script>")
    with TelegramPeer(lambda: NOW) as peer:
        assert telegram(peer).send(message(ChannelType.TELEGRAM, CHAT, told)) == DELIVERED
    (entry,) = peer.entries
    assert (entry.to, entry.subject) == (CHAT, "<b>A & B</b>")
    assert entry.text.startswith("5 < 6 & *_[`</b><script>\n")
    assert "Silence: https://quant.example.com/silence?rule=r1&token=a%2Fb" in entry.text


@pytest.mark.parametrize("text", ["x" * 10_000, "<&>" * 4_000, "📈" * 5_000, "ü📈&" * 2_000])
def test_a_long_text_is_cut_and_still_accepted(text: str) -> None:
    with TelegramPeer(lambda: NOW) as peer:
        sent = telegram(peer).send(message(ChannelType.TELEGRAM, CHAT, event(title=text, message=text)))
    assert sent == DELIVERED
    shown = f"{peer.entries[0].subject}\n\n{peer.entries[0].text}"
    assert LONGEST - 2 <= len(shown.encode("utf-16-le")) // 2 <= LONGEST
    assert shown.endswith("…")


def test_telegrams_limit_says_how_long_to_wait() -> None:
    with TelegramPeer(lambda: NOW) as peer:
        assert [to_chat(telegram(peer), peer).result for _ in range(2)] == [Result.DELIVERED, Result.RETRY]
        outcome = to_chat(telegram(peer), peer)
    assert outcome == Outcome(Result.RETRY, "Telegram answered 429: Too Many Requests: retry after 1", 1_000)


def test_what_telegram_refuses_for_ever_is_not_tried_again() -> None:
    with TelegramPeer(lambda: NOW, blocked={CHAT}) as peer:
        blocked = to_chat(telegram(peer), peer)
        unknown = telegram(peer).send(message(ChannelType.TELEGRAM, "no such chat"))
    assert blocked == Outcome(Result.REFUSED, "Telegram answered 403: Forbidden: bot was blocked by the user")
    assert unknown == Outcome(Result.REFUSED, "Telegram answered 400: Bad Request: chat not found")


def test_a_rotated_token_is_read_anew_and_none_is_ever_told() -> None:
    secrets = Secrets(token="999999:" + "B" * 35)
    with TelegramPeer(lambda: NOW) as peer:
        sender = TelegramSender(Kept(secrets), "token", peer.url, seconds=PATIENCE)
        outcome = to_chat(sender, peer)
        assert outcome == Outcome(Result.RETRY, "Telegram answered 401: Unauthorized")
        secrets.values["token"] = TOKEN
        assert to_chat(sender, peer) == DELIVERED
    assert to_chat(sender, peer) == Outcome(Result.RETRY, "the connection was refused")
    for text in ("not a token", ""):
        refused = to_chat(telegram(peer, text), peer)
        assert refused.result is Result.RETRY
        assert "the secret token" in refused.reason


def test_the_pace_keeps_to_both_limits() -> None:
    now, waits = [0.0], []
    pace = Pace(lambda: now[0], waits.append)
    for chat in ("a", "a", "b", "a"):
        pace.wait(chat)
    assert waits == pytest.approx([1.0, 1.0 + 1 / 30, 2.0])
    now[0] = 10.0
    pace.wait("a")
    assert len(waits) == 3


def test_secrets_are_read_once_in_a_while() -> None:
    now, client = [0.0], Secrets(one="1")
    secrets = Kept(client, lambda: now[0])
    assert [secrets.get("one") for _ in range(3)] == ["1"] * 3
    assert client.reads == 1
    client.values["one"], now[0] = "2", 299.0
    assert secrets.get("one") == "1"
    now[0] = 300.0
    assert secrets.get("one") == "2"


def test_the_documents_receiver_knows_a_genuine_message() -> None:
    """The code that docs/notifications.md gives to whoever receives webhooks."""
    page = (Path(__file__).parents[3] / "docs" / "notifications.md").read_text()
    names: dict[str, Callable[..., bool]] = {}
    exec(page.split("```python\n")[1].split("```")[0], names)
    with Peer(in_order(Reply())) as peer:
        to_webhook(webhook(peer), peer)
    (request,) = peer.requests
    is_genuine = names["is_genuine"]
    assert is_genuine(SECRET, request.headers, request.body, NOW / 1_000)
    assert not is_genuine(SECRET, request.headers, request.body + b" ", NOW / 1_000)
    assert not is_genuine("another", request.headers, request.body, NOW / 1_000)
    assert not is_genuine(SECRET, request.headers, request.body, NOW / 1_000 + 301)
