"""WebSocket frames as bytes, and the stamps inside them.

Frames are written to the transport directly: one write carries all frames of a moment, and a fault can cut it at any
byte. Nothing is compressed or split, so this is the whole of RFC 6455 that a server's data frames need.
"""

from __future__ import annotations

import re

_TEXT, _BINARY, _FINAL = 0x81, 0x82, 0x80
_STAMP = re.compile(r'("[ET]":)(\d{13})(?=[,}])')
_KLINE_STAMP = re.compile(r'("[ETt]":)(\d{13})(?=[,}])')


def frame(payload: bytes, *, binary: bool = False) -> bytes:
    first, size = _BINARY if binary else _TEXT, len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65_536:
        return bytes((first, 126)) + size.to_bytes(2, "big") + payload
    return bytes((first, 127)) + size.to_bytes(8, "big") + payload


def cut(frames: bytes, size: int) -> bytes:
    """The first ``size`` bytes of frames that :func:`frame` made. The message in which they end is sent as a fragment
    that another would have to follow, so that a close frame may come next."""
    at = 0
    while at < len(frames):
        head, length = _head(frames[at : at + 10])
        if at + head + length > size:
            part = frame(frames[at + head : max(size, at + head)])
            return frames[:at] + bytes((frames[at] & ~_FINAL, *part[1:]))
        at += head + length
    return frames


def _head(start: bytes) -> tuple[int, int]:
    """Sizes of a frame's head and of its payload."""
    short = start[1]
    more = {126: 2, 127: 8}.get(short, 0)
    return 2 + more, int.from_bytes(start[2 : 2 + more], "big") if more else short


def combined(stream: str, data: str) -> str:
    return f'{{"stream":"{stream}","data":{data}}}'


def microseconds(data: str) -> str:
    """The event with its stamps in microseconds."""
    return _stamps(data).sub(r"\g<1>\g<2>000", data)


def shifted(data: str, by: int) -> str:
    """The event with all its stamps moved by some milliseconds."""
    return _stamps(data).sub(lambda match: f"{match[1]}{int(match[2]) + by}", data)


def stamps(data: str) -> list[int]:
    """The event and trade times inside; of a kline only the event's."""
    return [int(found) for _, found in _STAMP.findall(data.partition('"k":')[0])]


def _stamps(data: str) -> re.Pattern[str]:
    return _KLINE_STAMP if '"k":' in data else _STAMP
