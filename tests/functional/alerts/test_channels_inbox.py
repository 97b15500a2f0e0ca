"""The real senders against the local inbox, over the network; and what the inbox makes of it, kept and shown."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from moto import mock_aws

from infra.local.inbox.amazon import confirmation
from infra.local.inbox.box import MOST, Box, Entry
from infra.local.inbox.secrets import InboxSecrets, channel_environment, connect
from infra.local.inbox.telegram import BotApi, parsed
from infra.local.inbox.view import listed
from quant.domain.alert import ChannelType
from quant.domain.notification import DELIVERED, Result
from quant.notify.secrets import Secrets as Kept
from quant.notify.telegram import Pace, TelegramSender
from quant.notify.webhook import WebhookSender
from quant.settings import Settings
from tests.functional.alerts.messages import NOW, Secrets, event, message
from tests.functional.alerts.peers.inbox import RunningInbox, running_inbox

MAIL = {
    "MessageId": "m-1@email.amazonses.com",
    "Source": "alerts@quant.localhost",
    "To": ["trader@example.org"],
    "Subject": "Bitcoin above 100,000",
    "BodyText": "It is.\r\n\r\nNotification 0f3a9c.77aa. A repeat carries the same id.\r\n",
    "BodyHtml": "<!doctype html><html><head><title>m</title></head><body><script>alert(1)</script>It is.</body></html>",
    "Timestamp": NOW / 1_000,
    "Type": "SendRawEmail",
}


@pytest.fixture
def inbox() -> Iterator[RunningInbox]:
    with running_inbox() as running:
        yield running


def telegram(inbox: RunningInbox) -> TelegramSender:
    secrets = Kept(Secrets(token=inbox.secrets.telegram_token))
    return TelegramSender(secrets, "token", f"{inbox.url}/inbox/telegram", pace=Pace(pause=lambda seconds: None))


def webhook(inbox: RunningInbox, secret: str = "") -> WebhookSender:
    secrets = Kept(Secrets(secret=secret or inbox.secrets.webhook_secret))
    host = inbox.url.removeprefix("http://")
    return WebhookSender(secrets, "secret", lambda: time.time_ns() // 1_000_000, trusted=(host,))


def messages(inbox: RunningInbox, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = requests.get(f"{inbox.url}/inbox.json", params=query, timeout=5).json()["messages"]
    return found


def test_what_the_senders_send_is_in_the_inbox(inbox: RunningInbox) -> None:
    sent = message(ChannelType.TELEGRAM, "-100123")
    assert telegram(inbox).send(sent) == DELIVERED
    hooked = message(ChannelType.WEBHOOK, f"{inbox.url}/inbox/webhook/desk")
    assert webhook(inbox).send(hooked) == DELIVERED
    hook, chat = messages(inbox)
    assert (hook["channel"], hook["to"], hook["event_id"]) == ("webhook", "/inbox/webhook/desk", hooked.id)
    assert (chat["channel"], chat["to"], chat["event_id"]) == ("telegram", "-100123", sent.id)
    assert chat["subject"] == "Bitcoin above 100,000"
    assert [one["channel"] for one in messages(inbox, channel="telegram")] == ["telegram"]


def test_what_a_receiver_would_refuse_is_not_in_it(inbox: RunningInbox) -> None:
    hooked = message(ChannelType.WEBHOOK, f"{inbox.url}/inbox/webhook")
    assert webhook(inbox, "another secret").send(hooked).result is Result.REFUSED
    other = TelegramSender(Kept(Secrets(token="1:" + "x" * 32)), "token", f"{inbox.url}/inbox/telegram")
    assert other.send(message(ChannelType.TELEGRAM, "1")).result is Result.RETRY
    assert requests.post(f"{inbox.url}/inbox/sns", data="{}", timeout=5).status_code in (404, 405)
    assert messages(inbox) == []


def test_mails_are_fetched_once_and_told_with_their_id(inbox: RunningInbox) -> None:
    inbox.mails.append(MAIL)
    for _ in range(2):
        (mail,) = messages(inbox)
    assert (mail["subject"], mail["to"], mail["event_id"]) == (MAIL["Subject"], "trader@example.org", "0f3a9c.77aa")


def test_a_mail_is_shown_without_scripts_origin_or_network(inbox: RunningInbox) -> None:
    inbox.mails.append(MAIL)
    page = requests.get(f"{inbox.url}/inbox/", timeout=5)
    assert 'src="mail/m-1%40email.amazonses.com"' in page.text
    assert "alert(1)" not in page.text
    shown = requests.get(f"{inbox.url}/inbox/mail/m-1%40email.amazonses.com", timeout=5)
    policy = shown.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox ")
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy
    assert requests.get(f"{inbox.url}/inbox/mail/other", timeout=5).status_code == 404


def test_a_topic_is_confirmed_with_the_emulator_and_its_notifications_kept(inbox: RunningInbox) -> None:
    url = f"{inbox.url}/inbox/sns/{inbox.secrets.sns_word}"
    port = inbox.url.rpartition(":")[2]
    asked = {
        "Type": "SubscriptionConfirmation",
        "SubscribeURL": f"http://localhost:{port}/?Action=ConfirmSubscription&Token=1",
    }
    assert requests.post(url, data=json.dumps(asked), timeout=5).status_code == 200
    assert inbox.confirmed == ["Action=ConfirmSubscription&Token=1"]
    told = {
        "Type": "Notification",
        "MessageId": "n-1",
        "TopicArn": "arn:aws:sns:us-east-1:000000000000:quant-alerts",
        "Subject": "Bitcoin",
        "Message": "It is.",
        "MessageAttributes": {"event_id": {"Type": "String", "Value": "0f3a9c.1"}},
    }
    for _ in range(2):
        assert requests.post(url, data=json.dumps(told), timeout=5).status_code == 200
    (kept,) = messages(inbox)
    assert (kept["channel"], kept["text"], kept["event_id"]) == ("sns", "It is.", "0f3a9c.1")
    assert requests.post(url, data="nothing", timeout=5).status_code == 400


def test_no_other_host_is_asked_to_confirm() -> None:
    for url in ("http://evil.example.com/?Token=1", "http://127.0.0.1:1/?Token=1", "nothing", "http://[/"):
        asked = json.dumps({"Type": "SubscriptionConfirmation", "SubscribeURL": url}).encode()
        assert confirmation(asked, "http://127.0.0.1:4566") == ""


def test_the_page_and_its_files_come_with_a_policy(inbox: RunningInbox) -> None:
    for path, kind in (("inbox/", "text/html"), ("inbox/inbox.css", "text/css"), ("inbox/inbox.js", "text/javascript")):
        answer = requests.get(f"{inbox.url}/{path}", timeout=5)
        assert answer.headers["Content-Type"].startswith(kind)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "Nothing has been sent yet" in requests.get(f"{inbox.url}/inbox/", timeout=5).text
    moved = requests.get(f"{inbox.url}/inbox", timeout=5, allow_redirects=False)
    assert (moved.status_code, moved.headers["Location"]) == (308, "/inbox/")


def test_what_a_message_says_cannot_change_the_page(inbox: RunningInbox) -> None:
    bad = event(title="<script>alert(1)</script>", message='"><img src=x onerror=alert(1)>')
    telegram(inbox).send(message(ChannelType.TELEGRAM, "-100123", bad))
    page = requests.get(f"{inbox.url}/inbox/", timeout=5).text
    assert "<script>alert" not in page
    assert "<img" not in page


def entry(number: int, channel: str = "telegram", **changes: Any) -> Entry:
    usual = {"channel": channel, "id": f"{number}", "time": NOW + number, "to": "1", "subject": "s", "text": "t"}
    return Entry(**(usual | changes))


def test_the_box_outlives_a_run_and_stays_bounded(tmp_path: Path) -> None:
    path = tmp_path / "state" / "inbox.jsonl"
    box = Box(path)
    assert [box.add(entry(number)) for number in (1, 2, 2)] == [True, True, False]
    with path.open("a") as file:
        file.write('{"half": ')
    assert Box(path).all() == [entry(2), entry(1)]
    for number in range(MOST + 50):
        box.add(entry(number, "webhook"))
    assert len(box.all()) == len(Box(path).all()) == MOST + 2
    assert len(path.read_text().splitlines()) == MOST + 2


def test_copies_of_one_notification_are_named() -> None:
    entries = [entry(3, event_id="a"), entry(2, event_id="b"), entry(1, event_id="a"), entry(0, "sns", event_id="a")]
    page = listed(entries, "", NOW + 90_000, 10)
    assert [card.copy for card in page.cards] == ["copy 2 of 2", "", "copy 1 of 2", ""]
    assert [(tab.name, tab.count) for tab in page.tabs] == [
        ("", 4), ("email", 0), ("sns", 1), ("telegram", 3), ("webhook", 0),
    ]  # fmt: skip
    assert page.cards[0].age == "1 min ago"


def test_a_page_is_bounded_and_of_one_channel_where_that_is_asked_for() -> None:
    entries = [entry(number, "sns" if number % 2 else "webhook") for number in range(20)]
    page = listed(entries, "sns", NOW, 4)
    assert ({card.channel for card in page.cards}, len(page.cards), page.left_out) == ({"sns"}, 4, 6)
    assert len(listed(entries, "no such channel", NOW, 100).cards) == 20


@pytest.mark.parametrize(
    ("text", "shown", "problem"),
    [
        ("<b>a</b> &lt;b&gt; &amp;", "a <b> &", ""),
        ('<a href="https://example.com/?a=1&amp;b=2">a</a>', "a", ""),
        ("<b>a", "", "find end tag"),
        ("a</b>", "", "Unexpected end tag"),
        ("<b><i>a</b></i>", "", "Unexpected end tag"),
        ("<script>a</script>", "", "Unsupported start tag"),
        ("5 < 6", "", "Unexpected character"),
    ],
)
def test_telegrams_html_is_read_as_telegram_reads_it(text: str, shown: str, problem: str) -> None:
    found, wrong = parsed(text)
    assert found == shown
    assert problem in wrong


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/bot1:a/sendMessage", {"chat_id": "1", "text": "a"}, 200),
        ("/bot1:a/sendMessage", {"chat_id": "@channel", "text": "a"}, 200),
        ("/bot1:b/sendMessage", {"chat_id": "1", "text": "a"}, 401),
        ("/bot1:a/sendPhoto", {"chat_id": "1"}, 404),
        ("/other", {}, 404),
        ("/bot1:a/sendMessage", {"chat_id": "1"}, 400),
        ("/bot1:a/sendMessage", {"chat_id": "1", "text": "  "}, 400),
        ("/bot1:a/sendMessage", {"chat_id": "1", "text": "a" * 4_097}, 400),
        ("/bot1:a/sendMessage", {"chat_id": "nobody", "text": "a"}, 400),
        ("/bot1:a/sendMessage", [], 400),
    ],
)
def test_the_bot_api_refuses_what_telegrams_does(path: str, body: Any, status: int) -> None:
    reply = BotApi("1:a").answer(path, json.dumps(body).encode(), "", NOW)
    assert (reply.status, reply.body["ok"]) == (status, status == 200)


@mock_aws
def test_a_new_run_takes_the_place_of_an_earlier_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)

    def client(service: str) -> Any:
        return boto3.client(service, region_name="us-east-1")  # type: ignore[call-overload]

    settings, url = Settings.load({"PREFIX": "other"}), "http://127.0.0.1:8000"
    sns, ssm = client("sns"), client("ssm")
    topic = sns.create_topic(Name="other-alerts")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint="http://127.0.0.1:9000/somebody-else")
    for _ in range(3):
        connect(client, settings, known := InboxSecrets(), topic, url)
    endpoints = {one["Endpoint"] for one in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]}
    assert endpoints == {"http://127.0.0.1:9000/somebody-else", f"{url}/inbox/sns/{known.sns_word}"}
    for name, value in (("telegram-token", known.telegram_token), ("webhook-secret", known.webhook_secret)):
        found = ssm.get_parameter(Name=f"/other/{name}", WithDecryption=True)["Parameter"]
        assert (found["Value"], found["Type"]) == (value, "SecureString")
    sender = channel_environment(url)["SES_SENDER"]
    assert sender in client("ses").list_verified_email_addresses()["VerifiedEmailAddresses"]


def test_the_settings_of_the_stack_lead_to_the_inbox_and_can_be_read() -> None:
    settings = Settings.load(channel_environment("http://127.0.0.1:8000"))
    assert settings.telegram_url == "http://127.0.0.1:8000/inbox/telegram"
    assert settings.webhook_allowed_hosts == ("127.0.0.1:8000",)
    assert settings.local_channels == set(ChannelType)
