"""Settings are read once, checked whole, and named in every error."""

import pytest

from quant.domain.market import Market
from quant.errors import SettingError
from quant.settings import SETTINGS, Settings


def test_every_setting_has_a_default_that_can_be_used() -> None:
    settings = Settings.load({})
    assert settings.port == 8000
    assert Market("binance", "BTCUSDT") in settings.symbols
    assert settings.table("tick_data") == "quant-tick_data"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "70000"),
        ("SPEED", "fast"),
        ("SPEED", "nan"),
        ("SYMBOLS", "BTC/USDT"),
        ("SYMBOLS", "BTCUSDT,btcusdt"),
        ("SYMBOLS", ","),
        ("SOURCE", "kraken"),
        ("SOURCE", "replay:"),
        ("FLUSH_SECONDS", "0"),
        ("BINANCE_WS_URL", "https://stream.binance.com"),
        ("BINANCE_REST_URL", "https://api.binance.com/api/v3"),
        ("PREFIX", "Quant_1"),
        ("MARKET", "dead"),
        ("LOG_LEVEL", "LOUD"),
        ("ARCHIVE_BUCKET", "No_Bucket"),
    ],
)
def test_a_bad_value_is_refused_with_the_settings_name(name: str, value: str) -> None:
    with pytest.raises(SettingError) as caught:
        Settings.load({name: value})
    assert caught.value.name == name
    assert str(caught.value).startswith(f"setting {name} must")


def test_an_empty_value_counts_as_left_out() -> None:
    assert Settings.load({row.name: "" for row in SETTINGS}) == Settings.load({})
