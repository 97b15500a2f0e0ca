"""The order of the suite: from what is quick to what is whole."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

ORDER = ("architecture", "unit", "contract", "functional", "chaos", "real_data", "integration", "localstack", "browser")
# Folders whose tests share what is dear to start. Of several processes the first begin with these, which mostly wait,
# so that nobody is left with one at the end; the others begin with what mostly computes.
TOGETHER = ("browser/on_the_stack", "integration/on_the_stack", "localstack")
SPREAD = (*TOGETHER, "functional", "contract", "integration", "chaos", "real_data", "browser", "architecture", "unit")

# A busy machine is no property of the code: how long an example takes to be made or to run decides nothing. (The first
# text that is drawn in a fresh clone takes seconds there: hypothesis makes its table of characters for it.)
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    order = SPREAD if hasattr(config, "workerinput") else ORDER
    items.sort(key=lambda item: next(rank for rank, folder in enumerate(order) if _is_in(item.nodeid, folder)))


class InOneProcess(LoadScopeScheduling):
    """What shares something stays together: the tests of a file, and of some folders."""

    def _split_scope(self, nodeid: str) -> str:
        return _together(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> InOneProcess:
    return InOneProcess(config, log)


def _together(nodeid: str) -> str:
    return next((folder for folder in TOGETHER if _is_in(nodeid, folder)), nodeid.partition("::")[0])


def _is_in(nodeid: str, folder: str) -> bool:
    return nodeid.startswith(f"tests/{folder}/")
