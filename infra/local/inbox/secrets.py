"""What alerts are sent with on the laptop: a sender, a bot's token, a webhook's secret, all leading to the inbox."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from infra.local.tokens import put_token
from quant.domain.alert import ChannelType
from quant.notify.senders import TELEGRAM_TOKEN, WEBHOOK_SECRET
from quant.settings import Settings

SENDER = "alerts@quant.localhost"
SUBSCRIBER = "/inbox/sns/"


@dataclass(frozen=True, slots=True)
class InboxSecrets:
    """Made anew for each run: nothing that it opens outlives it."""

    telegram_token: str = field(default_factory=lambda: f"{secrets.randbelow(10**9)}:{secrets.token_urlsafe(32)}")
    webhook_secret: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    sns_word: str = field(default_factory=lambda: secrets.token_urlsafe(16))


def channel_environment(url: str) -> dict[str, str]:
    """The settings that lead every channel to the inbox at ``url``."""
    return {
        "SITE_URL": url,
        "SES_SENDER": SENDER,
        "TELEGRAM_URL": f"{url}/inbox/telegram",
        "WEBHOOK_ALLOWED_HOSTS": urlsplit(url).netloc,
        "LOCAL_CHANNELS": ",".join(ChannelType),
    }


def connect(client: Callable[[str], Any], settings: Settings, known: InboxSecrets, topic: str, url: str) -> None:
    """Put the secrets into SSM, verify the sender in SES, and subscribe the inbox to the topic, and no earlier one."""
    ssm, sns = client("ssm"), client("sns")
    put_token(ssm, settings.secret(TELEGRAM_TOKEN), known.telegram_token)
    put_token(ssm, settings.secret(WEBHOOK_SECRET), known.webhook_secret)
    client("ses").verify_email_identity(EmailAddress=SENDER)
    endpoint = url + SUBSCRIBER + known.sns_word
    for one in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]:
        is_old = SUBSCRIBER in one["Endpoint"] and one["Endpoint"] != endpoint
        if is_old and one["SubscriptionArn"].startswith("arn:"):
            sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint)
