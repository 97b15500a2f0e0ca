"""The order of the suite: from what is quick to what is whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    order = SPREAD if hasattr(config, "workerinput") else ORDER
    items.sort(key=lambda item: (order.index(_place(item.nodeid)[0]), _together(item.nodeid) not in TOGETHER))


class InOneProcess(LoadScopeScheduling):
    """What shares something stays together: the tests of a file, and of some folders."""

    def _split_scope(self, nodeid: str) -> str:
        return _together(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> InOneProcess:
    return InOneProcess(config, log)


def _place(nodeid: str) -> tuple[str, ...]:
    return Path(nodeid.partition("::")[0]).parts[1:]


def _together(nodeid: str) -> str:
    place = "/".join(_place(nodeid))
    return next((folder for folder in TOGETHER if place.startswith(f"{folder}/")), place)
