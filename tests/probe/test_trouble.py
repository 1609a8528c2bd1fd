"""The probe reports right positions or none from a tenant that lags, throttles and fails."""

from typing import Any

import httpx
import pytest

from probe.questions import Question
from rehearsal.tenant.faults.script import KINDS
from tests.probe.support import Lab, switched
from tests.probe.test_positions import SEEDS, name

LIES = ("no-effect", "status-error")
SAMPLE = [case for number, case in enumerate(switched()) if number % 3 == 0]
OTHER_SAMPLE = [case for number, case in enumerate(switched()) if number % 3 == 1]

ASKED = ("INV-12", "INV-26", "RED-05", "READ-10")
ROUTES = (("POST", "/users$"), ("POST", "/invitations"), ("PATCH", "/users/"), ("DELETE", ""), ("GET", "/users"))


def positions(lab: Lab, case: tuple[Question, str]) -> dict[str, Any]:
    found = lab.belief(case[0].id)
    assert lab.strangers() == []
    assert lab.noted() == []
    return found


def prepared(lab: Lab, case: tuple[Question, str]) -> None:
    question, position = case
    lab.start_over(SEEDS.get((question.id, position)), **{str(question.switch): position})


@pytest.mark.parametrize("case", switched(), ids=name)
def test_a_position_is_reported_while_replicas_lag(lab: Lab, case: tuple[Question, str]) -> None:
    for seed in (1, 2):
        prepared(lab, case)
        lab.control.set_lag(12, 40, seed=seed)
        assert lab.run(case[0].id) == 0, lab.person.said
        assert case[1] in positions(lab, case)["positions"]
    assert any(seconds > 0 for seconds in lab.result()["lag"].values()) or not lab.result()["lag"]


def test_the_position_comes_from_the_read_that_shows_the_redemption(lab: Lab) -> None:
    """A further read of the account could be answered by a replica that lags. With several of the 40 seeds it is."""
    (case,) = [case for case in switched() if (case[0].id, case[1]) == ("RED-03", "removed")]
    for seed in range(40):
        prepared(lab, case)
        lab.control.set_lag(12, 40, seed=seed)
        assert lab.run(case[0].id) == 0, lab.person.said
        assert positions(lab, case)["positions"] == ["removed"], seed


@pytest.mark.parametrize("case", SAMPLE, ids=name)
def test_a_position_is_reported_while_the_tenant_throttles(lab: Lab, case: tuple[Question, str]) -> None:
    prepared(lab, case)
    lab.control.set_throttling(factor=1 / 150, tier="S", grace=0)
    assert lab.run(case[0].id) == 0, lab.person.said
    assert case[1] in positions(lab, case)["positions"]
    assert [found for found in lab.control.violations() if found["kind"] == "early-retry"] == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in (*LIES, "slow")])
def test_no_single_fault_changes_a_reported_position(lab: Lab, kind: str) -> None:
    for when in KINDS[kind].whens:
        for nth in (1, 2):
            lab.start_over()
            routes = [
                ("POST", "/users$"),
                ("POST", "/invitations"),
                ("PATCH", "/users/"),
                ("DELETE", ""),
                ("GET", "/users"),
            ]
            lab.control.set_faults(
                [{"kind": kind, "when": when, "nth": nth, "method": m, "path": p} for m, p in routes]
            )
            assert lab.run("INV-12", "INV-26", "RED-05", "READ-10") == 0, (when, nth, lab.person.said)
            found = [lab.belief(identifier)["positions"] for identifier in ("INV-12", "INV-26", "RED-05", "READ-10")]
            assert found == [["current"], ["ignored"], ["dead"], ["ignored"]], (when, nth)
            assert lab.strangers() == []
            assert lab.control.violations() == []


@pytest.mark.parametrize("case", OTHER_SAMPLE, ids=name)
@pytest.mark.parametrize("lag", [(0, 0), (6, 15)], ids=["at once", "lagging"])
def test_lag_and_chaos_together_cause_no_wrong_position(
    lab: Lab, case: tuple[Question, str], lag: tuple[int, int]
) -> None:
    kinds = [kind for kind in KINDS if kind != "slow"]
    for seed in range(3):
        prepared(lab, case)
        lab.control.set_lag(*lag, seed=seed)
        lab.control.set_chaos(0.15, seed=seed, kinds=kinds)
        assert lab.run(case[0].id) in (0, 1), lab.person.said
        lab.control.set_chaos(0)
        if lab.noted():  # accounts that could not be removed are in the notes, and the next run removes them
            assert lab.run(clean=True) == 0
        found = positions(lab, case)
        assert found["ended"] != "seen" or case[1] in found["positions"], (seed, found, lab.person.said)


def test_lost_invitations_with_201_do_not_count_as_hidden_ones(lab: Lab) -> None:
    lab.control.set_faults([{"kind": "no-effect", "nth": nth} for nth in (1, 2)])
    assert lab.run("RED-01") == 0
    assert lab.belief("RED-01")["positions"] == ["pending-acceptance"]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("position", ["pending-acceptance", "unset"])
def test_an_invitation_is_not_reported_hidden_before_a_later_write_shows(lab: Lab, position: str, seed: int) -> None:
    lab.start_over(pending_state=position)
    lab.control.set_lag(2400, 2400, seed=seed)
    lab.run("RED-01", patience=6000)
    found = lab.belief("RED-01")
    assert found.get("positions", [position]) == [position]


def test_an_invitation_is_not_reported_hidden_within_a_minute(lab: Lab) -> None:
    """The invitation service may write to the directory later than other writes arrive there."""
    tenant = lab.app.state.tenant
    lab.control.set_faults([{"kind": "no-effect"}])
    invited: dict[str, float] = {}

    def take_effect(_: int) -> None:
        for user_id, due in invited.items():
            user = tenant.directory.users.get(user_id)
            if user and user["externalUserState"] is None and tenant.clock.seconds() >= due:
                tenant.directory.update_user(user_id, {"externalUserState": "PendingAcceptance"})

    def note(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.url.path.endswith("/invitations"):
            invited.setdefault(response.json()["invitedUser"]["id"], tenant.clock.seconds() + 50)
        return response

    lab.wire.before, lab.wire.answer = take_effect, note
    assert lab.run("RED-01") == 0
    assert lab.belief("RED-01")["positions"] == ["pending-acceptance"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_invitation_with_status_error_in_a_201_is_retried(lab: Lab, when: str) -> None:
    lab.control.set_faults([{"kind": "status-error", "when": when, "nth": 1}])
    assert lab.run("INV-01") == 0
    assert lab.belief("INV-01")["answer"]["shape"]["status"] == "PendingAcceptance"
    lab.control.set_faults([{"kind": "status-error", "when": when}])
    assert lab.run("INV-01") == 1
    assert lab.belief("INV-01")["ended"] == "unclear"
    assert lab.strangers() == []


def test_a_missing_result_counts_only_between_results_of_the_exact_filter(lab: Lab) -> None:
    """An up-to-date replica answers the exact filter and a lagging one the others, eight times in a row."""
    asked = 0

    def take_turns(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        nonlocal asked
        condition = request.url.params.get("$filter", "")
        if not condition.lower().startswith("mail eq 'b2b-probe-"):
            return response
        asked += 1
        stale = asked <= 24 and asked % 3 != 1
        return httpx.Response(200, json={"value": []}) if stale else response

    lab.wire.answer = take_turns
    assert lab.run("READ-10") == 0
    assert lab.belief("READ-10")["positions"] == ["ignored"]
    assert asked > 24


def test_one_batch_in_order_does_not_prove_an_order(lab: Lab) -> None:
    batches = 0

    def in_order_at_first(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        nonlocal batches
        if not request.url.path.endswith("$batch"):
            return response
        batches += 1
        parts = response.json()["responses"]
        return httpx.Response(200, json={"responses": parts[::-1] if batches < 3 else parts})

    lab.wire.answer = in_order_at_first
    assert lab.run("BATCH-04") == 0
    assert (lab.belief("BATCH-04")["positions"], batches) == (["reversed"], 3)


def test_throttling_and_lag_are_measured(lab: Lab) -> None:
    lab.control.set_lag(9, 30, seed=3)
    lab.control.set_faults([{"kind": "429-fraction", "nth": 1, "method": "POST"}])
    assert lab.run("RED-01", "READ-10") == 0
    measured = lab.result()
    assert set(measured["lag"]) == {"newAccount", "invitation", "list"}
    assert (measured["throttling"]["refused"], measured["throttling"]["retryAfter"]) == (1, ["2.128"])


def test_the_lag_of_a_list_is_measured(lab: Lab) -> None:
    """A list may come from a replica that already has the account, but at least one of ten lists does not."""
    lab.control.set_lag(9, 30, seed=3)
    found = []
    for _ in range(10):
        assert lab.run("READ-10") == 0
        found.append(lab.result()["lag"]["list"])
        lab.control.advance(60)  # so that no replica shows the removed accounts of this run any more
    assert 0 < max(found) <= 60
