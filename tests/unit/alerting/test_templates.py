"""Messages that users write: what they may say, and what they cannot do."""

from __future__ import annotations

import time

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from jinja2 import TemplateError

from quant.alerting.templates import MAX_OUTPUT, render

VALUES = {"name": "N", "value": 1234.5, "threshold": 1000.0, "time": 1_795_348_800_000, "nothing": None}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ name }} at {{ value }}", "N at 1234.5"),
        ("{{ value|number }}", "1,234.50"),
        ("{{ value|number(0) }}", "1,234"),
        ("{{ nothing|number }}", "-"),
        ("{{ time|time }}", "2026-11-22 12:00:00 UTC"),
        ("{{ 'time'|time }}", "-"),
        ("{% if value > threshold %}up{% else %}down{% endif %}", "up"),
        ("{{ 'up' if value > threshold else 'down' }}", "up"),
        ("{{ (value - threshold) / threshold * 100 }} %", "23.45 %"),
        ("{{ (value / 7)|round(2) }}", "176.36"),
        ("{{ nothing|default('none') }}", "none"),
        ("{{ name ~ '!' }}", "N!"),
        ("{{ name|lower }}{{ name|upper }}", "nN"),
        ("{{ value is number and not (value is none) }}", "True"),
        ("a\u0000b\u202ec\nd", "abc\nd"),
    ],
)
def test_a_message_may_say(source: str, expected: str) -> None:
    assert render(source, VALUES) == expected


ATTACKS = (
    "{% for i in range(10**9) %}x{% endfor %}",
    "{{ range(10**9)|list }}",
    "{{ 'a' * 1000000000 }}",
    "{{ 1000000000 * 'a' }}",
    "{{ ('a' * 100000) * 100000 }}",
    "{{ name * 1000000000 }}",
    "{{ 9 ** 9 ** 9 ** 9 }}",
    "{{ value % 0 }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%1000000000d'|format(1) }}",
    "{{ name|center(1000000000) }}",
    "{{ name.ljust(1000000000) }}",
    "{{ name|replace('N', 'NN')|replace('N', 'NN') }}",
    "{% set a = name ~ name %}{{ a }}",
    "{{ name.__class__.__mro__ }}",
    "{{ name['__class__'] }}",
    "{{ name|attr('__class__') }}",
    "{{ self }}",
    "{{ lipsum() }}",
    "{{ cycler }}",
    "{{ namespace() }}",
    "{% include 'message.txt.j2' %}",
    "{% extends 'message.txt.j2' %}",
    "{% import 'os' as os %}",
    "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
    "{% block a %}{% endblock %}",
    "{% filter upper %}x{% endfilter %}",
    "{{ [1] * 1000000000 }}",
    "{{ {1: 2} }}",
    "{{ caller() }}",
    "{{ " + "(" * 900 + "1" + ")" * 900 + " }}",
    "{{ " + "-" * 1_900 + "1 }}",
    "{{ " + "not " * 480 + "1 }}",
    "{% if 1 %}" * 60 + "{% endif %}" * 60,
    "{{ " + "9" * 900 + " * " + "9" * 900 + " }}",
    "{{ 1 / 0 }}",
    "{{ unknown }}",
    "{{ unknown|number }}",
    "{{ name",
    "{% nonsense %}",
    "{{ value|number('x') }}",
    "{{ value|number(1e400) }}",
    "{{ name|abs }}",
    "x" * 2_001,
    "   ",
    "{# nothing #}",
)


@pytest.mark.parametrize("source", ATTACKS)
def test_what_a_message_cannot_do_ends_at_once(source: str) -> None:
    began = time.process_time()
    with pytest.raises(TemplateError):
        render(source, VALUES)
    assert time.process_time() - began < 0.5


TOKENS = (
    "{{", "}}", "{%", "%}", "{#", "#}", " ", "value", "name", "nothing", "self", "loop", "if", "else", "elif", "endif",
    "for", "in", "set", "and", "or", "not", "is", "none", "+", "-", "*", "/", "//", "**", "%", "~", "|", "number",
    "round", "time", "default", "(", ")", "[", "]", "{", "}", ".", ",", ":", "=", "==", "<", "'", '"', "\\", "\\N{x}",
    "\\ud800", "1", "0", "1e999", "1e308", "0x", "0b2", "1_0", "9" * 50, "é", "\u2028", "\n", "'a'", "raw",
    "endraw", "true",
)  # fmt: skip


@given(st.lists(st.sampled_from(TOKENS), max_size=25).map("".join))
@settings(max_examples=400)
def test_whatever_is_written_it_is_a_message_or_no_template(source: str) -> None:
    try:
        text = render(source, VALUES)
    except TemplateError:
        return
    assert 0 < len(text) <= MAX_OUTPUT


@given(st.lists(st.sampled_from(TOKENS[4:]), max_size=12).map(" ".join))
@settings(max_examples=400)
def test_whatever_is_calculated_it_is_a_message_or_no_template(inside: str) -> None:
    try:
        text = render("{{ " + inside + " }}", VALUES)
    except TemplateError:
        return
    assert 0 < len(text) <= MAX_OUTPUT


def test_the_longest_message_that_can_be_asked_for_is_bounded() -> None:
    text = render("{{ n }}" * 280, {"n": "x" * 200})
    assert len(text) == MAX_OUTPUT


def test_digits_are_bounded() -> None:
    assert len(render("{{ value|number(1000000) }}", {"value": 1e300})) < 450
    assert render("{{ value|round(999999999) }}", VALUES) == "1234.5"
