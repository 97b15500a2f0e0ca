"""Rules to begin with. Each can be stored as it is, once it has a channel."""

from __future__ import annotations

from typing import Any

EXAMPLES: tuple[dict[str, Any], ...] = (
    {
        "id": "price-cross",
        "title": "Price crosses a level",
        "why": "Fires on the way across, wicks included; 0.7 % of room before it is over, so that it does not flap.",
        "rule": {
            "name": "BTC above 70,000", "metric": "price", "symbol": "BTCUSDT", "operator": "crosses_above",
            "threshold": 70_000, "clear_threshold": 69_500, "cooldown_seconds": 900,
            "message": "{{ symbol }} at {{ value|number }}, above {{ threshold|number }} since {{ time|time }}",
        },
    },
    {
        "id": "pair-entry",
        "title": "Pair: z-score says enter",
        "why": "The spread is two deviations away for a minute; over when it is back within half a deviation.",
        "rule": {
            "name": "ETH on BTC: enter", "metric": "pair_zscore", "symbol": "ETHUSDT", "x": "BTCUSDT",
            "operator": "outside", "threshold": 2, "clear_threshold": 0.5, "for_seconds": 60,
            "message": "z-score {{ value|number }}: {% if value is number and value > 0 %}sell{% else %}buy{% endif %} "
                       "{{ symbol }} against {{ x }}",
        },
    },
    {
        "id": "pair-exit",
        "title": "Pair: z-score says leave",
        "why": "The spread has come back to its mean.",
        "rule": {
            "name": "ETH on BTC: leave", "metric": "pair_zscore", "symbol": "ETHUSDT", "x": "BTCUSDT",
            "operator": "inside", "threshold": 0.25, "clear_threshold": 1, "notify": ["fired"],
        },
    },
    {
        "id": "volume-spike",
        "title": "Volume spike",
        "why": "A minute with five times the volume of the hour before it.",
        "rule": {
            "name": "BTC volume spike", "metric": "volume_ratio", "symbol": "BTCUSDT", "operator": ">=",
            "threshold": 5, "clear_threshold": 2, "cooldown_seconds": 1_800, "notify": ["fired"],
        },
    },
    {
        "id": "volatility-regime",
        "title": "Volatility regime",
        "why": "Four hours' volatility above 80 % a year for a quarter of an hour: storm wants other sizes than calm.",
        "rule": {
            "name": "BTC is stormy", "metric": "volatility", "symbol": "BTCUSDT", "interval": "5m", "window": 48,
            "operator": ">", "threshold": 80, "clear_threshold": 60, "for_seconds": 900, "recover_seconds": 900,
        },
    },
    {
        "id": "correlation-break",
        "title": "Correlation breaks",
        "why": "Two symbols that usually go together no longer do; a hedge of one by the other no longer hedges.",
        "rule": {
            "name": "ETH no longer follows BTC", "metric": "correlation", "symbol": "ETHUSDT", "x": "BTCUSDT",
            "window": 240, "operator": "<", "threshold": 0.5, "clear_threshold": 0.7, "for_seconds": 300,
        },
    },
    {
        "id": "cointegration-lost",
        "title": "Cointegration is lost",
        "why": "The scan no longer finds the pair cointegrated: the reason to trade it is gone. Checked at each scan.",
        "rule": {
            "name": "ETH and BTC drift apart", "metric": "cointegration_pvalue", "symbol": "ETHUSDT", "x": "BTCUSDT",
            "operator": ">", "threshold": 0.1, "clear_threshold": 0.05, "for_seconds": 900, "severity": "critical",
        },
    },
    {
        "id": "stale-feed",
        "title": "The feed is stale",
        "why": "What is known of the symbol lies two minutes behind. A halt of the market is no staleness.",
        "rule": {
            "name": "BTC feed is stale", "metric": "staleness", "symbol": "BTCUSDT", "operator": ">",
            "threshold": 120, "clear_threshold": 30, "severity": "critical", "remind_seconds": 3_600,
        },
    },
)  # fmt: skip
