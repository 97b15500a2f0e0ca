"""Which controls the pages have, and which of them tests have used."""

from __future__ import annotations

from playwright.sync_api import Page

# A control has the same name in the page as it is served and in the page as it has become. What a page makes of its
# data goes by what it is.
NAMES = """
const MADE = {
    ".pair-suggestions button": "a suggestion", ".symbol-table tbody a": "a symbol", ".correlation-map a": "a cell",
    ".scan-table tbody a": "a pair", "[data-part=symbols] a": "a feed",
};
const CONTROLS = "select, input, textarea, button, summary, a[href], [data-part=frame]";
const EVENTS = { INPUT: "change input", TEXTAREA: "change input", SELECT: "change", DIV: "keydown" };
const nameOf = (node) => {
    const made = Object.keys(MADE).find((each) => node.matches(each));
    const { name, value, type, dataset } = node;
    const own = ["radio", "checkbox"].includes(type) ? `${name}=${value}` : name;
    return (made && MADE[made]) || own || dataset.part || dataset.act || node.parentElement.dataset.column
        || node.getAttribute("href") || node.getAttribute("aria-label") || node.textContent.trim();
};
const keyOf = (node) => {
    const isShared = node.closest("header, footer, .api-notice, .skip-link");
    const chart = node.closest("[data-chart]")?.dataset.chart;
    return [isShared ? "every page" : location.pathname, chart, nameOf(node)].filter(Boolean).join(" ");
};
"""
LISTEN = (
    NAMES
    + """
for (const type of ["click", "change", "input", "keydown"]) {
    addEventListener(type, ({ target }) => {
        const node = target.closest?.(CONTROLS);
        if (node && (EVENTS[node.tagName] ?? "click").split(" ").includes(type)) noteUse(keyOf(node));
    }, true);
}
"""
)
SERVED = (
    """async () => {"""
    + NAMES
    + """
    const served = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
    return [...served.querySelectorAll(CONTROLS)].map(keyOf);
}"""
)
MADE = {
    "/pairs/ a suggestion", "/symbols/ a symbol", "/symbols/ a cell", "/symbols/ a pair", "/system/ a feed",
    "/alerts/ edit", "/alerts/ test", "/alerts/ silence", "/alerts/ Kind of channel", "/alerts/ Remove this channel",
    "/alerts/ Address, topic, chat or URL", "/alerts/ =fired", "/alerts/ =resolved", "/alerts/ =no_data",
    "/alerts/ =correction",
}  # fmt: skip


class Controls:
    """What was used on any page that was watched."""

    def __init__(self) -> None:
        self.used: set[str] = set()

    def watch(self, page: Page) -> None:
        page.expose_function("noteUse", self._note)
        page.add_init_script(f"{{ {LISTEN} }}")

    def _note(self, control: str) -> None:
        self.used.add(control)


def served(page: Page) -> set[str]:
    """The controls that the page has before its script has run."""
    return set(page.evaluate(SERVED))
