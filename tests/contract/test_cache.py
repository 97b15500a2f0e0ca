"""What the repository of results promises, in memory and on DynamoDB."""

from __future__ import annotations

import random

import pytest

from quant.domain.interval import DAY
from quant.domain.results import Result
from quant.storage.cache import PAGE_BYTES, ResultTable
from quant.storage.table import Table
from tests.contract.conftest import FixedClock

NOW = 1_723_165_200_000


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def table(tables: tuple[Table, ...]) -> Table:
    return tables[0]


def result(size: int, run_id: str = "1", computed_at: int = NOW, name: str = "scan") -> Result:
    return Result(name, run_id, computed_at, random.Random(size).randbytes(size))


@pytest.mark.parametrize("size", [0, 1, PAGE_BYTES, PAGE_BYTES + 1, 3 * PAGE_BYTES + 7])
def test_a_result_of_any_size_reads_back_whole(table: Table, clock: FixedClock, size: int) -> None:
    assert ResultTable(table, clock).publish(result(size))
    assert ResultTable(table, clock).latest("scan") == result(size)
    assert ResultTable(table, clock).computed_at("scan") == NOW


def test_there_is_none_before_the_first(table: Table, clock: FixedClock) -> None:
    results = ResultTable(table, clock)
    assert (results.latest("scan"), results.computed_at("scan")) == (None, None)


def test_the_latest_wins_whatever_the_order_of_writing(table: Table, clock: FixedClock) -> None:
    results = ResultTable(table, clock)
    assert results.publish(result(10, "new", NOW))
    assert not results.publish(result(20, "old", NOW - 1))
    assert results.publish(result(30, "newer", NOW + 1))
    found = results.latest("scan")
    assert found is not None
    assert found.run_id == "newer"


def test_results_of_different_names_do_not_meet(table: Table, clock: FixedClock) -> None:
    results = ResultTable(table, clock)
    results.publish(result(10, name="scan"))
    results.publish(result(20, name="stats"))
    assert results.latest("scan") == result(10, name="scan")
    assert results.latest("stats") == result(20, name="stats")


def test_a_reader_sees_the_old_result_until_the_pointer_is_switched(table: Table, clock: FixedClock) -> None:
    reader, size = ResultTable(table, clock), 2 * PAGE_BYTES
    ResultTable(table, clock).publish(result(size))
    half = _Stopping(table)
    with pytest.raises(KeyboardInterrupt):
        ResultTable(half, clock).publish(result(size + 1, "2", NOW + 1))
    assert reader.latest("scan") == result(size)


def test_pages_that_are_gone_are_no_result(table: Table, clock: FixedClock) -> None:
    results = ResultTable(table, clock)
    results.publish(result(2 * PAGE_BYTES))
    table.delete("scan#1", "0001")
    assert ResultTable(table, clock).latest("scan") is None


def test_a_result_lasts_a_day(table: Table, clock: FixedClock) -> None:
    results = ResultTable(table, clock)
    results.publish(result(10))
    clock.now = NOW + DAY
    assert results.latest("scan") is not None
    clock.now += 1
    assert results.latest("scan") is None
    page = table.get("scan#1", "0000")
    assert page is not None
    assert page.ttl == (NOW + DAY) // 1000


class _Stopping:
    """A table whose writer dies before the pointer is switched."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.get, self.query, self.put_all, self.delete = table.get, table.query, table.put_all, table.delete

    def put(self, item: object, *, expected: str = "") -> None:
        raise KeyboardInterrupt
