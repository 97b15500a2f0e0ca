"""Chunks on disk until storage has confirmed them.

A segment is a file of records, only ever appended to: ``length, crc32, kind, body``. A record is a chunk under a serial
number, or a list of serial numbers that storage has confirmed. One fsync per flush; confirmations need none, since a
chunk that is written twice is harmless. A segment goes when all of its chunks are confirmed. A record that a crash left
unfinished ends the segment: what follows it was never promised.
"""

from __future__ import annotations

import fcntl
import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from quant.domain.chunk import Chunk
from quant.domain.market import Market

_HEAD = struct.Struct("<IIB")
_CHUNK, _CONFIRMED = 1, 2
_SUFFIX = ".journal"
# A record is a chunk of at most 10,000 trades: anything longer is not a record.
_LONGEST = 16 * 1024 * 1024

_Fields = tuple[int, str, str, int, int, int, int, int, str, bytes]
_ENCODE = msgspec.msgpack.Encoder().encode
_FIELDS = msgspec.msgpack.Decoder(_Fields)
_SERIALS = msgspec.msgpack.Decoder(list[int])


class JournalFullError(OSError):
    """The journal has reached its size; what it was given is not kept."""


class JournalBusyError(OSError):
    """Another process holds this journal."""


@dataclass(slots=True)
class _Segment:
    path: Path
    size: int = 0
    waiting: dict[int, tuple[int, int]] = field(default_factory=dict)


class Journal:
    """One folder of segments, held by one process at a time.

    Raises:
        JournalBusyError: another process holds the folder.
        OSError: the folder cannot be used.
    """

    def __init__(
        self, folder: Path, *, segment_bytes: int = 4 * 2**20, max_bytes: int = 2 * 2**30, sync: bool = True
    ) -> None:
        self.folder, self._segment_bytes, self._max_bytes, self._sync = folder, segment_bytes, max_bytes, sync
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            os.close(self._lock)
            raise JournalBusyError(f"{folder} is held by another ingestor") from exc
        self.torn = 0
        self._segments: list[_Segment] = []
        self._home: dict[int, _Segment] = {}
        self._next_serial = 1
        self._file: int | None = None
        self._open_existing()

    @property
    def size(self) -> int:
        return sum(segment.size for segment in self._segments)

    def waiting(self) -> list[int]:
        """Serial numbers of what is not confirmed, oldest first."""
        return sorted(self._home)

    def load(self, serial: int) -> Chunk:
        """Read an unconfirmed chunk again."""
        segment = self._home[serial]
        offset, length = segment.waiting[serial]
        with segment.path.open("rb") as file:
            file.seek(offset)
            return _chunk(_FIELDS.decode(file.read(length)))

    def append(self, chunks: Sequence[Chunk]) -> list[int]:
        """Keep all of them, on the disk when this returns; their serial numbers.

        Raises:
            JournalFullError: they would exceed the size; none is kept.
            OSError: the disk refused.
        """
        if not chunks:
            return []
        serials = list(range(self._next_serial, self._next_serial + len(chunks)))
        bodies = [_body(serial, chunk) for serial, chunk in zip(serials, chunks, strict=True)]
        if self.size + sum(map(len, bodies)) > self._max_bytes:
            raise JournalFullError(f"the journal in {self.folder} has reached {self._max_bytes} bytes")
        segment = self._current()
        start = segment.size
        self._write(segment, b"".join(_record(_CHUNK, body) for body in bodies), sync=self._sync)
        self._next_serial += len(chunks)
        for serial, body in zip(serials, bodies, strict=True):
            segment.waiting[serial] = (start + _HEAD.size, len(body))
            self._home[serial] = segment
            start += _HEAD.size + len(body)
        return serials

    def confirm(self, serials: Iterable[int]) -> None:
        """Storage has these; whole segments that are confirmed go.

        An unwritable confirmation is not an error: the chunks would be replayed, which is harmless.
        """
        known = [serial for serial in serials if serial in self._home]
        if not known:
            return
        for serial in known:
            del self._home.pop(serial).waiting[serial]
        self._drop_confirmed()
        if self._segments:
            try:
                self._write(self._current(), _record(_CONFIRMED, _ENCODE(known)), sync=False)
            except OSError:
                return

    def close(self) -> None:
        """Let go of the folder; what is not confirmed stays in it."""
        self._close_file()
        self._drop_confirmed()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _open_existing(self) -> None:
        confirmed: set[int] = set()
        for path in sorted(self.folder.glob(f"*{_SUFFIX}")):
            data = path.read_bytes()
            segment = _Segment(path, len(data))
            end = 0
            for kind, offset, body in records(data):
                end = offset + len(body)
                if kind == _CHUNK:
                    serial = _FIELDS.decode(body)[0]
                    segment.waiting[serial] = (offset, len(body))
                    self._next_serial = max(self._next_serial, serial + 1)
                elif kind == _CONFIRMED:
                    confirmed.update(_SERIALS.decode(body))
            self.torn += end < len(data)
            self._segments.append(segment)
        for segment in self._segments:
            segment.waiting = {s: at for s, at in segment.waiting.items() if s not in confirmed}
            self._home.update(dict.fromkeys(segment.waiting, segment))
        self._next_serial = max(self._next_serial, max(confirmed, default=0) + 1)
        self._drop_confirmed()

    def _current(self) -> _Segment:
        if self._file is not None and self._segments[-1].size < self._segment_bytes:
            return self._segments[-1]
        self._close_file()
        number = 1 + max((int(segment.path.stem) for segment in self._segments), default=0)
        path = self.folder / f"{number:016d}{_SUFFIX}"
        self._file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o644)
        self._segments.append(_Segment(path))
        _sync_folder(self.folder)
        return self._segments[-1]

    def _write(self, segment: _Segment, data: bytes, *, sync: bool) -> None:
        assert self._file is not None
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(self._file, left) :]
            if sync:
                os.fsync(self._file)
        except OSError:
            # Half a record would hide whatever is appended behind it.
            os.ftruncate(self._file, segment.size)
            raise
        segment.size += len(data)

    def _drop_confirmed(self) -> None:
        done = [segment for segment in self._segments if not segment.waiting]
        current = self._segments[-1] if self._file is not None else None
        for segment in done:
            if segment is current:
                if segment.size < self._segment_bytes // 4:
                    continue
                self._close_file()
            segment.path.unlink(missing_ok=True)
            self._segments.remove(segment)

    def _close_file(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def records(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Kind, offset and body of each whole record, up to the first that is not whole."""
    at = 0
    while at + _HEAD.size <= len(data):
        length, crc, kind = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        body = data[at : at + length]
        if length > _LONGEST or len(body) < length or zlib.crc32(body, kind) != crc:
            return
        yield kind, at, body
        at += length


def _record(kind: int, body: bytes) -> bytes:
    return _HEAD.pack(len(body), zlib.crc32(body, kind), kind) + body


def _body(serial: int, c: Chunk) -> bytes:
    return _ENCODE((serial, c.market.exchange, c.market.symbol, c.first_id, c.last_id, c.first_time, c.last_time,
                    c.count, c.digest, c.payload))  # fmt: skip


def _chunk(fields: _Fields) -> Chunk:
    _, exchange, symbol, *numbers, digest, payload = fields
    first_id, last_id, first_time, last_time, count = numbers
    return Chunk(Market(exchange, symbol), first_id, last_id, first_time, last_time, count, digest, payload)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
