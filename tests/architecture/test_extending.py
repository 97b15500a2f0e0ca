"""What has to be named in more than one place is named in all of them: docs/how-to leads through these places."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from check_alerts.delivery import THREADS
from infra.diagram.architecture import ARCHITECTURE
from infra.local.inbox.view import CHANNELS
from ingestor.__main__ import EXCHANGES
from quant.alerting.fields import _TARGETS
from quant.alerting.metrics import METRICS
from quant.contract.alerts import ChannelFields, MetricName
from quant.domain.alert import ChannelType
from quant.notify.senders import open_senders
from quant.readings.figures import _OF_ONE, _OF_PAIRS
from quant.settings import SETTINGS, Settings

ROOT = Path(__file__).parents[2]
INGESTOR = ROOT / "ingestor"


def test_the_contract_offers_every_metric() -> None:
    assert set(get_args(MetricName)) == set(METRICS)


def test_the_dashboard_has_words_for_every_metric_and_knows_the_pairs() -> None:
    script = (ROOT / "frontend_static/scripts/alert-words.js").read_text()
    words = script.partition("METRICS = {")[2].partition("};")[0]
    rows = dict(re.findall(r"^  (\w+): \{ (.*) \},$", words, flags=re.MULTILINE))
    assert {name: "isPair: true" in row for name, row in rows.items()} == {
        name: metric.is_pair for name, metric in METRICS.items()
    }


def test_every_metric_of_bars_has_a_figure_of_as_many_symbols() -> None:
    of_bars = {name: metric for name, metric in METRICS.items() if metric.can_be_replayed}
    assert {name for name, metric in of_bars.items() if not metric.is_pair} == set(_OF_ONE)
    assert {name for name, metric in of_bars.items() if metric.is_pair} == set(_OF_PAIRS)


def test_every_channel_is_validated_offered_sent_and_given_threads() -> None:
    channels = set(ChannelType)
    assert set(_TARGETS) == channels
    assert set(THREADS) == channels
    assert set(get_args(get_type_hints(ChannelFields)["type"])) == channels


def test_every_channel_is_in_the_documents_and_in_the_inbox() -> None:
    table = (ROOT / "docs/notifications.md").read_text().partition("## Channels")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)) == set(ChannelType)
    assert set(CHANNELS) == set(ChannelType)


def test_every_channel_has_a_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert set(open_senders(Settings.load({}), lambda: 0)) == set(ChannelType)


def test_every_exchange_can_be_pointed_elsewhere() -> None:
    names = {row.name for row in SETTINGS}
    for exchange in EXCHANGES:
        assert {f"{exchange.upper()}_WS_URL", f"{exchange.upper()}_REST_URL"} <= names


def test_only_an_adapter_and_the_composition_root_name_an_exchange() -> None:
    for exchange in EXCHANGES:
        named = {path.relative_to(INGESTOR).as_posix() for path in INGESTOR.rglob("*.py")
                 if exchange in path.read_text().lower()}  # fmt: skip
        own = {path.relative_to(INGESTOR).as_posix() for path in INGESTOR.glob(f"exchanges/{exchange}*.py")}
        assert own
        assert named == own | {"__main__.py"}


def test_every_exchange_is_on_the_picture() -> None:
    (adapters,) = [one for one in ARCHITECTURE.components() if one.id == "adapters"]
    drawn = {function.proof.rpartition("/")[2] for function in adapters.functions}
    assert [name for name in EXCHANGES if f"{name}.py::{name.capitalize()}" not in drawn] == []
