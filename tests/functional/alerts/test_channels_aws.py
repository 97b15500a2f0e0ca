"""Mail, topics and the dead-letter queue, as moto plays SES, SNS and SQS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from email import message_from_string, policy
from email.message import EmailMessage
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from quant.domain.alert import Channel, ChannelType, DeliveryStatus
from quant.domain.notification import DELIVERED, Message, Result
from quant.errors import UnavailableError, ValidationError
from quant.notify.aws import EmailSender, SnsSender, SqsDeadLetters, mail
from quant.notify.verification import Verification
from tests.functional.alerts.messages import delivery, event, message

REGION = "eu-central-1"
SENDER, TRADER = "alerts@example.com", "trader@example.org"


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


def written(sent: Message) -> EmailMessage:
    found = message_from_string(mail(sent, SENDER).decode(), policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def part(of: EmailMessage, kind: str) -> str:
    found = of.get_body((kind,))
    assert found is not None
    return str(found.get_content())


def test_a_mail_is_text_and_html_with_values_links_and_id() -> None:
    ses = boto3.client("ses")
    ses.verify_email_identity(EmailAddress=SENDER)
    sent = message(ChannelType.EMAIL, TRADER)
    assert EmailSender(ses, SENDER).send(sent) == DELIVERED
    (stored,) = ses_backends[DEFAULT_ACCOUNT_ID][REGION].sent_messages
    found = message_from_string(stored.raw_data, policy=policy.default)
    assert isinstance(found, EmailMessage)
    assert (stored.source, set(stored.destinations)) == (SENDER, {TRADER})
    assert (found["X-Event-Id"], found["Subject"], found["To"]) == (sent.id, "Bitcoin above 100,000", TRADER)
    assert found["Auto-Submitted"] == "auto-generated"
    for body in (part(found, "plain"), part(found, "html")):
        for wanted in ("BTCUSDT is at 100,000.5", "100,000.5", "2026-11-22 23:59:55 UTC", "critical", sent.id):
            assert wanted in body
    assert "Chart: https://quant.example.com/?symbol=BTCUSDT" in part(found, "plain")
    assert 'href="https://quant.example.com/silence?rule=r1&amp;token=a%2Fb"' in part(found, "html")


def test_what_a_rule_says_cannot_change_the_mail() -> None:
    """Neither its headers nor its HTML, whatever the user or the data put in."""
    bad = event(title="<img src=x>\r\nBcc: all@example.com", message='<script>alert(1)</script>"&', rule_name="<b>")
    found = written(message(ChannelType.EMAIL, TRADER, bad))
    assert found["Bcc"] is None
    assert found["Subject"] == "<img src=x> Bcc: all@example.com"
    html = part(found, "html")
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_many_alerts_are_one_mail_that_names_them_all() -> None:
    events = [event(f"e{n}", rule_name=f"rule {n}", title=f"rule {n} fired", severity="info") for n in range(7)]
    sent = message(ChannelType.EMAIL, TRADER, *events)
    assert sent.subject == "7 alerts: rule 0, rule 1, rule 2 and 4 more"
    assert sent.event_ids == tuple(f"e{n}" for n in range(7))
    for body in (sent.text, sent.html):
        for n, one in enumerate(events):
            assert f"rule {n} fired" in body
            assert delivery(one, Channel(ChannelType.EMAIL, TRADER)).id in body
    assert [one["id"] for one in sent.facts["notifications"]] == [
        delivery(one, Channel(ChannelType.EMAIL, TRADER)).id for one in events
    ]
    assert (sent.facts["kind"], sent.facts["severity"], sent.facts["count"]) == ("group", "info", 7)


def test_a_crowd_is_told_in_part_to_people_and_whole_to_programs() -> None:
    events = [event(f"e{n}", title=f"number {n}!") for n in range(80)]
    sent = message(ChannelType.EMAIL, TRADER, *events)
    assert "number 49!" in sent.text
    assert "number 50!" not in sent.text
    assert "and 30 more" in sent.text
    assert len(sent.facts["notifications"]) == 80
    json.dumps(sent.facts, allow_nan=False)


@pytest.mark.parametrize("kind", [ChannelType.EMAIL, ChannelType.SNS, ChannelType.TELEGRAM, ChannelType.WEBHOOK])
def test_a_simulated_market_is_named_in_the_subject(kind: ChannelType) -> None:
    assert message(kind, TRADER, event(market_kind="simulated")).subject == "SIMULATED: Bitcoin above 100,000"
    group = message(kind, TRADER, event("a", market_kind="simulated"), event("b", market_kind="simulated"))
    assert group.subject.startswith("SIMULATED: 2 alerts")
    marked = event(market_kind="simulated", title="SIMULATED Bitcoin above 100,000")
    assert message(kind, TRADER, marked).subject == "SIMULATED Bitcoin above 100,000"


def test_a_topics_subscriber_gets_text_and_attributes() -> None:
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    queue = sqs.create_queue(QueueName="receiver")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{DEFAULT_ACCOUNT_ID}:receiver")
    long = event(title="Ünïcode\nand " + "long " * 40)
    sent = message(ChannelType.SNS, topic, long)
    assert SnsSender(sns).send(sent) == DELIVERED
    (received,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    told = json.loads(received["Body"])
    assert told["Message"] == sent.text
    assert len(told["Subject"]) <= 100
    assert told["Subject"].startswith("?n?code and long")
    attributes = {name: one["Value"] for name, one in told["MessageAttributes"].items()}
    assert attributes == {"event_id": sent.id, "kind": "fired", "severity": "critical"}


def test_what_aws_refuses_for_ever_is_told_apart() -> None:
    unverified = EmailSender(boto3.client("ses"), SENDER).send(message(ChannelType.EMAIL, TRADER))
    assert (unverified.result, "MessageRejected" in unverified.reason) == (Result.REFUSED, True)
    gone = SnsSender(boto3.client("sns")).send(message(ChannelType.SNS, f"arn:aws:sns:{REGION}:123456789012:gone"))
    assert (gone.result, "NotFound" in gone.reason) == (Result.REFUSED, True)
    assert EmailSender(boto3.client("ses"), "").send(message(ChannelType.EMAIL, TRADER)).result is Result.REFUSED


class Failing:
    """A client whose every call raises."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, _: str) -> Any:
        def call(**__: Any) -> None:
            raise self._error

        return call


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "Throttling", "Message": "Maximum sending rate exceeded."}}, "SendRawEmail"),
        ClientError({"Error": {"Code": "ServiceUnavailable", "Message": "later"}}, "SendRawEmail"),
        ClientError({"Error": {"Code": "AccountSendingPausedException", "Message": "paused"}}, "SendRawEmail"),
        ClientError({"Error": {"Code": "AccessDenied", "Message": "not yet"}}, "SendRawEmail"),
        ReadTimeoutError(endpoint_url="https://email.example.com"),
    ],
    ids=["throttled", "unavailable", "paused", "denied", "timed out"],
)
def test_what_may_pass_is_tried_again(error: Exception) -> None:
    client = Failing(error)
    mailed = EmailSender(client, SENDER).send(message(ChannelType.EMAIL, TRADER))
    published = SnsSender(client).send(message(ChannelType.SNS, f"arn:aws:sns:{REGION}:123456789012:alerts"))
    assert {mailed.result, published.result} == {Result.RETRY}
    assert mailed.reason


def test_a_dead_letter_holds_delivery_and_event() -> None:
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="dead")["QueueUrl"]
    channel = Channel(ChannelType.TELEGRAM, "42")
    dead = delivery(event(), channel, status=DeliveryStatus.FAILED, attempts=10, error="Telegram answered 403")
    SqsDeadLetters(sqs, queue).put(dead, event())
    SqsDeadLetters(sqs, queue).put(dead, None)
    letters = [
        json.loads(one["Body"]) for one in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    ]
    assert [letter["id"] for letter in letters] == [dead.id] * 2
    assert letters[0]["delivery"]["error"] == "Telegram answered 403"
    assert [letter["event"] and letter["event"]["title"] for letter in letters] == ["Bitcoin above 100,000", None]
    with pytest.raises(UnavailableError):
        SqsDeadLetters(sqs, queue + "-gone").put(dead, None)


class Ses:
    """SES with so many mails a day and these verified identities."""

    def __init__(self, quota: float, *verified: str) -> None:
        self._quota, self._verified = quota, verified

    def get_send_quota(self) -> dict[str, float]:
        return {"Max24HourSend": self._quota}

    def get_identity_verification_attributes(self, Identities: list[str]) -> dict[str, Any]:
        known = {name: {"VerificationStatus": "Success"} for name in Identities if name in self._verified}
        return {"VerificationAttributes": {"pending@example.org": {"VerificationStatus": "Pending"}, **known}}


@pytest.mark.parametrize(
    ("quota", "verified", "problem"),
    [
        (200.0, (SENDER, TRADER), ""),
        (200.0, ("example.com", "example.org"), ""),
        (200.0, (SENDER,), "is not verified in SES, whose sandbox"),
        (50_000.0, (SENDER,), ""),
        (50_000.0, (), "the sender alerts@example.com is not verified"),
    ],
    ids=["both", "both domains", "sandbox", "production", "no sender"],
)
def test_an_address_that_cannot_be_mailed_to_is_named(quota: float, verified: tuple[str, ...], problem: str) -> None:
    verification = Verification(Ses(quota, *verified), SENDER)
    channel = Channel(ChannelType.EMAIL, TRADER)
    if not problem:
        return verification.check(channel, "channels[0].target")
    with pytest.raises(ValidationError, match=problem) as caught:
        verification.check(channel, "channels[0].target")
    assert caught.value.field == "channels[0].target"


def test_a_domain_above_counts_and_one_beside_does_not() -> None:
    verification = Verification(Ses(200.0, SENDER, "example.org"), SENDER)
    verification.check(Channel(ChannelType.EMAIL, "a@mail.example.org"), "target")
    with pytest.raises(ValidationError):
        verification.check(Channel(ChannelType.EMAIL, "a@notexample.org"), "target")


def test_where_ses_cannot_tell_the_channel_passes() -> None:
    error = ClientError({"Error": {"Code": "Throttling", "Message": ""}}, "GetSendQuota")
    Verification(Failing(error), SENDER).check(Channel(ChannelType.EMAIL, TRADER), "target")
    with pytest.raises(ValidationError, match="SES_SENDER"):
        Verification(Failing(error), "").check(Channel(ChannelType.EMAIL, TRADER), "target")


def test_a_webhook_is_judged_with_its_name_looked_up() -> None:
    names = {"hooks.example.com": ["93.184.215.14"], "inside.example.com": ["10.0.0.1"]}

    def lookup(host: str, port: int) -> list[str]:
        if host not in names:
            raise OSError
        return names[host]

    verification = Verification(Ses(200.0), SENDER, (), lookup)
    verification.check(Channel(ChannelType.WEBHOOK, "https://hooks.example.com/"), "target")
    for host, problem in (("inside", "must lead to a public address"), ("nowhere", "has no address")):
        with pytest.raises(ValidationError, match=problem):
            verification.check(Channel(ChannelType.WEBHOOK, f"https://{host}.example.com/"), "target")


def test_topics_and_chats_pass() -> None:
    for kind in (ChannelType.SNS, ChannelType.TELEGRAM):
        Verification(Ses(200.0), "").check(Channel(kind, "anything"), "target")
