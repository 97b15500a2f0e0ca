"""What every table promises."""

import pytest

from quant.errors import ConflictError
from quant.storage.table import ABSENT, PRESENT, Action, Item, Table, Write


@pytest.fixture
def table(tables: tuple[Table, Table]) -> Table:
    return tables[0]


def test_an_item_reads_back_whole(table: Table) -> None:
    item = Item("p", "s", b"\x00\xffbytes", "etag", 3, 10, 20, 30)
    table.put(item)
    assert table.get("p", "s") == item
    assert table.get("p", "t") is None


def test_a_query_gives_a_range_in_the_order_of_keys(table: Table) -> None:
    table.put_all([Item("p", key, key.encode()) for key in ("b", "a", "d", "c")] + [Item("q", "b")])
    assert [item.sk for item in table.query("p")] == ["a", "b", "c", "d"]
    assert [item.sk for item in table.query("p", "b", "c")] == ["b", "c"]
    assert [item.sk for item in table.query("p", "b", newest_first=True)] == ["d", "c", "b"]
    assert [item.sk for item in table.query("p", newest_first=True, limit=2)] == ["d", "c"]
    assert list(table.query("nothing")) == []


def test_a_condition_is_kept(table: Table) -> None:
    table.put(Item("p", "s", b"1", "one"), expected=ABSENT)
    with pytest.raises(ConflictError):
        table.put(Item("p", "s", b"2", "two"), expected=ABSENT)
    with pytest.raises(ConflictError):
        table.put(Item("p", "s", b"2", "two"), expected="zero")
    table.put(Item("p", "s", b"2", "two"), expected="one")
    stored = table.get("p", "s")
    assert stored is not None
    assert stored.payload == b"2"


def test_a_batch_of_any_size_is_stored_whole(table: Table) -> None:
    items = [Item("p", f"{number:05d}", bytes(2_000)) for number in range(120)]
    table.put_all([*items, items[0]])
    assert sum(1 for _ in table.query("p")) == 120


def test_a_query_reads_on_over_many_pages(table: Table) -> None:
    table.put_all([Item("p", f"{number:05d}", bytes(100_000)) for number in range(30)])
    assert [item.sk for item in table.query("p")] == [f"{number:05d}" for number in range(30)]


def test_deleting_is_idempotent(table: Table) -> None:
    table.put(Item("p", "s"))
    table.delete("p", "s")
    table.delete("p", "s")
    assert table.get("p", "s") is None


def test_a_transaction_writes_all_or_nothing_across_tables(tables: tuple[Table, Table]) -> None:
    one, two = tables
    one.put(Item("p", "kept", b"1", "one"))
    two.put(Item("p", "gone"))
    writes = [
        Write(one, Item("p", "kept", b"2", "two"), "one"),
        Write(two, Item("p", "new", b"3"), ABSENT),
        Write(two, Item("p", "gone"), action=Action.DELETE),
        Write(one, Item("p", "checked"), PRESENT, Action.CHECK),
    ]
    with pytest.raises(ConflictError):
        one.transact(writes)
    assert one.get("p", "kept") == Item("p", "kept", b"1", "one")
    assert (two.get("p", "new"), two.get("p", "gone")) == (None, Item("p", "gone"))
    one.put(Item("p", "checked"))
    one.transact(writes)
    assert one.get("p", "kept") == Item("p", "kept", b"2", "two")
    assert (two.get("p", "new"), two.get("p", "gone")) == (Item("p", "new", b"3"), None)
    assert one.get("p", "checked") == Item("p", "checked")


@pytest.mark.parametrize("expected", ["zero", ABSENT], ids=["another etag", "absent"])
@pytest.mark.parametrize("action", list(Action))
def test_each_part_of_a_transaction_keeps_its_condition(table: Table, expected: str, action: Action) -> None:
    table.put(Item("p", "s", b"1", "one"))
    with pytest.raises(ConflictError):
        table.transact([Write(table, Item("p", "t")), Write(table, Item("p", "s"), expected, action)])
    assert table.get("p", "t") is None
    table.transact([Write(table, Item("p", "t")), Write(table, Item("p", "s"), "one", action)])
    assert table.get("p", "t") is not None
