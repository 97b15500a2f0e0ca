from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingestor.idset import IdRanges

spans = st.tuples(st.integers(0, 60), st.integers(0, 12)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(st.lists(st.tuples(st.booleans(), spans), max_size=30), spans)
def test_it_behaves_like_a_set_of_integers(steps: list[tuple[bool, tuple[int, int]]], asked: tuple[int, int]) -> None:
    ranges, model = IdRanges(), set[int]()
    for adding, (first, last) in steps:
        if adding:
            ranges.add(first, last)
            model |= set(range(first, last + 1))
        else:
            ranges.remove(first, last)
            model -= set(range(first, last + 1))
    found = [i for first, last in ranges for i in range(first, last + 1)]
    assert found == sorted(model)
    assert ranges.count() == len(model)
    assert all(a[1] + 1 < b[0] for a, b in zip(list(ranges), list(ranges)[1:], strict=False))
    inside = [i for first, last in ranges.within(*asked) for i in range(first, last + 1)]
    assert inside == sorted(model & set(range(asked[0], asked[1] + 1)))
