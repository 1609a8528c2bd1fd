"""Comparing a list with the members of its campaign, and the way of a member from the list to its request."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2b.domain.campaign.incoming import Known, Outcome, Plan, member_of, plan
from b2b.domain.campaign.member import (
    Member,
    MemberStage,
    judged,
    request_of,
    twice,
)
from b2b.domain.campaign.records import ImportState, ListImport, begun
from b2b.domain.campaign.released import (
    asked_again,
    asked_for,
    put_back,
    released,
    request_id_of,
    showing,
    shows,
    unwritten,
)
from b2b.domain.conversion.records import Source
from b2b.domain.conversion.stages import Stage
from b2b.domain.findings import Severity, Verdict
from b2b.domain.request.ids import REQUEST_ID
from b2b.domain.request.record import RequestRecord
from tests.unit.campaign.people import IDS, NOON, assessment, finding, member, reading

FIRST = ListImport(campaign_id="spring", import_id="first", started_at=NOON)
SECOND = replace(FIRST, import_id="second")
LIST = "upn,address,ref\na@contoso.com,a@fabrikam.com,1\nb@contoso.com,b@fabrikam.com,2\n"


def known(row: Member) -> Known:
    names = frozenset(row.names)
    return Known(row.key, names, row.address, row.content, row.import_id, row.stage, row.replaced)


def stored(found: Plan, imported: ListImport, *before: Member) -> list[Member]:
    """Return the members after a plan has been carried out."""
    rows = {each.key: each for each in before}
    for row in found.rows:
        if not row.stored:
            rows[row.key] = member_of(row, rows.get(row.key), imported, NOON)
    return list(rows.values())


def planned(text: str, imported: ListImport, *members: Member) -> Plan:
    return plan(reading(text), [known(each) for each in members], imported)


def outcomes(found: Plan) -> list[Outcome]:
    return [row.outcome for row in found.rows]


def test_rows_are_new_at_first_and_unchanged_when_sent_again() -> None:
    first = planned(LIST, FIRST)
    assert outcomes(first) == [Outcome.TAKEN, Outcome.TAKEN]
    members = stored(first, FIRST)
    again = planned(LIST, replace(FIRST, state=ImportState.FINISHED), *members)
    assert outcomes(again) == [Outcome.UNCHANGED, Outcome.UNCHANGED]
    assert all(row.stored for row in again.rows)


@given(st.integers(0, 2))
def test_a_resent_list_gets_the_answer_of_an_uninterrupted_import(written: int) -> None:
    members = stored(planned(LIST, FIRST), FIRST)[:written]
    again = planned(LIST, FIRST, *members)
    assert outcomes(again) == [Outcome.TAKEN, Outcome.TAKEN]
    assert sorted(each.key for each in stored(again, FIRST, *members)) == sorted(
        each.key for each in stored(planned(LIST, FIRST), FIRST)
    )


def test_a_resent_list_still_reports_changed_rows_as_changed() -> None:
    members = stored(planned(LIST, FIRST), FIRST)
    corrected = LIST.replace("a@fabrikam.com", "anna@fabrikam.com")
    found = planned(corrected, SECOND, *members)
    assert outcomes(found) == [Outcome.CHANGED, Outcome.UNCHANGED]
    assert outcomes(planned(corrected, SECOND, *stored(found, SECOND, *members))) == [
        Outcome.CHANGED,
        Outcome.UNCHANGED,
    ]


def test_a_changed_row_discards_the_verdict_of_its_member() -> None:
    (first, *_) = stored(planned(LIST, FIRST), FIRST)
    first = judged(first, assessment(), "a@fabrikam.com")
    found = planned("upn,address\na@contoso.com,anna@fabrikam.com\n", SECOND, first)
    (changed,) = stored(found, SECOND, first)
    assert (changed.stage, changed.verdict, changed.judged_as, changed.key) == (MemberStage.LISTED, None, "", first.key)


@pytest.mark.parametrize("stage", [stage for stage in MemberStage if not stage.listed_again])
def test_a_row_that_would_change_a_released_member_is_refused(stage: MemberStage) -> None:
    (first, *_) = stored(planned(LIST, FIRST), FIRST)
    found = planned("upn,ref\na@contoso.com,9\n", SECOND, replace(first, stage=stage))
    assert found.rows == ()
    assert [fault.code for fault in found.faults] == ["MemberReleased"]


def test_a_row_finds_its_member_by_any_of_the_members_names() -> None:
    (first, *_) = stored(planned(LIST, FIRST), FIRST)
    first = judged(first, assessment(user_id=IDS[1], user_principal_name="a@contoso.com"), "")
    found = planned(f"id,address,ref\n{IDS[1]},a@fabrikam.com,1\n", SECOND, first)
    assert [row.key for row in found.rows] == [first.key]


def test_a_row_with_the_address_of_another_member_is_refused() -> None:
    members = stored(planned(LIST, FIRST), FIRST)
    found = planned("upn,address\nc@contoso.com,A@fabrikam.com\n", SECOND, *members)
    assert [(fault.line, fault.column, fault.code) for fault in found.faults] == [(2, "address", "DuplicateAddress")]


def test_rows_may_swap_addresses_or_take_one_that_another_row_gives_up() -> None:
    members = stored(planned(LIST, FIRST), FIRST)
    swapped = "upn,address\na@contoso.com,b@fabrikam.com\nb@contoso.com,a@fabrikam.com\n"
    found = planned(swapped, SECOND, *members)
    assert (outcomes(found), found.faults) == ([Outcome.CHANGED, Outcome.CHANGED], ())
    moved = "upn,address\nc@contoso.com,a@fabrikam.com\na@contoso.com,c@fabrikam.com\n"
    found = planned(moved, SECOND, *members)
    assert (outcomes(found), found.faults) == ([Outcome.TAKEN, Outcome.CHANGED], ())


def test_an_address_is_not_free_if_its_holders_row_is_refused() -> None:
    """Row 1 wants the address of row 2, and row 2 that of row 3, whose member is released and keeps its address."""
    text = "upn,address\n" + "".join(f"{name}@contoso.com,{name}@fabrikam.com\n" for name in "abc")
    first, second, third = stored(planned(text, FIRST), FIRST)
    wanted = "upn,address\na@contoso.com,b@fabrikam.com\nb@contoso.com,c@fabrikam.com\nc@contoso.com,d@fabrikam.com\n"
    found = planned(wanted, SECOND, first, second, replace(third, stage=MemberStage.INVITED))
    assert [(fault.line, fault.code) for fault in found.faults] == [
        *((2, "DuplicateAddress"), (3, "DuplicateAddress"), (4, "MemberReleased"))
    ]


def test_a_cancelled_member_holds_no_address() -> None:
    (first, *_) = stored(planned(LIST, FIRST), FIRST)
    cancelled = replace(first, stage=MemberStage.CANCELLED)
    found = planned("upn,address\nc@contoso.com,a@fabrikam.com\n", SECOND, cancelled)
    assert (outcomes(found), found.faults) == ([Outcome.TAKEN], ())
    both = [cancelled, *stored(found, SECOND)]
    again = planned("upn,address,ref\na@contoso.com,a@fabrikam.com,1\n", SECOND, *both)
    assert outcomes(again) == [Outcome.UNCHANGED], "what was cancelled stays cancelled, and takes nothing from anybody"
    back = planned("upn,address,ref\na@contoso.com,a@fabrikam.com,7\n", SECOND, *both)
    assert [fault.code for fault in back.faults] == ["DuplicateAddress"]


def test_a_row_that_names_two_members_is_refused() -> None:
    members = stored(planned(f"id,upn\n{IDS[1]},\n,b@contoso.com\n", FIRST), FIRST)
    found = planned(f"id,upn\n{IDS[1]},b@contoso.com\n", SECOND, *members)
    assert [fault.code for fault in found.faults] == ["DuplicatePerson"]


def test_two_rows_judged_to_be_one_account_stay_unchanged_when_sent_again() -> None:
    text = f"id,mail,ref\n{IDS[0]},,1\n,a@fabrikam.com,2\n"
    members = stored(planned(text, FIRST), FIRST)
    account = f"id={IDS[0].lower()}"
    found = [replace(each, names=tuple({*each.names, account})) for each in members]
    for some in (found, found[::-1]):
        again = planned(text, SECOND, *some)
        assert [(row.outcome, row.key) for row in again.rows] == [(Outcome.UNCHANGED, each.key) for each in members]


def test_a_name_that_a_member_no_longer_has_creates_a_new_member() -> None:
    (first,) = stored(planned("upn\na@contoso.com\n", FIRST), FIRST)
    renamed = replace(first, names=(f"id={IDS[1]}",))
    found = planned("upn\na@contoso.com\n", SECOND, renamed)
    assert len(stored(found, SECOND, renamed)) == 2


def test_the_same_bytes_with_other_reading_options_are_another_import() -> None:
    ids = {begun("spring", raw, told, NOON).import_id for raw in (b"a", b"b") for told in ("", "x")}
    assert len(ids) == 4


def test_values_in_a_row_override_the_defaults_of_the_campaign() -> None:
    (row,) = stored(planned("upn,language\na@contoso.com,de\n", FIRST), FIRST)
    cc = '"ccRecipients":[{"emailAddress":{"address":"boss@contoso.com"}}]'
    defaults = b'{"sendInvitationMessage":false,"invitedUserMessageInfo":{"messageLanguage":"fr",%s}}' % cc.encode()
    request = request_of(row, defaults)
    assert request.send_invitation_message is False
    assert request.invited_user_message_info is not None
    assert request.invited_user_message_info.message_language == "de"
    assert request.invited_user_message_info.cc_recipients[0].email_address.address == "boss@contoso.com"
    assert request_of(row, b"") == request_of(row, b"{}")


def test_judging_keeps_an_approval_for_the_same_finding_and_address() -> None:
    odd = finding("address-unlikely", Severity.REVIEW)
    row = judged(member(1, stage=MemberStage.LISTED, user_id=""), assessment(odd), "anna@fabrikam.com")
    assert (row.stage, row.user_id, row.verdict) == (MemberStage.JUDGED, IDS[1], Verdict.NEEDS_REVIEW)
    approved = replace(row, waived=(odd,))
    assert judged(approved, assessment(odd), "").verdict is Verdict.READY
    assert judged(approved, assessment(odd, address="other@fabrikam.com"), "").verdict is Verdict.NEEDS_REVIEW
    other = finding("address-unlikely", Severity.REVIEW, "for another reason")
    again = judged(approved, assessment(other), "")
    assert (again.verdict, again.waived) == (Verdict.NEEDS_REVIEW, ())


def test_an_approval_is_spent_when_its_request_ended_blocked() -> None:
    odd = finding("cross-tenant-blocked", Severity.REVIEW)
    approved = replace(judged(member(1, stage=MemberStage.LISTED, user_id=""), assessment(odd), ""), waived=(odd,))
    for stage, verdict in ((MemberStage.BLOCKED, Verdict.NEEDS_REVIEW), (MemberStage.FAILED, Verdict.READY)):
        again = judged(replace(approved, stage=stage), assessment(odd), "")
        assert again.verdict is verdict
        assert bool(again.waived) is (verdict is Verdict.READY)


def test_the_second_member_of_one_account_is_blocked() -> None:
    row = twice(member(1), "other")
    assert row.verdict is Verdict.BLOCKED
    assert "other" in row.findings[-1].message


def request(row: Member, **columns: Any) -> RequestRecord:
    """Return the request of a released member as it is first written."""
    return replace(asked_for(released(row), b"", "", NOON).row, sequence=1, **columns)


def test_a_request_is_bound_to_the_account_and_address_that_were_judged() -> None:
    row = member(1, finding("resource-account", Severity.WARN))
    record = request(row)
    assert (record.request_id, record.source) == (request_id_of("spring", row.key), Source.CAMPAIGN)
    assert record.request_id != request_id_of("autumn", row.key)
    assert REQUEST_ID.fullmatch(record.request_id)
    assert (record.released, record.judged_as, record.user_id) == (True, row.judged_as, row.user_id)
    assert record.judged_rules == ("resource-account",)
    assert (record.campaign_id, record.member) == ("spring", row.key)


def test_a_released_member_shows_its_request_before_the_request_is_written() -> None:
    row = member(1, finding("resource-account", Severity.WARN), invited_address="anna@fabrikam.com", shown=4)
    taken = released(row)
    assert not taken.stage.listed_again
    assert not taken.stage.judged_again
    change = asked_for(taken, b"", "", NOON)
    written = replace(change.row, sequence=change.row.sequence + len(change.events))
    assert (written.sequence, showing(taken, written)) == (5, taken)
    earlier = replace(written, sequence=4, stage=Stage.BLOCKED)
    assert [unwritten(taken, record) for record in (None, earlier, written)] == [True, True, False]
    assert not shows(taken, earlier), "its earlier request may be purged, and it stays"
    assert replace(put_back(taken, None), request_id=row.request_id) == row
    assert put_back(taken, earlier).request_id == earlier.request_id


def test_a_reopened_request_has_the_content_of_the_current_row() -> None:
    row = member(1, body=b'{"invitedUser":{"id":"%s"},"sendInvitationMessage":false}' % IDS[1].encode())
    ended = request(member(1), stage=Stage.BLOCKED, verdict=Verdict.BLOCKED)
    again = asked_again(ended, row, b"", "", NOON).row
    assert (again.stage, again.verdict, again.body) == (Stage.REQUESTED, None, request_of(row, b"").body())
    assert again.body_hash != ended.body_hash


def test_a_member_shows_its_request_and_ignores_older_states() -> None:
    row = member(1)
    record = request(row, stage=Stage.INVITED, invited_at=NOON + timedelta(hours=1))
    record = replace(record, sequence=4)
    shown = showing(row, record)
    assert (shown.stage, shown.invited_at, shown.shown) == (MemberStage.INVITED, record.invited_at, 4)
    assert shown.request_id == record.request_id
    assert showing(shown, replace(record, stage=Stage.REQUESTED, sequence=3)) == shown
    for strange in (replace(record, campaign_id="autumn"), replace(record, member="another")):
        assert showing(row, strange) == row


def test_states_from_before_a_member_was_judged_again_are_ignored() -> None:
    record = replace(request(member(1)), stage=Stage.BLOCKED, sequence=2)
    blocked = showing(member(1), record)
    assert blocked.stage is MemberStage.BLOCKED
    anew = judged(blocked, assessment(), "")
    assert showing(anew, record) == anew
    assert showing(anew, replace(record, sequence=3, stage=Stage.INVITED)).stage is MemberStage.INVITED
    refused = replace(blocked, stage=MemberStage.CANCELLED)
    assert showing(refused, record) == refused


def test_members_have_the_stages_of_requests_besides_their_own_two() -> None:
    own = {MemberStage.LISTED, MemberStage.JUDGED}
    assert {stage.value for stage in set(MemberStage) - own} == {
        stage.value for stage in set(Stage) - {Stage.ASSESSED, Stage.REJECTED}
    }
