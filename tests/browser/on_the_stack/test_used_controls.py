"""No control of any page was left out by the tests of this folder. Runs after them."""

from __future__ import annotations

from pathlib import Path

import pytest

from frontend_static.build import PAGES
from tests.browser.on_the_stack.controls import MADE, Controls, served
from tests.browser.open_page import OpenPage

pytestmark = pytest.mark.browser


def test_every_control_was_used(visit: OpenPage, controls: Controls, request: pytest.FixtureRequest) -> None:
    here = Path(__file__).parent
    ran = {item.path for item in request.session.items}
    if not set(here.glob("test_*.py")) <= ran:
        pytest.skip("counts what the other tests of this folder use: run the folder")
    wanted = set(MADE)
    for each in PAGES:
        with visit(f"{each.href}?refresh=off", drawn=False) as page:
            wanted |= served(page)
    assert sorted(wanted - controls.used) == []
