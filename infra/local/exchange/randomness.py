"""Random numbers that are a function of a name: the same key gives the same numbers in every process."""

from __future__ import annotations

import zlib

import numpy as np


def generator(*key: int | str) -> np.random.Generator:
    """A generator of its own for this key; whole numbers must not be negative."""
    words = [zlib.crc32(part.encode()) if isinstance(part, str) else part for part in key]
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(words)))
