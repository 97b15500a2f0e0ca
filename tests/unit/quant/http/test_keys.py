"""The API's tokens: rotation without a deployment, outages of their store, and what cursors are signed with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quant.domain.interval import MINUTE, SECOND
from quant.errors import UnauthorizedError, UnavailableError
from quant.http.keys import KEPT, KeyRing, parse_tokens


class Store:
    """SSM as a test has it."""

    def __init__(self, text: str) -> None:
        self.text, self.reads, self.is_away = text, 0, False

    def read(self) -> tuple[str, ...]:
        self.reads += 1
        if self.is_away:
            raise UnavailableError("read the secret", "no answer")
        return parse_tokens(self.text)


def test_a_token_is_replaced_without_a_moment_in_which_none_is_valid() -> None:
    store = Store("old")
    keys = KeyRing(store.read)
    keys.check("Bearer old", 0)
    store.text = "new,old"
    keys.check("Bearer old", KEPT)
    keys.check("Bearer new", KEPT)
    store.text = "new"
    keys.check("Bearer new", 2 * KEPT)
    with pytest.raises(UnauthorizedError):
        keys.check("Bearer old", 2 * KEPT)


def test_cursors_stay_valid_through_a_rotation_even_where_it_is_not_known_yet() -> None:
    early, late = Store("old"), Store("new,old")
    before, after = KeyRing(early.read), KeyRing(late.read)
    assert before.is_signed([b"x"], after.sign([b"x"], 0), 0)
    assert after.is_signed([b"x"], before.sign([b"x"], 0), 0)
    late.text = "new"
    assert after.is_signed([b"x"], KeyRing(Store("new,old").read).sign([b"x"], 0), 0) is True


def test_tokens_are_kept_for_a_minute_and_no_longer() -> None:
    store = Store("a")
    keys = KeyRing(store.read)
    for now in range(0, MINUTE, SECOND):
        keys.check("Bearer a", now)
    assert store.reads == 1
    keys.check("Bearer a", MINUTE)
    assert store.reads == 2


def test_known_tokens_outlive_a_short_outage_of_their_store_and_not_a_long_one() -> None:
    store = Store("a")
    keys = KeyRing(store.read)
    keys.check("Bearer a", 0)
    store.is_away = True
    keys.check("Bearer a", 9 * MINUTE)
    with pytest.raises(UnavailableError):
        keys.check("Bearer a", 10 * MINUTE)


def test_without_any_token_nobody_is_let_in() -> None:
    keys = KeyRing(lambda: ())
    for header in ("Bearer ", "Bearer x", "Bearer None", "bearer  ", ""):
        with pytest.raises(UnauthorizedError):
            keys.check(header, 0)


def test_at_most_two_tokens_are_valid() -> None:
    assert parse_tokens(" a , b ,c") == ("a", "b")
    assert parse_tokens(" , ") == ()


@given(st.text(), st.text(min_size=1))
def test_no_other_text_is_a_token(header: str, token: str) -> None:
    keys = KeyRing(lambda: ("the-token",))
    for text in (header, f"Bearer {token}", f"Basic {token}"):
        if text.partition(" ")[2].strip() != "the-token":
            with pytest.raises(UnauthorizedError):
                keys.check(text, 0)


@given(st.binary(), st.binary())
def test_a_signature_is_of_its_content(content: bytes, other: bytes) -> None:
    keys = KeyRing(lambda: ("a",))
    signature = keys.sign([content], 0)
    assert keys.is_signed([content], signature, 0)
    assert keys.is_signed([other], signature, 0) == (content == other)
    assert not KeyRing(lambda: ("b",)).is_signed([content], signature, 0)
