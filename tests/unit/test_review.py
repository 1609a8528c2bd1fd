"""A person's word: what an approval covers, what a release allows, and when either no longer fits."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from b2b.domain.conversion.stages import Stage
from b2b.domain.findings import Severity
from b2b.domain.request.approval import ASKING_AGAIN, approval_for, approval_of, asks_again
from b2b.domain.request.record import RequestRecord
from b2b.domain.request.review import CHANGED, not_visible, weighed
from b2b.domain.request.subject import address_key, subject_of
from tests.unit.cases import ADDRESS, ANNA, BORIS
from tests.unit.protocol import NOW, conversion, finding, judged, record

ROLE, SYNCED, MAILBOX = finding(), finding("on-premises-synced", "warn"), finding("exchange-mailbox", "block")
CHANGED_ROLE = finding(message="it holds two roles")
DOUBT = finding("outcome-unknown")
HERE = subject_of(ANNA, ADDRESS)


def approved(*shown: Any, address: str = ADDRESS, **columns: Any) -> RequestRecord:
    """A request whose review showed these findings, and was approved."""
    waiting = record(Stage.NEEDS_REVIEW, findings=shown, generation=1)
    row = conversion(Stage.NEEDS_REVIEW, invited_user_email_address=address)
    approval = approval_for(waiting, row, "ops@contoso.com", "known", NOW)
    return record(approval=msgspec.json.encode(approval).decode(), **columns)


def weights(record: RequestRecord, *found: Any, **judgement: Any) -> dict[str, str]:
    return {each.rule: each.severity for each in weighed(judged(*found, **judgement), record)}


def test_an_approval_keeps_who_why_when_for_what_and_which_findings() -> None:
    approval = approval_of(approved(ROLE, SYNCED))
    assert approval is not None
    assert (approval.by, approval.reason, approval.at, approval.subject) == ("ops@contoso.com", "known", NOW, HERE)
    assert [(each.rule, each.message) for each in approval.waived] == [(ROLE.rule, ROLE.message)]
    assert approval_of(record()) is None


def test_exactly_what_was_shown_is_waived() -> None:
    assert weights(approved(ROLE), ROLE, SYNCED) == {"directory-role": "warn", "on-premises-synced": "warn"}


@pytest.mark.parametrize("found", [CHANGED_ROLE, MAILBOX, finding("guest-inviter"), finding(ROLE.rule, "block")])
def test_what_was_not_shown_is_not(found: Any) -> None:
    """Another finding, another message of the same rule, or a rule that blocks by now: that is not what was shown."""
    assert weights(approved(ROLE), found) == {found.rule: found.severity}


@pytest.mark.parametrize("subject", [{"address": "other@fabrikam.com"}, {"address": None}])
def test_an_approval_is_for_one_account_with_one_address(subject: dict[str, Any]) -> None:
    assert weights(approved(ROLE), ROLE, **subject) == {"directory-role": "review"}


@pytest.mark.parametrize("rule", sorted(ASKING_AGAIN))
def test_only_some_findings_ask_for_another_invitation(rule: str) -> None:
    row = conversion(Stage.NEEDS_REVIEW)
    assert asks_again(approved(finding(rule)), row)
    assert not asks_again(approved(ROLE), row)
    assert not asks_again(record(), row)


@pytest.mark.parametrize(("reviewed", "asks"), [(1, False), (2, True)])
def test_a_request_that_joined_nothing_asks_again_for_the_conversion_that_its_review_is_about(
    reviewed: int, *, asks: bool
) -> None:
    waiting, row = record(Stage.NEEDS_REVIEW, findings=(DOUBT,), left_generation=reviewed), conversion(generation=2)
    approval = approval_for(waiting, row, "ops@contoso.com", "known", NOW)
    assert asks_again(record(approval=msgspec.json.encode(approval).decode()), row) is asks


def test_another_invitation_is_asked_for_the_address_that_was_shown_and_for_no_other() -> None:
    asking = approved(DOUBT)
    assert not asks_again(asking, conversion(invited_user_email_address="other@fabrikam.com"))
    assert not asks_again(asking, conversion(user_id=BORIS))
    assert weights(asking, address="other@fabrikam.com") == {CHANGED: "review"}
    assert weights(asking) == {}


def test_a_plain_approval_of_another_address_is_void_and_no_finding_of_its_own() -> None:
    assert weights(approved(ROLE), address="other@fabrikam.com") == {}


def released(*rules: str, judged_as: str = HERE, **columns: Any) -> RequestRecord:
    return record(dry_run=True, released=True, judged_as=judged_as, judged_rules=rules, **columns)


def test_a_release_invites_what_was_judged() -> None:
    assert weights(released("directory-role"), ROLE) == {"directory-role": "review"}
    assert weights(released("on-premises-synced"), SYNCED) == {"on-premises-synced": "warn"}


def test_a_release_invites_no_other_account_or_address() -> None:
    found = weighed(judged(address="other@fabrikam.com"), released())
    assert [(each.rule, each.severity) for each in found] == [(CHANGED, Severity.REVIEW)]
    assert "not those that were judged" in found[0].message


def test_what_is_new_since_the_dry_run_is_a_review() -> None:
    found = weighed(judged(SYNCED, ROLE), released("on-premises-synced"))
    assert [each.rule for each in found] == ["on-premises-synced", "directory-role", CHANGED]
    assert found[-1].message == "New since the request was judged: directory-role."


def test_what_is_only_information_is_nothing_new() -> None:
    assert weights(released(), finding("message-suppressed", "info")) == {"message-suppressed": "info"}


def test_an_approval_after_a_release_knows_what_it_showed() -> None:
    approval = approved(*weighed(judged(ROLE), released())).approval
    assert weights(released(approval=approval), ROLE) == {"directory-role": "warn", CHANGED: "warn"}


def test_what_has_changed_since_a_release_goes_on_once_a_person_has_seen_it() -> None:
    """Otherwise no approval could ever end that review."""
    elsewhere = released(
        judged_as=HERE, approval=approved(finding(CHANGED, message="m"), address="x@fabrikam.com").approval
    )
    (changed,) = weighed(judged(address="x@fabrikam.com"), elsewhere)
    assert changed.severity is Severity.REVIEW, "another message was shown"
    again = released(judged_as=HERE, approval=approved(changed, address="x@fabrikam.com").approval)
    assert weights(again, address="x@fabrikam.com") == {CHANGED: "warn"}
    assert weights(again, address="y@fabrikam.com") == {CHANGED: "review"}


def test_a_review_of_what_does_not_show_says_when_it_was_invited() -> None:
    found = not_visible(conversion(Stage.INVITED, invited_at=NOW))
    assert (found.rule, found.severity) == ("not-visible", Severity.REVIEW)
    assert "2026-11-22 12:00 UTC" in found.message
    assert "at before" in not_visible(conversion(Stage.INVITED)).message


def test_a_subject_is_the_same_in_any_case_and_names_nobody() -> None:
    assert subject_of(ANNA.upper(), f" {ADDRESS.upper()} ") == HERE
    assert subject_of(BORIS, ADDRESS) != HERE
    assert ADDRESS not in HERE + address_key(ADDRESS)
    assert address_key(ADDRESS.upper()) == address_key(f" {ADDRESS} ") != address_key("x" + ADDRESS)


def reviewed_again(record: RequestRecord, found: tuple[Any, ...]) -> RequestRecord:
    """The request as it waits for a person with what was found, approved as it stands."""
    waiting = replace(record, stage=Stage.NEEDS_REVIEW, findings=found)
    row = conversion(Stage.NEEDS_REVIEW, invited_user_email_address="other@fabrikam.com")
    approval = approval_for(waiting, row, "ops@contoso.com", "known", NOW)
    return replace(record, approval=msgspec.json.encode(approval).decode())


@pytest.mark.parametrize("new", [(), (SYNCED,), (ROLE,), (SYNCED, ROLE)])
def test_an_approval_of_what_changed_since_the_dry_run_lets_it_go_on(new: tuple[Any, ...]) -> None:
    """Another address, with and without a rule that was silent in the dry run."""
    now = judged(*new, address="other@fabrikam.com")
    asked = reviewed_again(released(), weighed(now, released()))
    assert {each.severity for each in weighed(now, asked)} == {"warn"}


def test_an_approval_keeps_what_an_earlier_one_waived() -> None:
    """Two findings that came up one after the other: neither approval may void the other."""
    now = judged(ROLE, finding("guest-inviter"), address="other@fabrikam.com")
    first = reviewed_again(record(), (ROLE,))
    second = reviewed_again(first, weighed(now, first))
    assert {each.severity for each in weighed(now, second)} == {"warn"}


def test_an_approval_keeps_nothing_of_one_for_another_address() -> None:
    earlier = approved(ROLE)
    now = approval_of(reviewed_again(earlier, (finding("guest-inviter"),)))
    before = approval_of(earlier)
    assert before is not None
    assert now is not None
    assert now.subject != before.subject
    assert [each.rule for each in now.waived] == ["guest-inviter"]


def test_an_approval_asks_for_no_other_invitation_of_a_later_conversion() -> None:
    """Another request has invited the account since the approval."""
    later = conversion(Stage.INVITED, generation=2)
    assert not asks_again(approved(DOUBT), later)
