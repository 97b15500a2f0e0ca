from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestor.journal import Journal, JournalBusyError, JournalFullError
from quant.domain.chunk import Chunk
from tests.unit.ingestor.trades import BTC, START


def chunk(number: int, size: int = 20) -> Chunk:
    payload = bytes([number % 256]) * size
    return Chunk(BTC, number * 10, number * 10 + 9, START, START + 999, 10, f"{number:016x}", payload)


def waiting(folder: Path) -> list[Chunk]:
    journal = Journal(folder, sync=False)
    try:
        return [journal.load(serial) for serial in journal.waiting()]
    finally:
        journal.close()


def test_what_is_not_confirmed_is_there_after_a_restart(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    serials = journal.append([chunk(1), chunk(2), chunk(3)])
    journal.confirm(serials[:2])
    journal.close()
    assert waiting(tmp_path) == [chunk(3)]


def test_a_journal_that_is_confirmed_whole_goes(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=200)
    for number in range(20):
        journal.confirm(journal.append([chunk(number)]))
    journal.close()
    assert waiting(tmp_path) == []
    assert not list(tmp_path.glob("*.journal"))


def test_serial_numbers_go_on_after_a_restart(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    first = journal.append([chunk(1), chunk(2)])
    journal.close()
    journal = Journal(tmp_path)
    assert journal.append([chunk(3)])[0] > first[-1]
    journal.close()
    assert waiting(tmp_path) == [chunk(1), chunk(2), chunk(3)]


def test_a_full_journal_says_so_and_keeps_what_it_has(tmp_path: Path) -> None:
    journal = Journal(tmp_path, max_bytes=1000)
    journal.append([chunk(1)])
    with pytest.raises(JournalFullError):
        journal.append([chunk(2, size=2000)])
    journal.append([chunk(3)])
    journal.close()
    assert waiting(tmp_path) == [chunk(1), chunk(3)]


@contextmanager
def full_beyond(size: int) -> Iterator[None]:
    """No file can grow beyond so many bytes: the kernel writes what fits and refuses the rest, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_record_that_a_full_disk_cut_hides_nothing_that_follows(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([chunk(1)])
    with full_beyond(journal.size + 50), pytest.raises(OSError, match="too large"):
        journal.append([chunk(2)])
    journal.append([chunk(3)])
    journal.close()
    again = Journal(tmp_path)
    assert (again.torn, [again.load(serial) for serial in again.waiting()]) == (0, [chunk(1), chunk(3)])
    again.close()


def test_a_folder_has_one_holder(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with pytest.raises(JournalBusyError):
        Journal(tmp_path)
    journal.close()
    Journal(tmp_path).close()


def test_a_changed_byte_ends_the_segment(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([chunk(1)])
    first = journal.size
    journal.append([chunk(2)])
    journal.close()
    (path,) = tmp_path.glob("*.journal")
    data = bytearray(path.read_bytes())
    data[first + 20] ^= 1
    path.write_bytes(data)
    journal = Journal(tmp_path)
    assert journal.torn == 1
    assert [journal.load(serial) for serial in journal.waiting()] == [chunk(1)]
    journal.close()


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=8), st.integers(0, 7), st.data())
def test_a_crash_at_any_byte_loses_nothing_that_was_promised(
    flushes: list[int], confirmed: int, data: st.DataObject
) -> None:
    with TemporaryDirectory() as name:
        folder, number = Path(name), 0
        journal = Journal(folder, segment_bytes=400, sync=False)
        promised: list[Chunk] = []
        for count in flushes:
            chunks = [chunk(number + k) for k in range(count)]
            number += count
            serials = journal.append(chunks)
            if confirmed & count:
                journal.confirm(serials[:1])
                chunks = chunks[1:]
            promised += chunks
        journal.close()
        # The crash came while one more flush was being written, after any number of its bytes.
        before = {path: path.stat().st_size for path in folder.glob("*.journal")}
        journal = Journal(folder, segment_bytes=400, sync=False)
        journal.append([chunk(number), chunk(number + 1)])
        journal.close()
        last = max(folder.glob("*.journal"))
        cut = data.draw(st.integers(before.get(last, 0), last.stat().st_size))
        os.truncate(last, cut)
        found = waiting(folder)
        # What was confirmed may come again, since that is harmless; only what was promised must.
        assert [one for one in found if one in promised] == promised
        assert set(found) <= {chunk(k) for k in range(number + 2)}
