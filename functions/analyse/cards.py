"""A scan as rows that can be read: one admission card per pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from quant.analytics.scan import NULL_HYPOTHESIS, Scan
from quant.domain.market import Market

MEANING = (
    "p_value is the larger of both orders' Engle-Granger p-values; q_value is p_value adjusted by Benjamini-Hochberg "
    "over all pairs tested; a pair is admitted if q_value, half-life, stability of the hedge ratio and data all pass"
)


def scan_summary(found: Scan, markets: Sequence[Market]) -> dict[str, Any]:
    """What holds for the whole scan."""
    return {
        "null_hypothesis": NULL_HYPOTHESIS,
        "meaning": MEANING,
        "criteria": asdict(found.criteria),
        "n": found.n,
        "pairs_tested": found.tested,
        "pairs_total": len(markets) * (len(markets) - 1) // 2,
        "pairs_admitted": int(found.admitted.sum()),
        "finished": found.finished,
        "excluded": [
            {**_market(markets[row]), "code": error.reason, "reason": error.problem} for row, error in found.excluded
        ],
    }


def scan_rows(found: Scan, markets: Sequence[Market], limit: int) -> list[dict[str, Any]]:
    """The first ``limit`` cards of the ranking. y and x are in the order whose statistic is lower."""
    return [_card(found, pair, rank, markets) for rank, pair in enumerate(found.order[:limit].tolist(), 1)]


@dataclass(frozen=True, slots=True)
class _Order:
    """Which series of a pair is y: 0 the first, 1 the second."""

    y: int

    def pick(self, values: Any) -> Any:
        return values[self.y]


def _card(found: Scan, pair: int, rank: int, markets: Sequence[Market]) -> dict[str, Any]:
    sides = (markets[int(found.first[pair])], markets[int(found.second[pair])])
    statistic = found.statistic[pair]
    y = int(statistic[1] < statistic[0])
    order = _Order(y)
    return {
        "rank": rank,
        "exchange": sides[y].exchange,
        "y": sides[y].symbol,
        "x_exchange": sides[1 - y].exchange,
        "x": sides[1 - y].symbol,
        "admitted": bool(found.admitted[pair]),
        "passes": {
            "both_orders": bool(found.passes_both_orders[pair]),
            "half_life": bool(found.passes_half_life[pair]),
            "stability": bool(found.passes_stability[pair]),
            "data": bool(found.passes_data[pair]),
        },
        "verdict": _verdict(found, pair),
        "p_value": _number(found.pair_p_value[pair]),
        "q_value": _number(found.q_value[pair]),
        "y_on_x": _test(found, pair, y),
        "x_on_y": _test(found, pair, 1 - y),
        "hedge_ratio": _number(order.pick(found.hedge_ratio[pair])),
        "sub_hedge_ratios": [_number(value) for value in order.pick(found.sub_hedge_ratio[pair])],
        "drift": _number(order.pick(found.drift[pair])),
        "half_life": _number(order.pick(found.half_life[pair])),
        "half_life_error": _number(order.pick(found.half_life_error[pair])),
        "zscore": _number(order.pick(found.zscore[pair])),
        "correlation": _number(found.correlation[pair]),
        "r_squared": _number(found.r_squared[pair]),
        "collinear": bool(found.collinear[pair]),
        "n": found.n,
    }


def _verdict(found: Scan, pair: int) -> str:
    if found.collinear[pair]:
        return "not tested: the two series are (almost) multiples of each other"
    if np.isnan(found.pair_p_value[pair]):
        return "not tested: the past of its residual determines it, so the test's regression is singular"
    if found.admitted[pair]:
        return "admitted: cointegrated in both orders, and it passes the other criteria"
    if not found.passes_both_orders[pair]:
        return "no evidence of cointegration in both orders, allowing for the number of pairs tested"
    failed = [
        words
        for words, passes in (
            ("its half-life is out of bounds", found.passes_half_life[pair]),
            ("its hedge ratio drifts", found.passes_stability[pair]),
            ("its data are not complete", found.passes_data[pair]),
        )
        if not passes
    ]
    return f"cointegrated in both orders, but {' and '.join(failed)}"


def _test(found: Scan, pair: int, order: int) -> dict[str, Any]:
    lag = int(found.lag[pair, order])
    return {
        "statistic": _number(found.statistic[pair, order]),
        "p_value": _number(found.p_value[pair, order]),
        "lag": lag if lag >= 0 else None,
    }


def _market(market: Market) -> dict[str, str]:
    return {"exchange": market.exchange, "symbol": market.symbol}


def _number(value: np.float64) -> float | None:
    """Six significant digits are more than the data hold; what is no number is None."""
    return float(f"{value:.6g}") if np.isfinite(value) else None
