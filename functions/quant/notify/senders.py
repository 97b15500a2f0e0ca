"""All senders of one deployment, on real clients. Composition roots call this."""

from __future__ import annotations

from collections.abc import Mapping

import boto3
from botocore.config import Config

from quant.domain.alert import ChannelType
from quant.domain.notification import DeadLetters, Sender
from quant.domain.ports import Clock
from quant.notify.aws import EmailSender, SnsSender, SqsDeadLetters
from quant.notify.secrets import Secrets
from quant.notify.telegram import TelegramSender
from quant.notify.verification import Verification
from quant.notify.webhook import WebhookSender
from quant.settings import Settings

TELEGRAM_TOKEN, WEBHOOK_SECRET = "telegram-token", "webhook-secret"
# One attempt each: a client that tries again by itself sends twice where only the answer was lost.
_ONCE = Config(connect_timeout=3, read_timeout=7, retries={"total_max_attempts": 1})
_ASKING = Config(connect_timeout=2, read_timeout=4, retries={"total_max_attempts": 2})


def open_senders(settings: Settings, clock: Clock) -> Mapping[ChannelType, Sender]:
    """A sender per kind of channel, with endpoints and credentials as the environment says."""
    secrets = Secrets(boto3.client("ssm", config=_ASKING))
    return {
        ChannelType.EMAIL: EmailSender(boto3.client("ses", config=_ONCE), settings.ses_sender),
        ChannelType.SNS: SnsSender(boto3.client("sns", config=_ONCE)),
        ChannelType.TELEGRAM: TelegramSender(secrets, settings.secret(TELEGRAM_TOKEN), settings.telegram_url),
        ChannelType.WEBHOOK: WebhookSender(
            secrets, settings.secret(WEBHOOK_SECRET), clock, trusted=settings.webhook_allowed_hosts
        ),
    }


def open_dead_letters(settings: Settings) -> DeadLetters | None:
    """The queue of what could not be delivered; None where the deployment names none."""
    if not settings.alert_dead_letters:
        return None
    return SqsDeadLetters(boto3.client("sqs", config=_ASKING), settings.alert_dead_letters)


def open_verification(settings: Settings) -> Verification:
    """What judges a channel before a rule may name it."""
    return Verification(boto3.client("ses", config=_ASKING), settings.ses_sender, settings.webhook_allowed_hosts)
