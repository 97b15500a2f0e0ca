"""One run of the whole local stack, as a user starts it, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.conftest import RunningStack, started_stack


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The simulated market, running; at the end it has to stop cleanly."""
    with started_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running
        code = running.stop()
        assert code == 0, "\n".join(running.lines)
