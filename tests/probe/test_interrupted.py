"""The next run removes everything that a run leaves behind if it is killed or interrupted at any call."""

import pytest

from probe.questions import QUESTIONS
from probe.run import INTERRUPTED, Options
from tests.probe.support import Lab

ASKED = {question.id: question for question in QUESTIONS}
CONTROL = "INV-01"
REMOVAL = 2
"""How many calls remove one account."""
LAG = (8.0, 20.0)
"""Seconds by which reads by id and lists may lag."""


def calls_of(lab: Lab, options: Options) -> int:
    lab.start_over()
    assert lab.perform(options) == 0, lab.person.said
    return lab.wire.sent


@pytest.mark.parametrize("identifier", ASKED)
def test_after_a_kill_at_any_call_a_cleanup_run_removes_everything(lab: Lab, identifier: str) -> None:
    options = lab.options(identifier)
    # The calls before a question's own are the same for all questions; the case INV-01 kills the run at each of them.
    first = calls_of(lab, lab.options(CONTROL)) - REMOVAL if ASKED[identifier].control else 1
    for number in range(first, calls_of(lab, options) + 1):
        for behind in (False, True):
            lab.start_over()
            lab.killed(options, number, behind=behind)
            left = lab.strangers()
            assert len(lab.noted()) >= len(left), (number, behind, "an account without a line in the notes")
            assert lab.run(identifier, clean=True) == 0, (number, behind, lab.person.said)
            assert (lab.strangers(), lab.noted()) == ([], []), (number, behind)


@pytest.mark.parametrize("identifier", ["INV-26", "RED-05", "READ-17"])
def test_after_a_kill_with_lag_an_ordinary_run_removes_everything(lab: Lab, identifier: str) -> None:
    options = lab.options(identifier)
    for number in range(2, calls_of(lab, options) + 1, 3):
        lab.start_over()
        lab.control.set_lag(*LAG, seed=number)
        lab.killed(options, number, behind=True)
        lab.control.advance(
            3600
        )  # the probe does not remove a new unknown account, because it may belong to another probe
        assert lab.perform(options) == 0, (number, lab.person.said)
        assert (lab.strangers(), lab.noted()) == ([], []), number


@pytest.mark.parametrize("identifier", ["INV-26", "READ-17"])
def test_after_a_kill_with_lag_a_cleanup_run_removes_accounts_not_visible_yet(lab: Lab, identifier: str) -> None:
    options = lab.options(identifier)
    for number in range(1, calls_of(lab, options) + 1, 2):
        lab.start_over()
        lab.control.set_lag(*LAG, seed=number)
        lab.killed(options, number, behind=True)
        assert lab.run(identifier, clean=True) == 0, (number, lab.person.said)
        assert (lab.strangers(), lab.noted()) == ([], []), number


def test_after_a_kill_of_a_whole_run_a_cleanup_run_removes_everything(lab: Lab) -> None:
    options = lab.options()
    for number in range(5, calls_of(lab, options) + 1, 15):
        lab.start_over()
        lab.killed(options, number, behind=True)
        assert lab.run(clean=True) == 0
        assert (lab.strangers(), lab.noted()) == ([], []), number


def test_without_notes_a_cleanup_run_finds_leftovers_by_their_marks(lab: Lab) -> None:
    options = lab.options("INV-25")
    for number in range(1, calls_of(lab, options) + 1):
        lab.start_over()
        lab.killed(options, number, behind=True)
        for path in options.folder.glob("*.json"):
            path.unlink()
        assert lab.run("INV-25", clean=True) == 0
        assert lab.strangers() == [], number


@pytest.mark.parametrize("identifier", ["INV-13", "INV-26", "INV-31", "RED-07", "FACT-10"])
def test_ctrl_c_at_any_call_removes_everything_in_the_same_run(lab: Lab, identifier: str) -> None:
    options = lab.options(identifier)
    for number in range(1, calls_of(lab, options) + 1):
        lab.start_over()
        assert lab.interrupted(options, number) == INTERRUPTED, number
        assert (lab.strangers(), lab.noted()) == ([], []), number
        assert any(line.startswith("Interrupted") for line in lab.person.said)
