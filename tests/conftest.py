"""The order of the suite: from what is quick to what is whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).parent
# The browser comes last for one more reason: Playwright's event loop goes on running in the main thread, and no test
# with a loop of its own may follow it.
ORDER = ("architecture", "unit", "contract", "functional", "chaos", "real_data", "integration", "localstack", "browser")

# A busy machine is no property of the code: how long an example takes to be made or to run decides nothing. (The first
# text that is drawn in a fresh clone takes seconds there: hypothesis makes its table of characters for it.)
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: ORDER.index(item.path.relative_to(TESTS).parts[0]))
