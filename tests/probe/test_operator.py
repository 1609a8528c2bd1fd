"""The operator at the terminal: which input counts as which answer."""

import io
import os
import time

import pytest

from probe.operator import Terminal

LINK = "https://login.microsoftonline.com/redeem?rd=x"


def terminal(typed: str) -> tuple[Terminal, io.StringIO]:
    out = io.StringIO()
    return Terminal(io.StringIO(typed), out, seconds=20), out


@pytest.mark.parametrize(
    ("typed", "agreed"), [("yes\n", True), ("YES \n", True), ("y\n", False), ("\n", False), ("", False)]
)
def test_only_yes_counts_as_consent(typed: str, agreed: bool) -> None:  # noqa: FBT001
    assert terminal(typed)[0].agree("Go on? ") is agreed


@pytest.mark.parametrize(
    ("typed", "opened"),
    [("a\n", "accepted"), ("r\n", "refused"), ("s\n", "nobody"), ("", "nobody"), ("what?\n\nR\n", "refused")],
)
def test_the_answer_about_a_link_is_accepted_refused_or_nobody(typed: str, opened: str) -> None:
    asked, out = terminal(typed)
    assert asked.open_link(LINK, "olga@fabrikam.com") == opened
    assert LINK in out.getvalue()
    assert "olga@fabrikam.com" in out.getvalue()


def test_answers_are_read_in_turn_and_after_the_end_of_input_are_nobody() -> None:
    asked, _ = terminal("yes\nr\na\n")
    assert asked.agree("Go on? ")
    assert [asked.open_link(LINK, "x") for _ in range(4)] == ["refused", "accepted", "nobody", "nobody"]


def test_no_answer_in_time_counts_as_nobody() -> None:
    read, write = os.pipe()
    begun = time.monotonic()
    with os.fdopen(read) as source, os.fdopen(write, "w"):
        asked = Terminal(source, io.StringIO(), seconds=0.05)
        assert asked.open_link(LINK, "x") == "nobody"
    assert time.monotonic() - begun < 10
