"""What an approval covers, what a release allows, and when either no longer applies."""

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
    """Return a request whose review showed these findings and was approved."""
    waiting = record(Stage.NEEDS_REVIEW, findings=shown, generation=1)
    row = conversion(Stage.NEEDS_REVIEW, invited_user_email_address=address)
    approval = approval_for(waiting, row, "ops@contoso.com", "known", NOW)
    return record(approval=msgspec.json.encode(approval).decode(), **columns)


def weights(record: RequestRecord, *found: Any, **judgement: Any) -> dict[str, str]:
    return {each.rule: each.severity for each in weighed(judged(*found, **judgement), record)}


def test_an_approval_records_author_reason_time_subject_and_findings() -> None:
    approval = approval_of(approved(ROLE, SYNCED))
    assert approval is not None
    assert (approval.by, approval.reason, approval.at, approval.subject) == ("ops@contoso.com", "known", NOW, HERE)
    assert [(each.rule, each.message) for each in approval.waived] == [(ROLE.rule, ROLE.message)]
    assert approval_of(record()) is None


def test_an_approval_waives_the_findings_that_were_shown() -> None:
    assert weights(approved(ROLE), ROLE, SYNCED) == {"directory-role": "warn", "on-premises-synced": "warn"}


@pytest.mark.parametrize("found", [CHANGED_ROLE, MAILBOX, finding("guest-inviter"), finding(ROLE.rule, "block")])
def test_an_approval_does_not_waive_a_finding_that_was_not_shown(found: Any) -> None:
    """Another rule, another message of the same rule, or a rule that blocks now was not shown."""
    assert weights(approved(ROLE), found) == {found.rule: found.severity}


@pytest.mark.parametrize("subject", [{"address": "other@fabrikam.com"}, {"address": None}])
def test_an_approval_applies_to_one_account_and_address_only(subject: dict[str, Any]) -> None:
    assert weights(approved(ROLE), ROLE, **subject) == {"directory-role": "review"}


@pytest.mark.parametrize("rule", sorted(ASKING_AGAIN))
def test_only_some_findings_ask_for_another_invitation(rule: str) -> None:
    row = conversion(Stage.NEEDS_REVIEW)
    assert asks_again(approved(finding(rule)), row)
    assert not asks_again(approved(ROLE), row)
    assert not asks_again(record(), row)


@pytest.mark.parametrize(("reviewed", "asks"), [(1, False), (2, True)])
def test_an_approval_asks_for_another_invitation_only_in_the_reviewed_conversion(reviewed: int, *, asks: bool) -> None:
    waiting, row = record(Stage.NEEDS_REVIEW, findings=(DOUBT,), left_generation=reviewed), conversion(generation=2)
    approval = approval_for(waiting, row, "ops@contoso.com", "known", NOW)
    assert asks_again(record(approval=msgspec.json.encode(approval).decode()), row) is asks


def test_another_invitation_is_asked_only_for_the_address_that_was_shown() -> None:
    asking = approved(DOUBT)
    assert not asks_again(asking, conversion(invited_user_email_address="other@fabrikam.com"))
    assert not asks_again(asking, conversion(user_id=BORIS))
    assert weights(asking, address="other@fabrikam.com") == {CHANGED: "review"}
    assert weights(asking) == {}


def test_an_approval_for_another_address_is_void_but_no_finding() -> None:
    assert weights(approved(ROLE), address="other@fabrikam.com") == {}


def released(*rules: str, judged_as: str = HERE, **columns: Any) -> RequestRecord:
    return record(dry_run=True, released=True, judged_as=judged_as, judged_rules=rules, **columns)


def test_a_release_keeps_the_severities_of_what_was_judged() -> None:
    assert weights(released("directory-role"), ROLE) == {"directory-role": "review"}
    assert weights(released("on-premises-synced"), SYNCED) == {"on-premises-synced": "warn"}


def test_a_release_invites_no_other_account_or_address() -> None:
    found = weighed(judged(address="other@fabrikam.com"), released())
    assert [(each.rule, each.severity) for each in found] == [(CHANGED, Severity.REVIEW)]
    assert "not those that were judged" in found[0].message


def test_a_finding_that_is_new_since_the_dry_run_requires_review() -> None:
    found = weighed(judged(SYNCED, ROLE), released("on-premises-synced"))
    assert [each.rule for each in found] == ["on-premises-synced", "directory-role", CHANGED]
    assert found[-1].message == "New since the request was judged: directory-role."


def test_a_new_finding_of_severity_info_requires_no_review() -> None:
    assert weights(released(), finding("message-suppressed", "info")) == {"message-suppressed": "info"}


def test_an_approval_after_a_release_waives_the_findings_and_the_change() -> None:
    approval = approved(*weighed(judged(ROLE), released())).approval
    assert weights(released(approval=approval), ROLE) == {"directory-role": "warn", CHANGED: "warn"}


def test_a_change_since_the_release_is_waived_once_it_was_approved() -> None:
    """Otherwise no approval could end that review."""
    elsewhere = released(
        judged_as=HERE, approval=approved(finding(CHANGED, message="m"), address="x@fabrikam.com").approval
    )
    (changed,) = weighed(judged(address="x@fabrikam.com"), elsewhere)
    assert changed.severity is Severity.REVIEW, "another message was shown"
    again = released(judged_as=HERE, approval=approved(changed, address="x@fabrikam.com").approval)
    assert weights(again, address="x@fabrikam.com") == {CHANGED: "warn"}
    assert weights(again, address="y@fabrikam.com") == {CHANGED: "review"}


def test_the_review_of_an_invisible_invitation_says_when_it_was_sent() -> None:
    found = not_visible(conversion(Stage.INVITED, invited_at=NOW))
    assert (found.rule, found.severity) == ("not-visible", Severity.REVIEW)
    assert "2026-11-22 12:00 UTC" in found.message
    assert "at before" in not_visible(conversion(Stage.INVITED)).message


def test_a_subject_ignores_case_and_contains_no_address() -> None:
    assert subject_of(ANNA.upper(), f" {ADDRESS.upper()} ") == HERE
    assert subject_of(BORIS, ADDRESS) != HERE
    assert ADDRESS not in HERE + address_key(ADDRESS)
    assert address_key(ADDRESS.upper()) == address_key(f" {ADDRESS} ") != address_key("x" + ADDRESS)


def reviewed_again(record: RequestRecord, found: tuple[Any, ...]) -> RequestRecord:
    """Put a request into review with these findings and approve it; return the approved request."""
    waiting = replace(record, stage=Stage.NEEDS_REVIEW, findings=found)
    row = conversion(Stage.NEEDS_REVIEW, invited_user_email_address="other@fabrikam.com")
    approval = approval_for(waiting, row, "ops@contoso.com", "known", NOW)
    return replace(record, approval=msgspec.json.encode(approval).decode())


@pytest.mark.parametrize("new", [(), (SYNCED,), (ROLE,), (SYNCED, ROLE)])
def test_an_approval_of_what_changed_since_the_dry_run_waives_it(new: tuple[Any, ...]) -> None:
    """The address has changed, with and without a rule that did not hit in the dry run."""
    now = judged(*new, address="other@fabrikam.com")
    asked = reviewed_again(released(), weighed(now, released()))
    assert {each.severity for each in weighed(now, asked)} == {"warn"}


def test_a_second_approval_keeps_what_the_first_one_waived() -> None:
    """Two findings appear one after the other, so neither approval may void the other."""
    now = judged(ROLE, finding("guest-inviter"), address="other@fabrikam.com")
    first = reviewed_again(record(), (ROLE,))
    second = reviewed_again(first, weighed(now, first))
    assert {each.severity for each in weighed(now, second)} == {"warn"}


def test_an_approval_for_another_address_drops_what_the_earlier_one_waived() -> None:
    earlier = approved(ROLE)
    now = approval_of(reviewed_again(earlier, (finding("guest-inviter"),)))
    before = approval_of(earlier)
    assert before is not None
    assert now is not None
    assert now.subject != before.subject
    assert [each.rule for each in now.waived] == ["guest-inviter"]


def test_an_approval_asks_for_no_other_invitation_in_a_later_conversion() -> None:
    """Another request has invited the account since the approval."""
    later = conversion(Stage.INVITED, generation=2)
    assert not asks_again(approved(DOUBT), later)
