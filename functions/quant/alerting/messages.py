"""What a message says: the usual sentence, or the rule's own template, and the values that it may use."""

from __future__ import annotations

from typing import Any

from jinja2 import TemplateError

from quant.alerting.conditions import OPERATORS
from quant.alerting.machine import Happening
from quant.alerting.metrics import METRICS
from quant.alerting.templates import MAX_OUTPUT, moment, render
from quant.domain.alert import EventKind, Rule
from quant.domain.interval import SECOND

SIMULATED = "SIMULATED"
_NAMES = {"pair_zscore": "z-score", "vwap_deviation": "deviation from VWAP", "volume_ratio": "volume ratio"}
_NAMES |= {"cointegration_pvalue": "cointegration p-value"}


def subject_of(rule: Rule) -> str:
    """``BTCUSDT``, or ``ETHUSDT on BTCUSDT``."""
    return rule.market.symbol if rule.x is None else f"{rule.market.symbol} on {rule.x.symbol}"


def title_of(rule: Rule, happening: Happening, market_kind: str) -> str:
    """One line: what happened to which rule."""
    kind = happening.kind
    if kind is EventKind.REMINDER:
        word = "still firing" if happening.about is EventKind.FIRED else "has resolved"
    else:
        word = {"no_data": "no data", "test": "test"}.get(kind.value, kind.value)
    mark = f"{SIMULATED} " if market_kind == "simulated" else ""
    return f"{mark}{word.upper() if kind is EventKind.FIRED else word}: {rule.name}"[:200]


def message_of(rule: Rule, happening: Happening, market_kind: str) -> tuple[str, str]:
    """The message, and why the rule's own template could not be used, or ""."""
    error, text = "", ""
    if rule.message and happening.kind is not EventKind.CORRECTION:
        try:
            text = render(rule.message, values_of(rule, happening, market_kind))
        except TemplateError as exc:
            error = str(exc)[:300]
    text = text or usual(rule, happening)
    if market_kind == "simulated":
        text = f"{SIMULATED}: {text}"
    return text[:MAX_OUTPUT], error


def values_of(rule: Rule, happening: Happening, market_kind: str) -> dict[str, Any]:
    """What a template may use. The table of docs/alerts.md names them."""
    return {
        "name": rule.name,
        "kind": happening.kind.value,
        "metric": rule.metric,
        "unit": METRICS[rule.metric].unit,
        "symbol": rule.market.symbol,
        "exchange": rule.market.exchange,
        "x": rule.x.symbol if rule.x else "",
        "subject": subject_of(rule),
        "operator": rule.operator,
        "value": happening.value,
        "threshold": rule.threshold,
        "clear_threshold": rule.threshold if rule.clear_threshold is None else rule.clear_threshold,
        "interval": rule.interval,
        "window": rule.window,
        "severity": rule.severity,
        "time": happening.time,
        "began": happening.began,
        "seconds": max(happening.time - happening.began, 0) / SECOND if happening.began else 0.0,
        "reason": happening.reason,
        "simulated": market_kind == "simulated",
    }


def sample_values(rule: Rule, kind: EventKind, now: int) -> dict[str, Any]:
    """Values of the shape that the template will meet: with a value, or, for ``no_data``, without one."""
    value = None if kind is EventKind.NO_DATA else rule.threshold or 1.0
    return values_of(rule, Happening(kind, now, value, True, reason="a reason", began=now - 60 * SECOND), "live")


def usual(rule: Rule, happening: Happening) -> str:
    """The sentence of rules without a template."""
    kind, at = happening.kind, moment(happening.time)
    if kind is EventKind.NO_DATA:
        return f"{_metric(rule)} is not known since {at}: {happening.reason}."
    if kind is EventKind.CORRECTION:
        return happening.reason
    stands = f"{_metric(rule)} is {_figure(happening.value)}{_unit(rule)} at {at}"
    if kind is EventKind.RESOLVED or (kind is EventKind.REMINDER and happening.about is EventKind.RESOLVED):
        clear = rule.threshold if rule.clear_threshold is None else rule.clear_threshold
        return f"{stands}: it is over (fires {rule.operator} {_figure(rule.threshold)}, clear at {_figure(clear)})."
    words = OPERATORS[rule.operator].words
    so_far = f" since {moment(happening.began)}" if kind is EventKind.REMINDER else ""
    held = f" and held for {rule.for_seconds} s" if rule.for_seconds and kind is EventKind.FIRED else ""
    return f"{stands}: it {words} {_figure(rule.threshold)}{held}{so_far}."


def _metric(rule: Rule) -> str:
    name = _NAMES.get(rule.metric, rule.metric)
    bars = f" ({rule.window} bars of {rule.interval})" if METRICS[rule.metric].window[2] > 1 else ""
    return f"{name} of {subject_of(rule)}{bars}"


def _unit(rule: Rule) -> str:
    unit = METRICS[rule.metric].unit
    return {"%": " %", "% per year": " % a year", "times": " times", "s": " s"}.get(unit, "")


def _figure(value: float | None) -> str:
    """As few digits as tell the value, at most ten."""
    return "unknown" if value is None else f"{value:,.10g}"
