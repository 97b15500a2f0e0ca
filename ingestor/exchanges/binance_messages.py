"""Binance's frames one by one: trades of any documented shape, answers, notices, and what is none of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from ingestor.exchanges.base import Event, Rejected, Reply, ShutdownNotice
from quant.domain.trade import INT64_MAX

_PLAIN = re.compile(r"-?\d{1,18}(?:\.\d{1,18})?\Z", re.ASCII)
_SYMBOL = re.compile(r"[A-Z0-9]{2,30}\Z")


class TradeMessage(msgspec.Struct, gc=False):
    """An event's own fields; only those of a trade are named, other events leave them at their defaults."""

    e: str = ""
    s: str = ""
    t: int = -1
    p: str = ""
    q: str = ""
    T: int = -1
    m: bool | None = None


class _Message(TradeMessage, gc=False):
    """A combined envelope, a bare event or an answer: all fields that any of them has."""

    stream: str = ""
    data: TradeMessage | None = None
    id: int | str | None = None
    result: Any = msgspec.UNSET
    code: int | None = None
    msg: str = ""
    error: Any = None


_BATCH = msgspec.json.Decoder(list[_Message])
_ONE = msgspec.json.Decoder(_Message)
_ANY = msgspec.json.Decoder()

Read = TradeMessage | Event | Rejected | None
"""None is a good frame of a stream that nobody asked for."""


def read_messages(frames: Sequence[bytes]) -> Iterator[Read]:
    """What each frame is, in order; all in one call where all are well formed."""
    try:
        messages = _BATCH.decode(b"[" + b",".join(frames) + b"]")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        messages = []
    if len(messages) == len(frames):
        return map(_classify, frames, messages)
    return map(_read_one, frames)


def _read_one(frame: bytes) -> Read:
    try:
        return _classify(frame, _ONE.decode(frame))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    # Not of our types: that is bad in a trade, and no matter in a stream that nobody asked for.
    try:
        message = _ANY.decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Rejected("json", frame)
    if not isinstance(message, dict):
        return Rejected("type", frame)
    data = message.get("data", message)
    if str(message.get("stream", "")).endswith("@trade") or (isinstance(data, dict) and data.get("e") == "trade"):
        return Rejected("type", frame)
    return None if "stream" in message or "e" in message else Rejected("type", frame)


def _classify(frame: bytes, message: _Message) -> Read:
    event = message.data or message
    if event.e == "trade":
        if event.t < 0 or event.t > INT64_MAX or not 0 <= event.T <= INT64_MAX or event.m is None:
            return Rejected("field", frame)
        if not _SYMBOL.match(event.s):
            return Rejected("symbol", frame)
        if not _PLAIN.match(event.p) or not _PLAIN.match(event.q):
            return Rejected("number", frame)
        return event
    if event.e == "serverShutdown":
        return ShutdownNotice()
    if message.error is not None:
        return Reply(_text(message.id), f"{message.error}")
    if message.code is not None:
        return Reply(_text(message.id), f"{message.code}: {message.msg}")
    if message.result is not msgspec.UNSET:
        return Reply(_text(message.id))
    return Rejected("field", frame) if message.stream.endswith("@trade") else None


def _text(request_id: int | str | None) -> str:
    return "" if request_id is None else str(request_id)
