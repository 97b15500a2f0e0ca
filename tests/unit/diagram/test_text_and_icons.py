"""Widths of texts, and icons as draw.io reads them."""

from __future__ import annotations

import base64
import xml.etree.ElementTree as ET
import zlib
from urllib.parse import unquote

import pytest

from infra.diagram.canvas import DoesNotFitError, Rect, along, check_fit
from infra.diagram.icons import stencil
from infra.diagram.text import SAMPLE, height, is_metric, width, wrapped


def test_a_text_is_as_wide_as_its_letters() -> None:
    """Of Arial's own metrics: i 222, W 944, space 278 thousandths of the size."""
    assert width("iW i", 10) == pytest.approx(2.22 + 9.44 + 2.78 + 2.22)
    assert width("i\nWW", 10) == pytest.approx(18.88)
    assert width("i", 10, bold=True) == pytest.approx(2.78)
    assert height("one\ntwo", 10) == pytest.approx(24)


def test_a_letter_of_unknown_width_is_refused() -> None:
    with pytest.raises(KeyError, match="use another character"):
        width("→", 10)


def test_a_font_of_other_widths_is_told() -> None:
    """DejaVu Sans, which stands in for Arial where neither it nor Liberation Sans is installed, is a tenth wider."""
    assert is_metric(width(SAMPLE, 100), 100, bold=False)
    assert not is_metric(1.1 * width(SAMPLE, 100), 100, bold=False)
    assert not is_metric(width(SAMPLE, 100), 100, bold=True)


def test_words_are_wrapped_where_they_fit() -> None:
    # "aa" is 11.12 wide and a space 2.78: two words need 25.02.
    assert wrapped("aa aa aa", 10, 25.1) == "aa aa\naa"
    assert wrapped("aa aa aa", 10, 24.9) == "aa\naa\naa"
    with pytest.raises(ValueError, match="wider than 5"):
        wrapped("aa", 10, 5)


def test_a_text_that_would_be_cut_is_refused() -> None:
    check_fit("one", "aa", Rect(0, 0, 11.2, 12), 10)
    with pytest.raises(DoesNotFitError, match="one: 'aa'"):
        check_fit("one", "aa", Rect(0, 0, 11, 12), 10)
    with pytest.raises(DoesNotFitError, match="printed at 9 units"):
        check_fit("one", "aa", Rect(0, 0, 100, 100), 9)


def test_a_point_along_a_bent_line() -> None:
    line = ((0.0, 0.0), (10.0, 0.0), (10.0, 30.0))
    assert [along(line, share) for share in (0, 0.25, 0.5, 1)] == [(0, 0), (10, 0), (10, 10), (10, 30)]


@pytest.mark.parametrize("name", ["gear", "database", "server", "monitor", "clock", "bell", "chart", "globe"])
def test_an_icon_is_a_stencil_that_draw_io_can_unpack(name: str) -> None:
    packed = stencil(name).removeprefix("stencil(").removesuffix(")")
    drawing = ET.fromstring(unquote(zlib.decompress(base64.b64decode(packed), -15).decode()))
    assert drawing.tag == "shape"
    assert len(list(drawing.iter("stroke"))) >= 1
