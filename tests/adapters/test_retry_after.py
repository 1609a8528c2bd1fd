"""Retry-After, which Graph sends in whole seconds, with a fraction, or as a date."""

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from b2b.adapters.graph import retry_after
from tests.adapters.graph_support import NOON


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("0.3", 0.3),
        (" 5 ", 5.0),
        ("-1", 0.0),
        ("Mon, 04 May 2026 12:00:30 GMT", 30.0),
        ("Monday, 04-May-26 12:00:30 GMT", 30.0),
        ("Mon, 04 May 2026 14:00:30 +0200", 30.0),
        ("Mon, 04 May 2026 11:59:59 GMT", 0.0),
        ("Mon, 04 May 2026 12:00:30 -0000", 30.0),
        ("Mon May  4 12:00:30 2026", 30.0),
        ("", None),
        ("soon", None),
        ("1,5", None),
        ("4 seconds", None),
    ],
)
def test_retry_after_is_read_as_seconds_from_now(text: str, seconds: float | None) -> None:
    assert retry_after(text, NOON) == seconds


@given(st.text() | st.floats().map(str) | st.datetimes().map("{:%a, %d %b %Y %H:%M:%S} +9999".format))
@example("inf")
@example("nan")
@example("1e400")
@example("1000000000000")
def test_any_header_gives_a_representable_wait_or_none(text: str) -> None:
    seconds = retry_after(text, NOON)
    assert seconds is None or NOON + timedelta(seconds=seconds) >= NOON
