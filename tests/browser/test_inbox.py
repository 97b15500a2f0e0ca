"""The local inbox as a person sees it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from infra.local.inbox.box import Entry
from tests.functional.alerts.peers.inbox import RunningInbox, running_inbox

pytestmark = pytest.mark.browser
NOW = 1_795_392_000_000
PHONE: ViewportSize = {"width": 360, "height": 780}
HOSTILE = (
    "<!doctype html><html><head><title>m</title></head><body style='color:red'>"
    "<p>Bitcoin is above 100,000</p><a href='/inbox/'>Chart</a>"
    "<script>parent.document.title = document.title = 'taken'</script>"
    "<img src='/inbox/inbox.css' onerror=\"parent.document.title = 'taken'\">"
    "<meta http-equiv='refresh' content='0;url=/inbox.json'></body></html>"
)


@pytest.fixture
def inbox() -> Iterator[RunningInbox]:
    with running_inbox() as running:
        running.box.add(Entry("email", "m1", NOW, "trader@example.org", "Bitcoin", "It is.", HOSTILE, "e1.mail"))
        running.box.add(
            Entry("webhook", "w1", NOW + 1, "/inbox/webhook/" + "x" * 90, "Bitcoin", '{"a": 1}', "", "e1.w")
        )
        running.box.add(Entry("webhook", "w2", NOW + 2, "/inbox/webhook", "Bitcoin", '{"a": 1}', "", "e1.w"))
        running.box.add(Entry("sns", "s1", NOW + 3, "arn:aws:sns:us-east-1:0:quant-alerts", "Bitcoin " * 20, "It is."))
        running.box.add(Entry("telegram", "t1", NOW + 4, "-100123", "Bitcoin", "https://example.com/" + "y" * 300))
        yield running


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=PHONE, color_scheme=request.param)
    yield context.new_page()
    context.close()


def opened(page: Page, inbox: RunningInbox, query: str = "") -> list[str]:
    """Lead the page to the inbox; what it says in its console from then on."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{inbox.url}/inbox/{query}")
    return said


def test_all_channels_are_shown_and_fit_a_phone(page: Page, inbox: RunningInbox) -> None:
    said = opened(page, inbox, "?channel=webhook")
    assert page.locator("article").count() == 2
    assert page.locator(".copy").all_inner_texts() == ["copy 2 of 2", "copy 1 of 2"]
    page.get_by_role("link", name="All").click()
    page.locator("article").nth(4).wait_for()
    assert page.locator("article").count() == 5
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    # The browser says what the hostile mail was kept from.
    assert [line for line in said if "blocked" not in line.lower() and "sandboxed" not in line] == []


def test_a_hostile_mail_can_do_nothing(page: Page, inbox: RunningInbox) -> None:
    opened(page, inbox, "?channel=email")
    mail = page.frame_locator("iframe")
    mail.get_by_text("Bitcoin is above 100,000").wait_for()
    assert page.title() == "Inbox · Crypto Quant"
    assert page.url.endswith("/inbox/?channel=email")


def test_a_mails_link_opens_beside_it(page: Page, inbox: RunningInbox) -> None:
    opened(page, inbox, "?channel=email")
    with page.expect_popup() as beside:
        page.frame_locator("iframe").get_by_role("link", name="Chart").click()
    assert beside.value.url.endswith("/inbox/")


def test_something_new_is_said_and_shown_when_asked_for(page: Page, inbox: RunningInbox) -> None:
    page.clock.install()
    opened(page, inbox)
    news = page.get_by_role("status")
    assert not news.is_visible()
    inbox.box.add(Entry("telegram", "t2", NOW + 9, "-100123", "Ether", "It is too."))
    page.clock.run_for(5_000)
    news.get_by_role("link").click()
    page.get_by_role("heading", name="Ether").wait_for()


def test_everybody_can_read_it(page: Page, inbox: RunningInbox, axe: str) -> None:
    opened(page, inbox)
    for frame in page.locator("iframe").all():
        frame.evaluate("one => one.remove()")  # a mail's own HTML is its sender's
    page.evaluate(axe)
    found = page.evaluate("axe.run()")
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]] == []
