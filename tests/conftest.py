"""The order of the suite: from what is quick to what is whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).parent
# The browser comes last for one more reason: Playwright's event loop goes on running in the main thread, and no test
# with a loop of its own may follow it.
ORDER = ("architecture", "unit", "contract", "functional", "chaos", "real_data", "integration", "localstack", "browser")
# Of several processes the first begin with what mostly waits, so that nobody is left with it at the end.
SPREAD = ("integration", "localstack", "chaos", "contract", "functional", "real_data", *ORDER[:2], "browser")
# Folders whose tests share what is dear to start.
TOGETHER = ("localstack", "browser/on_the_stack")

# A busy machine is no property of the code: how long an example takes to be made or to run decides nothing. (The first
# text that is drawn in a fresh clone takes seconds there: hypothesis makes its table of characters for it.)
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


# Before xdist reads the groups.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    order = SPREAD if hasattr(config, "workerinput") else ORDER
    items.sort(key=lambda item: (order.index(_place(item)[0]), _together(item) not in TOGETHER))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_together(item)))


def _place(item: pytest.Item) -> tuple[str, ...]:
    return item.path.relative_to(TESTS).parts


def _together(item: pytest.Item) -> str:
    """What runs in one process: a folder that shares a stack, the tests of the suite's own stack, else a file."""
    place = "/".join(_place(item))
    shared = next((folder for folder in TOGETHER if place.startswith(f"{folder}/")), "")
    return shared or ("stack" if "stack" in getattr(item, "fixturenames", ()) else place)
