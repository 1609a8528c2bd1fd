"""The probe reports the right position for every position of every switch that it asks about."""

import pytest

from probe.questions import QUESTIONS, Question
from rehearsal.tenant.switches import TABLE
from tests.probe.support import RESTRICTED, Lab, switched

CASES = switched()
SEEDS = {("INV-15", "accepted"): RESTRICTED, ("INV-15", "refused"): RESTRICTED, ("INV-16", "always"): RESTRICTED}


def name(case: tuple[Question, str]) -> str:
    return f"{case[0].id}-{case[1]}"


def test_the_positions_of_a_question_are_those_of_its_switch() -> None:
    asked = {question.switch: set(question.positions) for question in QUESTIONS if question.switch}
    assert asked == {switch: set(TABLE[switch].positions) for switch in asked}
    assert len({question.id for question in QUESTIONS}) == len(QUESTIONS)


@pytest.mark.parametrize("case", CASES, ids=name)
def test_every_position_of_a_switch_is_reported(lab: Lab, case: tuple[Question, str]) -> None:
    question, position = case
    lab.start_over(SEEDS.get((question.id, position)), **{str(question.switch): position})
    assert lab.run(question.id) == 0, lab.person.said
    found = lab.belief(question.id)
    assert position in found["positions"], found
    # An unrestricted tenant cannot tell `unless-restricted` from `always`.
    assert len(found["positions"]) == 1 or case == (question, "unless-restricted")
    assert lab.strangers() == []


def test_two_runs_with_different_settings_settle_the_position(lab: Lab) -> None:
    fitting = []
    for seed in (None, RESTRICTED):
        lab.start_over(seed)
        assert lab.run("INV-16") == 0
        fitting.append(set(lab.belief("INV-16")["positions"]))
    assert set.intersection(*fitting) == {"unless-restricted"}


@pytest.mark.parametrize(("position", "shows"), [("pending-acceptance", "shows"), ("unset", "does not show")])
def test_the_result_states_whether_pending_invitations_show(lab: Lab, position: str, shows: str) -> None:
    lab.start_over(pending_state=position)
    assert lab.run("RED-01") == 0
    assert lab.result()["showsPendingInvitations"] == {"cloud": shows, "synced": "unknown"}
    assert lab.run("INV-01") == 0
    assert lab.result()["showsPendingInvitations"] == {"cloud": "unknown", "synced": "unknown"}


@pytest.mark.parametrize("position", ["pending-acceptance", "unset"])
def test_all_questions_about_links_share_one_account_and_two_links(lab: Lab, position: str) -> None:
    lab.start_over(pending_state=position)
    assert lab.run("RED-01", "RED-03", "RED-04", "RED-05", "RED-06", "RED-07") in (0, 1)
    assert [opened for _, opened in lab.person.opened] == ["refused", "accepted"]
    assert len({change["id"] for change in lab.control.changes() if change["kind"] == "add"}) == 1


def test_a_whole_run_asks_every_question_and_leaves_nothing_behind(lab: Lab) -> None:
    assert lab.run() == 0, lab.person.said
    ended = {found["id"]: found["ended"] for found in lab.result()["beliefs"]}
    assert {identifier for identifier, end in ended.items() if end != "seen"} == {"INV-15"}
    assert list(ended) == [question.id for question in QUESTIONS]
    assert lab.strangers() == []
    assert [mail["address"] for mail in lab.control.mails()] == []
    assert lab.control.violations() == []


@pytest.mark.parametrize("unlucky", ["INV-01", "INV-06", "RED-05"])
def test_if_an_ordinary_account_is_refused_too_nothing_is_concluded(lab: Lab, unlucky: str) -> None:
    lab.start_over(SEEDS["INV-15", "refused"], admins_only_invitations="refused")
    assert lab.run(unlucky) == 0
    found = lab.belief(unlucky)
    if unlucky == "INV-01":
        assert (found["positions"], found["answer"]["status"]) == (["fails"], 403)
    else:
        assert (found["ended"], "even an ordinary account is refused (403 Forbidden)" in found["reason"]) == (
            "skipped",
            True,
        )
