"""Runs: which members they handle, how they are cut into parts, and their messages on the queue."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2b.domain.campaign.filters import Filter
from b2b.domain.campaign.member import MemberStage
from b2b.domain.campaign.runs import (
    PART,
    Part,
    PartMessage,
    Run,
    RunKind,
    cut,
    filter_json,
    part_message,
    progress,
    takes,
)
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.findings import Severity, Verdict
from b2b.domain.request.message import incoming
from tests.unit.campaign.people import NOON, POLICY, finding, member

RUN = Run(campaign_id="spring", run_id="r", kind=RunKind.JUDGE, asked_at=NOON)
FILTERS = st.builds(
    Filter,
    st.none() | st.sampled_from(MemberStage),
    st.none() | st.sampled_from(Verdict),
    st.sampled_from(["", "directory-role"]),
    st.sampled_from(["", "fabrikam.com"]),
    st.none() | st.sampled_from(WaitReason),
    st.none() | st.timedeltas(timedelta(), timedelta(days=400)),
)
BLOCKED = finding("group-address", Severity.BLOCK)


@given(FILTERS)
def test_a_stored_filter_matches_the_same_members(wanted: Filter) -> None:
    people = [
        member(1),
        member(2, BLOCKED),
        member(3, finding("directory-role", Severity.REVIEW), address="a@fabrikam.com"),
    ]
    run = replace(RUN, wanted=filter_json(wanted))
    assert [takes(run, each, NOON) for each in people] == [wanted.takes(each, NOON) for each in people]


@pytest.mark.parametrize(
    ("kind", "seen_to"),
    [
        (RunKind.JUDGE, {"listed", "judged", "blocked", "failed"}),
        (RunKind.RELEASE, {"judged"}),
        (RunKind.END, {"listed", "judged", "requested", "inviting", "needsReview"}),
    ],
)
def test_a_run_handles_only_members_in_the_stages_listed_for_its_kind(kind: RunKind, seen_to: set[str]) -> None:
    run = replace(RUN, kind=kind)
    assert {stage.value for stage in MemberStage if takes(run, member(1, stage=stage), NOON)} == seen_to


def test_a_release_takes_ready_members_and_only_named_ones_if_any_are_named() -> None:
    run = replace(RUN, kind=RunKind.RELEASE)
    assert not takes(run, member(1, BLOCKED), NOON)
    named = replace(run, keys=(member(1).key,))
    assert (takes(named, member(1), NOON), takes(named, member(2), NOON)) == (True, False)


@given(st.integers(0, 4 * PART))
def test_the_parts_of_a_run_hold_every_member_once(count: int) -> None:
    keys = [f"{number:032x}" for number in range(count)]
    run, parts = cut(RUN, "first", keys)
    assert [key for part in parts for key in part.keys] == keys
    assert all(len(part.keys) <= PART for part in parts)
    assert (run.parts, run.members, progress(run, parts).finished) == (len(parts), count, count == 0)
    done = [replace(part, done=True, counts={"ready": len(part.keys)}) for part in parts]
    assert (progress(run, done).done, progress(run, done).finished) == (count, True)


def test_a_run_that_is_not_cut_yet_is_not_finished() -> None:
    assert not progress(RUN, []).finished
    assert progress(replace(RUN, plan="first", parts=1, members=1), [Part(0, ("k",))]).done == 0


@given(st.integers(-1, 9999), st.integers(0, 9))
def test_the_message_of_a_part_is_read_back_unchanged(number: int, returns: int) -> None:
    message = PartMessage("spring", "r", number, returns)
    assert incoming(message.message(), "m", POLICY) == message


@pytest.mark.parametrize(
    "body", [{"campaignId": "a/b", "runId": "r", "part": 0}, {"campaignId": "spring"}, "spring", {"campaignId": 1}]
)
def test_a_document_that_is_not_a_parts_message_is_rejected(body: object) -> None:
    assert part_message({"campaign": body}) is None
    assert part_message({"campaign": {"campaignId": "spring", "runId": "r", "part": 0}, "more": 1}) is None
