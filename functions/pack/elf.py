"""Cuts off what a shared library carries for debuggers. The loader reads none of it, so any machine can do it.

An ELF file begins with the segments that are loaded; names of symbols for debuggers and the table of sections follow.
Layout: the ELF specification (64 bits, little endian), parts "ELF header" and "Program header".
"""

from __future__ import annotations

import struct
from pathlib import Path

_MAGIC = b"\x7fELF\x02\x01"
_HEADER = 64
_SECTION_OFFSET, _SECTION_COUNT = 40, 60
_NULL_SEGMENT = 0


def stripped(data: bytes) -> bytes:
    """The library without its sections; anything else than a 64-bit ELF file comes back as it is."""
    if not data.startswith(_MAGIC) or len(data) < _HEADER:
        return data
    end = max([_HEADER, *(offset + size for offset, size in _segments(data))])
    if end >= len(data):
        return data
    head = bytearray(data[:end])
    head[_SECTION_OFFSET : _SECTION_OFFSET + 8] = bytes(8)
    head[_SECTION_COUNT : _SECTION_COUNT + 4] = bytes(4)
    return bytes(head)


def strip_all(root: Path) -> None:
    """Strip every shared library below ``root``."""
    for path in sorted(root.rglob("*.so*")):
        before = path.read_bytes()
        after = stripped(before)
        if len(after) < len(before):
            path.write_bytes(after)


def _segments(data: bytes) -> list[tuple[int, int]]:
    """Where in the file each segment begins and how long it is; the table of segments is one of them."""
    (table,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    found = [(table, size * count)]
    for place in range(table, table + size * count, size):
        (kind,) = struct.unpack_from("<I", data, place)
        offset, length = struct.unpack_from("<Q", data, place + 8)[0], struct.unpack_from("<Q", data, place + 32)[0]
        if kind != _NULL_SEGMENT:
            found.append((offset, length))
    return found
