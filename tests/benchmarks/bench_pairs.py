"""One /pairs/analyze, warm, from API Gateway's event to the answer's body; storage in memory, one BLAS thread."""

from __future__ import annotations

import time

from tests.benchmarks.one_thread import rows_of
from tests.benchmarks.row import Row, percentile

N, TIMES = 1_440, 100


def run() -> list[Row]:
    return rows_of(__name__, "measure")


def measure() -> list[Row]:
    from analyse.pair_service import PairService
    from analyse.routes import create_app
    from quant.live_bars import LiveBars
    from tests.benchmarks.measure import unheard
    from tests.functional.analyse.market import AnalysedMarket, minute_bars, tied, walks
    from tests.functional.api.client import event

    world = AnalysedMarket()
    x = walks(1, N)[0]
    world.put("XUSDT", minute_bars(x))
    world.put("YUSDT", minute_bars(tied(x)))
    storage = world.storage
    service = PairService(LiveBars(storage.ticks, storage.bars), storage.instruments)
    app = unheard(create_app(lambda: service, lambda: world.now))
    kinds = {
        "plain": {"johansen": ["false"]},
        "johansen": {"johansen": ["true"]},
        "kalman": {"johansen": ["false"], "method": ["kalman"]},
    }
    requests = {
        kind: event("/pairs/analyze", "GET", {"y": ["YUSDT"], "x": ["XUSDT"], "lookback": [str(N)], **query})
        for kind, query in kinds.items()
    }
    spent: dict[str, list[float]] = {kind: [] for kind in kinds}
    size = 0
    # Interleaved, so that what else the machine does meets all three alike; the first round warms up.
    for turn in range(TIMES + 1):
        for kind, request in requests.items():
            began = time.perf_counter()
            answer = app(request)
            if turn:
                spent[kind].append(1e3 * (time.perf_counter() - began))
            assert answer["statusCode"] == 200, answer["body"]
            size = len(answer["body"])
    plain, johansen, kalman = spent.values()
    about = f"n = {N:,}, {TIMES} requests, all methods and columns"
    middle = percentile(plain, 0.5)
    return [
        Row("pairs.analyze_p50_ms", middle, "ms", f"without Johansen: {about}"),
        Row("pairs.analyze_p95_ms", percentile(plain, 0.95), "ms", f"without Johansen: {about}", None, "≤ 250"),
        Row("pairs.johansen_adds_ms", percentile(johansen, 0.5) - middle, "ms", "median"),
        Row(
            "pairs.kalman_backtest_adds_ms",
            percentile(kalman, 0.5) - middle,
            "ms",
            "median, instead of the rolling one",
        ),
        Row("pairs.analyze_johansen_p95_ms", percentile(johansen, 0.95), "ms", "with Johansen"),
        Row("pairs.body_kb", size / 1024, "KB", "the answer"),
    ]
