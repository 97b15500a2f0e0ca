"""Signed words that let the bearer of a mail silence the rule that it is about, and do nothing else."""

from __future__ import annotations

import base64
import binascii

import msgspec

from quant.domain.interval import DAY
from quant.errors import RequestError
from quant.http.keys import KeyRing

VALID_FOR = 7 * DAY
_PURPOSE, _SIGNATURE = b"silence an alert rule", 12


class _Promise(msgspec.Struct, array_like=True, frozen=True):
    rule_id: str
    until: int


def silence_token(keys: KeyRing, rule_id: str, now: int) -> str:
    """The word for a rule; "" where the deployment has no token to sign with.

    It is the same for a whole day, so that a notification that is sent again is the same too.
    """
    if not keys.tokens(now):
        return ""
    promise = msgspec.json.encode(_Promise(rule_id, now - now % DAY + DAY + VALID_FOR))
    signed = keys.sign((_PURPOSE, promise), now) + promise
    return base64.urlsafe_b64encode(signed).decode().rstrip("=")


def rule_of(keys: KeyRing, token: str, now: int) -> str:
    """The rule's id.

    Raises:
        RequestError: not our word, or too old.
    """
    try:
        packed = base64.b64decode(token[:400] + "=" * (-len(token[:400]) % 4), b"-_", validate=True)
        promise = msgspec.json.decode(packed[_SIGNATURE:], type=_Promise)
    except (binascii.Error, ValueError, msgspec.MsgspecError) as exc:
        raise _refused() from exc
    is_ours = keys.tokens(now) and keys.is_signed((_PURPOSE, packed[_SIGNATURE:]), packed[:_SIGNATURE], now)
    if not is_ours or now >= promise.until:
        raise _refused()
    return promise.rule_id


def _refused() -> RequestError:
    problem = "there is no such link, or it is too old; silence the rule on the Alerts page"
    return RequestError("not_found", problem, "token")
