"""The two small pages behind a mail's silence link. They need no script and load nothing."""

from __future__ import annotations

from html import escape

from quant.alerting.messages import subject_of
from quant.alerting.templates import moment
from quant.domain.alert import Rule
from quant.http.answers import Answer

HOURS = (1, 4, 24, 168)
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_STYLE = """
:root{color-scheme:light dark;--line:#8884}
body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem}
h1{font-size:1.25rem;margin:0 0 .5rem}
form{display:inline-block;margin:.5rem .5rem 0 0}
button{font:inherit;padding:.5rem 1rem;border:1px solid var(--line);border-radius:6px;background:none;
color:inherit;cursor:pointer}
button:hover,button:focus-visible{border-color:currentColor}
"""


def asking(rule: Rule, token: str, now: int) -> Answer:
    """The page that asks; each button is a POST of its own."""
    forms = "".join(
        f'<form method="post" action="silence?token={escape(token, quote=True)}&amp;hours={hours}">'
        f"<button>{_words(hours)}</button></form>"
        for hours in HOURS
    )
    silent = f"<p>It is silent until {moment(rule.silenced_until)}.</p>" if rule.silenced_until > now else ""
    return _page(
        f"Silence “{escape(rule.name)}”?",
        f"<p>{escape(rule.metric)} of {escape(subject_of(rule))}. What happens is still recorded; nothing is sent for"
        f"</p>{silent}{forms}",
    )


def silenced(rule: Rule) -> Answer:
    """What the button did."""
    return _page(
        f"“{escape(rule.name)}” is silent",
        f"<p>Nothing is sent until {moment(rule.silenced_until)}. The dashboard's Alerts page ends it earlier.</p>",
    )


def _words(hours: int) -> str:
    return "a week" if hours == 168 else "a day" if hours == 24 else "an hour" if hours == 1 else f"{hours} hours"


def _page(title: str, body: str) -> Answer:
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width,initial-scale=1"><title>{title}</title><style>{_STYLE}</style></head>'
        f"<body><main><h1>{title}</h1>{body}</main></body></html>"
    )
    return Answer(html.encode(), "text/html; charset=utf-8", headers=dict(_HEADERS))
