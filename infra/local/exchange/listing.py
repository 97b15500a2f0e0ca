"""The simulated market's symbols: price levels, grids, rates, and who moves with whom."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from infra.local.exchange.paths import Brownian, LogPrice, MeanReverting
from infra.local.exchange.trades import Instrument, units
from quant.errors import ValidationError

_FACTOR_VOLATILITY, _OWN_VOLATILITY = 0.010, 0.018
_NAME = re.compile(r"[A-Z0-9]{5,20}\Z")


@dataclass(frozen=True, slots=True)
class Listing:
    """A symbol of the simulated market: nominal price, grids, trades per second."""

    symbol: str
    price: float
    tick: str
    step: str
    rate: float

    @property
    def instrument(self) -> Instrument:
        return Instrument.of(self.symbol, units(self.tick), units(self.step))


@dataclass(frozen=True, slots=True)
class Tie:
    """log y = a + slope * log x + spread; the spread is stationary, so y and x are cointegrated."""

    x: str
    slope: float
    deviation: float
    half_life: float


_LISTINGS = (
    Listing("BTCUSDT", 64_000, "0.01", "0.00001", 10),
    Listing("ETHUSDT", 2_600, "0.01", "0.0001", 6),
    Listing("BNBUSDT", 580, "0.01", "0.001", 2),
    Listing("SOLUSDT", 150, "0.01", "0.001", 3),
    Listing("XRPUSDT", 2.2, "0.0001", "0.1", 2.5),
    Listing("ADAUSDT", 0.75, "0.0001", "0.1", 1.5),
    Listing("DOGEUSDT", 0.18, "0.00001", "1", 2),
    Listing("LTCUSDT", 95, "0.01", "0.001", 1.2),
    Listing("BCHUSDT", 480, "0.1", "0.001", 1),
    Listing("LINKUSDT", 16, "0.001", "0.01", 1.5),
    Listing("AVAXUSDT", 24, "0.001", "0.01", 1.2),
    Listing("DOTUSDT", 4.6, "0.001", "0.01", 1),
)
LISTINGS = {listing.symbol: listing for listing in _LISTINGS}

TIES = {
    "LTCUSDT": Tie("BCHUSDT", 0.9, 0.006, 35),
    "AVAXUSDT": Tie("DOTUSDT", 1.1, 0.006, 45),
    "LINKUSDT": Tie("ADAUSDT", 0.8, 0.006, 55),
}


def listing(symbol: str) -> Listing:
    """The known symbol, or a generic one for load tests.

    Raises:
        ValidationError: no symbol has such a name.
    """
    if symbol in LISTINGS:
        return LISTINGS[symbol]
    if not _NAME.match(symbol):
        raise ValidationError("symbols", f"must be 5 to 20 capital letters or digits each, got {symbol!r}")
    return Listing(symbol, 100, "0.01", "0.001", 2)


def log_price(seed: int, symbol: str) -> LogPrice:
    """The symbol's log price as a function of time."""
    level = math.log(listing(symbol).price)
    tie = TIES.get(symbol)
    if tie is None:
        factor = Brownian(seed, "factor", _FACTOR_VOLATILITY)
        return LogPrice(level, ((1.0, factor), (1.0, Brownian(seed, symbol, _OWN_VOLATILITY))))
    x = log_price(seed, tie.x)
    spread = MeanReverting(seed, symbol, tie.deviation, tie.half_life)
    return LogPrice(level - tie.slope * x.level, ((tie.slope, x), (1.0, spread)))
