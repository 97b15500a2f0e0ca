"""The bill: lines derived by hand, the reference load's limit, and what an item per trade would cost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quant.costs import Bill, Prices, as_table, load_prices, monthly_bill
from quant.monthly_use import Load, units_per_chunk

LIMIT = 40.0


def _line(bill: Bill, name: str) -> float:
    (line,) = [line for line in bill.lines if line.name == name]
    return line.usd


def _priced(**usd: float) -> Prices:
    known = load_prices()
    return Prices("test", "2026-11", dict.fromkeys(known.usd, 0.0) | usd, {})


def test_the_reference_load_stays_within_its_limit(capsys: pytest.CaptureFixture[str]) -> None:
    bill = monthly_bill(Load(), load_prices())
    assert (bill.load.symbols, bill.load.trades_per_second, bill.load.flush_seconds) == (20, 1_000, 5)
    assert (bill.load.rules, bill.load.dashboards, bill.load.archive_months, bill.load.ingestors) == (100, 1, 12, 1)
    assert bill.total <= LIMIT
    with capsys.disabled():
        print(f"\nreference load: ${bill.total:.2f} a month in {bill.region} ({bill.list_total:.2f} before always-free "
              f"allowances); one item per trade: ${bill.one_item_per_trade:,.0f}")  # fmt: skip


def test_one_item_per_trade_costs_a_write_unit_each() -> None:
    """1,000 trades/s x 2,628,000 s = 2,628 million units at $0.625 are $1,642.50."""
    bill = monthly_bill(Load(), load_prices("us-east-1"))
    assert bill.one_item_per_trade == pytest.approx(1_642.50)


def test_the_address_and_the_processor_are_paid_by_the_hour() -> None:
    """730 h x $0.005; 730 h x 0.25 vCPU x $0.04; twice as much with two ingestors."""
    prices = _priced(public_ipv4=0.005, fargate_vcpu=0.04)
    one, two = monthly_bill(Load(), prices), monthly_bill(replace(Load(), ingestors=2, copies=2), prices)
    assert _line(one, "public IPv4 address") == pytest.approx(3.65)
    assert _line(one, "vCPU") == pytest.approx(7.30)
    assert two.list_total == pytest.approx(2 * one.list_total)


def test_a_dashboard_asks_for_bars_at_each_refresh_and_for_health_as_often_as_it_changes() -> None:
    """1 / 5 s + 1 / 10 s + 1 / 30 s = 0.33333 requests/s, 0.876 million a month, at $3.50."""
    bill = monthly_bill(Load(), _priced(rest_api=3.50))
    assert bill.list_total == pytest.approx(0.876 * 3.50)
    assert Load(refresh_seconds=30).requests_per_second == pytest.approx(3 / 30)
    assert Load(refresh_seconds=0).requests_per_second == 0


def test_the_archive_grows_with_each_month() -> None:
    """1,000 trades/s x 2,628,000 s x 5 B = 13.14 GB a month: three months warm, nine cold."""
    load = replace(Load(), archive_bytes_per_trade=5.0)
    bill = monthly_bill(load, _priced(s3_storage=0.02, s3_cold=0.004))
    assert _line(bill, "archive, warm") == pytest.approx(3 * 13.14 * 0.02)
    assert _line(bill, "archive, cold") == pytest.approx(9 * 13.14 * 0.004)


def test_chunks_that_fit_into_a_kilobyte_cost_one_unit() -> None:
    assert units_per_chunk(0) == 1.0
    assert units_per_chunk(50) == pytest.approx(1.0, abs=1e-6)
    assert 1.05 < units_per_chunk(433) < 1.15  # recorded BTCUSDT: 433 B at 5 s, 1.07
    assert 1.18 < units_per_chunk(661) < 1.35  # at 250 trades a chunk: 661 B, 1.19


def test_an_allowance_is_taken_off_once() -> None:
    prices = replace(_priced(lambda_gb_seconds=13.0), allowances={"lambda_gb_seconds": 0.1})
    bill = monthly_bill(Load(), prices)
    assert bill.list_total - bill.total == pytest.approx(1.3)


def test_an_idle_platform_still_costs_its_fixed_parts() -> None:
    idle = replace(Load(), symbols=0, trades_per_second=0.0, chunks_per_second=0.0, dashboards=0.0, rules=0)
    bill = monthly_bill(idle, load_prices())
    assert 0 < bill.total < 20
    assert bill.one_item_per_trade == 0


def test_the_table_names_every_line_and_the_date_of_its_prices() -> None:
    bill = monthly_bill(Load(), load_prices("eu-central-1"))
    text = as_table(bill)
    assert all(line.name in text for line in bill.lines)
    assert "eu-central-1, 2026-11" in text
    assert f"{bill.total:.2f}" in text


def test_the_default_region_is_one_that_the_exchange_serves() -> None:
    assert not load_prices().region.startswith("us-")
