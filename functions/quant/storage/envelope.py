"""What every packed payload is wrapped in: version, flags, decimals, a checksum, and compression.

Layout: version, flags, decimals of price and quantity (one byte each); CRC-32 of all the rest (4 bytes, little endian);
a clear head; the compressed body.
"""

from __future__ import annotations

import threading
import zlib
from typing import NamedTuple

import zstandard

VERSION = 1
_FIXED = 8
MAX_BODY = 1 << 20
# The level costs nothing that can be felt at an item's size.
_LEVEL = 3
# Without the four bytes that say "this is zstd": the envelope says so.
_FORMAT = zstandard.FORMAT_ZSTD1_MAGICLESS
_PARAMETERS = zstandard.ZstdCompressionParameters.from_level(_LEVEL, format=_FORMAT, write_content_size=False)
# Bits of the first byte of a frame (RFC 8878, 3.1.1.1.1).
_OWN_SIZE = 0b1110_0000
# zstandard's contexts must not be shared among threads.
_contexts = threading.local()


class Envelope(NamedTuple):
    flags: int
    price_decimals: int
    quantity_decimals: int


def seal(envelope: Envelope, rest: bytes) -> bytes:
    fixed = bytes((VERSION, *envelope))
    return fixed + zlib.crc32(rest, zlib.crc32(fixed)).to_bytes(4, "little") + rest


def unseal(payload: bytes) -> tuple[Envelope, bytes]:
    """The envelope and what it holds.

    Raises:
        ValueError: too short, of an unknown version, or damaged.
    """
    if len(payload) <= _FIXED:
        raise ValueError(f"{len(payload)} bytes are too few")
    if payload[0] != VERSION:
        raise ValueError(f"version {payload[0]} is unknown, this is version {VERSION}")
    rest = payload[_FIXED:]
    if zlib.crc32(rest, zlib.crc32(payload[:4])).to_bytes(4, "little") != payload[4:_FIXED]:
        raise ValueError("its checksum does not match")
    return Envelope(*payload[1:4]), rest


def compress(body: bytes) -> bytes:
    if not hasattr(_contexts, "compressor"):
        _contexts.compressor = zstandard.ZstdCompressor(compression_params=_PARAMETERS)
    packed: bytes = _contexts.compressor.compress(body)
    return packed


def decompress(packed: bytes, most: int = MAX_BODY) -> bytes:
    """The reverse of compress. That many bytes are set aside, so a caller who knows better says how many it can be.

    Raises:
        ValueError: not a compressed body, or one of more than ``most`` bytes.
    """
    # What says its own size is not ours, and would have as much set aside as it says.
    if not packed or packed[0] & _OWN_SIZE:
        raise ValueError("it is not compressed as it should be")
    if not hasattr(_contexts, "decompressor"):
        _contexts.decompressor = zstandard.ZstdDecompressor(format=_FORMAT)
    try:
        body: bytes = _contexts.decompressor.decompress(packed, max_output_size=most)
    except zstandard.ZstdError as exc:
        raise ValueError(str(exc)) from exc
    return body
