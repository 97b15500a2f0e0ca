"""The scan of all pairs: against statsmodels and arch, how it grows, its memory, what it finds and what it invents.

A test is one order of a pair. Both orders of every pair are tested, by us and by the peers. One BLAS thread.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from quant.analytics.multiple_testing import benjamini_hochberg
from quant.analytics.scan import Scan, scan
from tests.benchmarks.one_thread import rows_of
from tests.benchmarks.row import Row

Floats = NDArray[np.float64]
T = TypeVar("T")
N, SYMBOLS, PEER_TESTS = 1_440, 200, 200
# Three days of minutes: what the analyse function scans once it has them.
SCANNED = 4_320
SEEDS, PAIRS, HALF_LIFE, POWER_PAIRS = 20, 2_000, 60, 500
# What a run may use of the function's 50 s before its reserve.
LAMBDA_SECONDS = 40


def run() -> list[Row]:
    return [row for part in ("speed", "growth", "memory", "whole_run", "findings") for row in rows_of(__name__, part)]


def market(symbols: int, n: int = N, seed: int = 1) -> Floats:
    """Random walks with a common factor of different strength."""
    rng = np.random.default_rng(seed)
    factor = rng.standard_normal(n).cumsum()
    own = rng.standard_normal((symbols, n)).cumsum(axis=1)
    prices: Floats = 100 * np.exp(0.0007 * (rng.uniform(0, 1.5, (symbols, 1)) * factor + own))
    return prices


def speed() -> list[Row]:
    from arch.unitroot.cointegration import engle_granger
    from statsmodels.tsa.stattools import coint

    prices = market(SYMBOLS)
    found, seconds = _best(lambda: scan(prices), 3)
    tests = 2 * len(found.first)
    chosen = np.random.default_rng(2).permutation(len(found.first))[: PEER_TESTS // 2]
    orders = [(found.first[pair], found.second[pair]) for pair in chosen]
    orders += [(x, y) for y, x in orders]
    answers, theirs = _timed(lambda: [coint(prices[y], prices[x]) for y, x in orders])
    _, archs = _timed(lambda: [engle_granger(prices[y], prices[x], method="aic").pvalue for y, x in orders])
    ours = np.concatenate([found.statistic[chosen, 0], found.statistic[chosen, 1]])
    our_p = np.concatenate([found.p_value[chosen, 0], found.p_value[chosen, 1]])
    difference = max(
        float(np.abs(ours - [answer.coint_t for answer in answers]).max()),
        float(np.abs(our_p - [answer.pvalue for answer in answers]).max()),
    )
    share = f"{PEER_TESTS} of {tests:,} tests measured, the rest extrapolated"
    return [
        Row("scan.200", seconds, "s", f"statsmodels coint: {share}", theirs / PEER_TESTS * tests / seconds, "≥ 1000"),
        Row(
            "scan.200.arch",
            seconds,
            "s",
            f"arch engle_granger: {share}",
            archs / PEER_TESTS * tests / seconds,
            "≥ 300",
        ),
        Row("scan.per_test_us", 1e6 * seconds / tests, "µs", "p-values, FDR and cards included"),
        Row("scan.coint_ms", 1e3 * theirs / PEER_TESTS, "ms", "statsmodels, one test"),
        Row("scan.arch_ms", 1e3 * archs / PEER_TESTS, "ms", "arch, one test"),
        Row("scan.difference", difference, "", f"largest of {PEER_TESTS} statistics and p-values", None, "≤ 1e-8"),
    ]


def growth() -> list[Row]:
    rows, rate = [], {}
    for symbols in (50, 100, 200, 400):
        found, seconds = _best(lambda symbols=symbols: scan(market(symbols)), 2)
        rows.append(Row(f"scan.symbols_{symbols}", seconds, "s", f"{2 * len(found.first):,} tests, n = {N:,}"))
    for n in (500, N, SCANNED, 10_000):
        found, seconds = _best(lambda n=n: scan(market(SYMBOLS, n)), 2)
        rate[n] = 2 * len(found.first) / seconds
        rows.append(Row(f"scan.n_{n}", seconds, "s", f"{SYMBOLS} symbols"))
    note = f"extrapolated: what one core like this one scans in the {LAMBDA_SECONDS} s of a run, reading apart"
    for n in (N, SCANNED):
        symbols = int(np.sqrt(rate[n] * LAMBDA_SECONDS))
        rows.append(Row(f"scan.symbols_in_a_run_{n}", symbols, "symbols", f"n = {n:,}, {note}"))
    return rows


def whole_run() -> list[Row]:
    """The analyse function's run over a hundred symbols with three days of bars in memory."""
    from analyse.service import Analyst
    from quant.domain.interval import MINUTE
    from quant.http.answers import to_json
    from tests.functional.analyse.market import NOW, AnalysedMarket, minute_bars

    world = AnalysedMarket()
    for place, closes in enumerate(market(100, SCANNED)):
        world.put(f"S{place}USDT", minute_bars(closes))
    storage = world.storage
    analyst = Analyst(storage.bars, storage.instruments, storage.cache, to_json, lambda: world.now)
    first, cold = _timed(lambda: analyst.run(NOW))
    second, warm = _timed(lambda: analyst.run(NOW + MINUTE))
    _, scanning = _timed(lambda: analyst.run(NOW + 5 * MINUTE))
    assert first.scanned
    assert not second.scanned
    note = "100 symbols, three days of minutes, storage in memory"
    return [
        Row("analyse.run_cold_s", cold, "s", f"everything read, 4,950 pairs scanned: {note}"),
        Row("analyse.run_warm_s", warm, "s", "statistics and correlations only"),
        Row("analyse.run_scan_s", scanning, "s", "with the scan"),
    ]


def memory() -> list[Row]:
    prices = market(400)
    scan(prices[:3])
    before = _peak()
    scan(prices)
    note = "peak of the process above what it held before; 400 symbols, 159,600 tests"
    return [
        Row("scan.memory_400_mb", _peak() - before, "MB", note),
        Row("scan.memory_400_process_mb", _peak(), "MB", "the whole process, numpy included"),
    ]


def findings() -> list[Row]:
    shares, admitted, single = [], [], []
    for seed in range(SEEDS):
        found = list(_disjoint(np.random.default_rng(seed), PAIRS, _independent, N))
        p = np.concatenate([one.pair_p_value[_pairs(one)] for one in found])
        passed = benjamini_hochberg(p) <= 0.05
        cards = np.concatenate([_other_criteria(one)[_pairs(one)] for one in found])
        shares.append(float(passed.mean()))
        admitted.append(float((passed & cards).mean()))
        single.append(float((np.concatenate([one.p_value[_pairs(one), 0] for one in found]) <= 0.05).mean()))
    about = f"{SEEDS} seeds of {PAIRS:,} independent pairs of independent random walks, n = {N:,}"
    return [
        Row("scan.false_share", float(np.mean(shares)), "", f"pass at FDR 5 %: {about}", None, "≤ 0.05"),
        Row("scan.false_share_worst", float(np.max(shares)), "", "the worst seed"),
        Row("scan.false_seeds", float(np.mean(np.array(shares) > 0)), "", "share of seeds with any", None, "≤ 0.05"),
        Row("scan.false_admitted", float(np.mean(admitted)), "", "and pass the rest of the card too"),
        Row("scan.false_single", float(np.mean(single)), "", "p ≤ 5 % in one order, uncorrected"),
        *_power(N),
        *_power(SCANNED),
    ]


def _power(n: int) -> list[Row]:
    """What is found of true pairs: alone, and a twentieth of them among walks."""
    tied = list(_disjoint(np.random.default_rng(99), POWER_PAIRS, _cointegrated, n))
    null = list(_disjoint(np.random.default_rng(98), PAIRS - PAIRS // 20, _independent, n))
    one_order, both, card = (
        np.concatenate([column[_pairs(one)] for one, column in zip(tied, columns, strict=True)])
        for columns in (
            [one.p_value[:, 0] for one in tied],
            [one.pair_p_value for one in tied],
            [_other_criteria(one) for one in tied],
        )
    )
    walks = np.concatenate([one.pair_p_value[_pairs(one)] for one in null])
    few = PAIRS // 20
    passed = benjamini_hochberg(np.concatenate([both[:few], walks])) <= 0.05
    found, false = int(passed[:few].sum()), int(passed[few:].sum())
    about = f"{POWER_PAIRS} cointegrated pairs of half-life {HALF_LIFE}, n = {n:,}"
    mixture = f"{few} such pairs among {PAIRS:,}: {found} found, {false} false beside them"
    return [
        Row(f"scan.power_one_order_{n}", float((one_order <= 0.05).mean()), "", f"p ≤ 5 % in one order: {about}"),
        Row(f"scan.power_both_orders_{n}", float((both <= 0.05).mean()), "", "p ≤ 5 % in both orders"),
        Row(f"scan.power_card_{n}", float(((both <= 0.05) & card).mean()), "", "and the rest of the card"),
        Row(f"scan.power_fdr_{n}", found / few, "", f"at FDR 5 %, {mixture}"),
    ]


def _independent(rng: np.random.Generator, n: int) -> Floats:
    return 100 * np.exp(0.0007 * rng.standard_normal((2, n)).cumsum(axis=1))


def _cointegrated(rng: np.random.Generator, n: int) -> Floats:
    x = 100 * np.exp(0.0007 * rng.standard_normal(n).cumsum())
    decay = 0.5 ** (1 / HALF_LIFE)
    shocks = np.sqrt(1 - decay**2) * rng.standard_normal(n + 500)
    spread = np.zeros(n + 500)
    for t in range(1, len(spread)):
        spread[t] = decay * spread[t - 1] + shocks[t]
    return np.array([x**0.9 * np.exp(0.004 * spread[500:]), x])


def _disjoint(
    rng: np.random.Generator, pairs: int, make: Callable[[np.random.Generator, int], Floats], n: int
) -> list[Scan]:
    """Scans of eight pairs each, of which only the pairs made together are looked at."""
    found = []
    for begin in range(0, pairs, 8):
        found.append(scan(np.concatenate([make(rng, n) for _ in range(min(8, pairs - begin))])))
    return found


def _pairs(found: Scan) -> NDArray[np.bool_]:
    together: NDArray[np.bool_] = (found.first % 2 == 0) & (found.second == found.first + 1)
    return together


def _other_criteria(found: Scan) -> NDArray[np.bool_]:
    return found.passes_half_life & found.passes_stability & found.passes_data


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    began = time.perf_counter()
    return work(), time.perf_counter() - began


def _best(work: Callable[[], T], times: int) -> tuple[T, float]:
    results = [_timed(work) for _ in range(times)]
    return results[0][0], min(seconds for _, seconds in results)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
