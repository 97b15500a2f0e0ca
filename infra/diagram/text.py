"""How wide a text is in Arial, so that the layout knows what fits before anything is drawn.

The widths are those of Arial, Helvetica and Liberation Sans alike, which is why the picture looks the same on every
machine that has one of them.
"""

from __future__ import annotations

LINE_HEIGHT = 1.2
"""Of draw.io, in font sizes."""

# Thousandths of the font size, from the space to the tilde.
_REGULAR = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
)  # fmt: skip
_BOLD = (
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611,
    556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389,
    280, 389, 584,
)  # fmt: skip
# The few others that the picture uses.
_OTHERS = {"·": 278, "–": 556, "•": 350, "×": 584, "≥": 549, "≤": 549}  # noqa: RUF001


def width(text: str, size: float, bold: bool = False) -> float:
    """Of the longest line, in the unit of ``size``.

    Raises:
        KeyError: a character has no known width.
    """
    return max(sum(_advance(letter, bold) for letter in line) for line in text.split("\n")) * size / 1000


SAMPLE = "functions/quant/storage · ResampleFunction MWil"


def is_metric(measured: float, size: float, bold: bool) -> bool:
    """Whether a font in which SAMPLE is so wide has the widths that are known here."""
    return abs(measured / width(SAMPLE, size, bold) - 1) < 0.01


def height(text: str, size: float) -> float:
    """Of all lines."""
    return (text.count("\n") + 1) * size * LINE_HEIGHT


def wrapped(text: str, size: float, room: float, bold: bool = False) -> str:
    """The words of ``text`` in lines that are at most ``room`` wide.

    Raises:
        ValueError: a word is wider than that.
    """
    lines = [""]
    for word in text.split():
        if width(word, size, bold) > room:
            raise ValueError(f"{word!r} is wider than {room:g}")
        longer = f"{lines[-1]} {word}".strip()
        if width(longer, size, bold) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)


def _advance(letter: str, bold: bool) -> int:
    if letter in _OTHERS:
        return _OTHERS[letter]
    if not " " <= letter <= "~":
        raise KeyError(
            f"the width of {letter!r} is not known; use another character or add it to infra/diagram/text.py"
        )
    return (_BOLD if bold else _REGULAR)[ord(letter) - 32]
