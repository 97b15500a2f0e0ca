"""Whether a channel can be sent to at all, before a rule names it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from quant.domain.alert import Channel, ChannelType
from quant.errors import ValidationError
from quant.notify.addresses import Lookup, look_up, parse, resolve

# An account in the sandbox may send that many mails a day, and to verified addresses only.
SANDBOX_QUOTA = 200


class Verification:
    """Judges channels by what SES and the resolver say now."""

    def __init__(self, ses: Any, sender: str, trusted: Collection[str] = (), lookup: Lookup = look_up) -> None:
        self._ses, self._sender, self._trusted, self._lookup = ses, sender, trusted, lookup

    def check(self, channel: Channel, field: str) -> None:
        """Pass where the channel can be sent to, or where nobody can tell.

        Raises:
            ValidationError: names ``field`` and says what has to be done.
        """
        if channel.type is ChannelType.EMAIL:
            self._check_mail(channel.target, field)
        elif channel.type is ChannelType.WEBHOOK:
            self._check_url(channel.target, field)

    def _check_mail(self, target: str, field: str) -> None:
        if not self._sender:
            raise ValidationError(field, "cannot be mailed to: this deployment has no sender (SES_SENDER)")
        try:
            is_sandbox = self._ses.get_send_quota()["Max24HourSend"] <= SANDBOX_QUOTA
            wanted = [self._sender, target] if is_sandbox else [self._sender]
            missing = self._unverified(wanted)
        except (ClientError, BotoCoreError):
            return  # SES cannot tell now; what it refuses later is in the history.
        if self._sender in missing:
            raise ValidationError(field, f"cannot be mailed to: the sender {self._sender} is not verified in SES")
        if missing:
            raise ValidationError(
                field, "is not verified in SES, whose sandbox mails verified addresses only: verify it"
            )

    def _unverified(self, addresses: list[str]) -> set[str]:
        """Those of which neither the address nor its domain, or one above that, is verified."""
        asked = {address: [address, *_domains(address)] for address in addresses}
        identities = sorted({one for several in asked.values() for one in several})
        found = self._ses.get_identity_verification_attributes(Identities=identities)["VerificationAttributes"]
        verified = {name for name, told in found.items() if told.get("VerificationStatus") == "Success"}
        return {address for address, names in asked.items() if not verified & set(names)}

    def _check_url(self, target: str, field: str) -> None:
        try:
            resolve(parse(target, self._trusted, field), self._lookup, field)
        except OSError as exc:
            raise ValidationError(field, "names a host that has no address") from exc


def _domains(address: str) -> list[str]:
    labels = address.rpartition("@")[2].lower().split(".")
    return [".".join(labels[at:]) for at in range(len(labels) - 1)]
