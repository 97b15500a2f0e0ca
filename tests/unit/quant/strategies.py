"""Generators of legal trades for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from quant.domain.trade import Trades

START = 1_723_161_600_000


@st.composite
def trades(draw: st.DrawFn, max_size: int = 40, widest: int = 2**40, contiguous: bool = False) -> Trades:
    """Trades that ascend by id: gaps in ids, aggregates, equal and backward times, numbers up to ``widest``."""
    count = draw(st.integers(1, max_size))
    steps = st.just(1) if contiguous else st.sampled_from([1, 1, 1, 2, 50])
    spans = st.just(0) if contiguous else st.sampled_from([0, 0, 0, 3])
    ids, last_ids, at = [], [], draw(st.integers(0, 10**12))
    for _ in range(count):
        at += draw(steps)
        ids.append(at)
        at += draw(spans)
        last_ids.append(at)
    offsets = draw(st.lists(st.integers(0, 3 * 60_000), min_size=count, max_size=count))
    times = [START + offset for offset in (sorted(offsets) if draw(st.booleans()) else offsets)]
    number = st.integers(1, widest)
    return Trades.of(
        ids,
        times,
        draw(st.lists(number, min_size=count, max_size=count)),
        draw(st.lists(number, min_size=count, max_size=count)),
        draw(st.lists(st.booleans(), min_size=count, max_size=count)),
        price_decimals=draw(st.integers(0, 8)),
        quantity_decimals=draw(st.integers(0, 8)),
        last_ids=last_ids,
    )


def rows(batch: Trades) -> list[tuple[int | bool, ...]]:
    """The trades one by one, to be compared."""
    return list(zip(*(column.tolist() for column in batch.columns()), strict=True))
