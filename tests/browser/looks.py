"""How a page looks and is reached: what tests ask of every page."""

from __future__ import annotations

from playwright.sync_api import Page

WIDTHS = (1440, 768, 360)
OVERFLOWING = """() => {
    const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    const clipped = [...document.querySelectorAll("main h1, main h2, main p, main dd, main dt, main button")]
        .filter((each) => each.offsetParent && !each.closest(".visually-hidden, .table-scroll, ul, .tip, details"))
        .filter((each) => { const box = each.getBoundingClientRect(); return box.width && box.right > innerWidth + 1; })
        .map((each) => each.textContent.slice(0, 30));
    return [wide, clipped];
}"""
NAME = "(each) => [each.tagName, each.name, each.dataset.part, each.textContent.trim().slice(0, 20)].join(' ')"
VISIBLE = f"""() => [...document.querySelectorAll("select, input, button, textarea, a[href], summary, [tabindex='0']")]
    .filter((each) => each.checkVisibility({{ visibilityProperty: true }}) && !each.disabled
        && each.tabIndex >= 0 && !(each.type === "radio" && !each.checked))
    .map({NAME})"""


def settle(page: Page) -> None:
    """Waits until the first data are shown and the charts are drawn."""
    page.wait_for_function("() => document.querySelector('.status-line [data-part=updated]').textContent.includes(':')")
    page.wait_for_function(
        "() => [...document.querySelectorAll('[data-part=plot]')].every((plot) => plot.offsetParent === null"
        " || plot.data || plot.closest('.is-empty'))"
    )


def violations(page: Page) -> list[str]:
    """What axe-core finds; its source has been evaluated in the page."""
    found: list[str] = page.evaluate(
        """async () => {
            const running = axe.run(document, { resultTypes: ["violations"] });
            return (await running).violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html)}`);
        }"""
    )
    return found


def reached_by_tab(page: Page) -> tuple[set[str], set[str]]:
    """The controls that are there, and those that the Tab key leads to."""
    wanted: list[str] = page.evaluate(VISIBLE)
    reached: set[str] = set()
    # What comes while this goes on is passed too.
    for _ in range(2 * len(wanted) + 20):
        page.keyboard.press("Tab")
        reached.add(page.evaluate(f"() => ({NAME})(document.activeElement)"))
        if reached >= set(wanted):
            break
    return set(wanted), reached
