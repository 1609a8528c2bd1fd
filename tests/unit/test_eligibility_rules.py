"""Every rule under every profile, generated from the table: where it speaks, where it does not, how much it weighs."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from b2b.domain.eligibility import FACT_NOT_READABLE, PINNED, RULE_IDS, RULES, judge
from b2b.domain.facts import Case, Fact
from b2b.domain.findings import Finding, Profile, Severity
from tests.unit.cases import MAILBOX_PLAN, case
from tests.unit.eligibility_examples import EXAMPLES, NEEDS, REFUSED_BY_GRAPH, SEVERITIES

COLUMNS = (Profile.CURRENT, Profile.LEGACY)
TURNED_UP = dict.fromkeys(SEVERITIES, Severity.BLOCK)
"""Every rule on, whatever the profile says: a rule that is off shows nothing of its test."""


def found(case: Case, overrides: Mapping[str, Severity] | None = None) -> dict[str, Finding]:
    return {finding.rule: finding for finding in judge(case, overrides or {})}


def expected_severity(rule: str, profile: Profile) -> str:
    return SEVERITIES[rule][COLUMNS.index(profile)]


def examples(kind: str) -> Iterator[Any]:
    for rule in RULE_IDS:
        for profile in COLUMNS:
            for number, changes in enumerate(getattr(EXAMPLES[rule], kind), start=1):
                yield pytest.param(rule, profile, changes, id=f"{rule}-{profile}-{number}")


def test_the_rules_are_exactly_those_of_the_contract_each_with_an_example() -> None:
    assert sorted(RULE_IDS) == sorted(SEVERITIES)
    assert sorted(EXAMPLES) == sorted(SEVERITIES)
    assert FACT_NOT_READABLE == "fact-not-readable"
    assert {rule.id for rule in RULES if rule.enforced_by_graph} == REFUSED_BY_GRAPH
    nothing_to_invite = {"account-not-found", "account-ambiguous", "already-external", "invitation-pending"}
    no_address = {"no-external-address", "address-characters"}
    assert nothing_to_invite | no_address == PINNED


@pytest.mark.parametrize("profile", COLUMNS)
def test_a_ready_account_has_no_findings(profile: Profile) -> None:
    assert judge(case(profile), {}) == ()


@pytest.mark.parametrize(("rule", "profile", "changes"), list(examples("hits")))
def test_a_rule_speaks_with_the_severity_of_the_profile_and_is_not_asked_where_it_is_off(
    rule: str, profile: Profile, changes: Mapping[str, Any]
) -> None:
    findings = found(case(profile, **changes))
    severity = expected_severity(rule, profile)
    if severity == "off":
        assert rule not in findings
        return
    finding = findings[rule]
    assert finding.severity == severity
    assert set(findings) - EXAMPLES[rule].along == {rule}
    assert finding.message
    assert finding.fix
    assert finding.source.startswith("https://")


@pytest.mark.parametrize(("rule", "profile", "changes"), list(examples("misses")))
def test_a_rule_is_silent_about_a_case_that_just_escapes_it(
    rule: str, profile: Profile, changes: Mapping[str, Any]
) -> None:
    assert rule not in found(case(profile, **changes), TURNED_UP)


def test_nothing_but_its_absence_is_said_about_an_account_that_is_not_there() -> None:
    named = {"invitedUserEmailAddress": "anna@fabrikam.com"}
    nobody = case(Profile.CURRENT, account=None, candidates=0, request=named)
    assert set(found(nobody, TURNED_UP)) == {"account-not-found"}


def blind_cases() -> Iterator[Any]:
    for rule, facts in NEEDS.items():
        for profile in COLUMNS:
            for fact in facts:
                yield pytest.param(rule, profile, fact, id=f"{rule}-{profile}-{fact.name.lower()}")


def blind(rule: str, profile: Profile, fact: Fact, overrides: Mapping[str, Severity] | None = None) -> list[Finding]:
    """What is said about a rule whose fact could not be read: what was not read is empty."""
    unread = {"home_tenant": None} if fact is Fact.HOME_TENANT else {}
    findings = judge(case(profile, unreadable=frozenset({fact}), **unread), overrides or {})
    assert {finding.rule for finding in findings} <= {FACT_NOT_READABLE}
    return [finding for finding in findings if f"The rule {rule} " in finding.message]


@pytest.mark.parametrize(("rule", "profile", "fact"), list(blind_cases()))
def test_a_rule_that_is_blind_says_so_and_names_the_permission(rule: str, profile: Profile, fact: Fact) -> None:
    severity = expected_severity(rule, profile)
    findings = blind(rule, profile, fact)
    if severity == "off":
        assert findings == []
        return
    (finding,) = findings
    if severity in {"block", "fix", "review"}:
        assert finding.severity == ("warn" if rule in REFUSED_BY_GRAPH else "review")
    else:
        assert finding.severity == severity
    assert NEEDS[rule][fact] in finding.message
    assert NEEDS[rule][fact] in finding.fix
    assert finding.source.startswith("https://")


@pytest.mark.parametrize(("rule", "profile", "fact"), list(blind_cases()))
def test_a_blind_rule_follows_its_override(rule: str, profile: Profile, fact: Fact) -> None:
    assert blind(rule, profile, fact, {rule: Severity.OFF}) == []
    assert [finding.severity for finding in blind(rule, profile, fact, {rule: Severity.WARN})] == ["warn"]
    protecting = "warn" if rule in REFUSED_BY_GRAPH else "review"
    for severity in (Severity.BLOCK, Severity.FIX, Severity.REVIEW):
        assert [finding.severity for finding in blind(rule, profile, fact, {rule: severity})] == [protecting]


@pytest.mark.parametrize("profile", COLUMNS)
@pytest.mark.parametrize("changes", [{"onPremisesSyncEnabled": True}, {"assignedPlans": [MAILBOX_PLAN]}])
def test_a_fix_is_a_block_where_graph_cannot_change_the_account(profile: Profile, changes: dict[str, Any]) -> None:
    another = {"request": {"invitedUserEmailAddress": "a.other@fabrikam.com"}}
    assert found(case(profile, account=changes, **another))["address-not-on-account"].severity == "block"
    without: dict[str, Any] = {"mail": None, "otherMails": []}
    assert found(case(profile, account={**changes, **without}))["no-external-address"].severity == "block"


def test_a_mailbox_that_is_gone_leaves_a_fix_a_fix() -> None:
    account = {"assignedPlans": [{**MAILBOX_PLAN, "capabilityStatus": "Deleted"}], "mail": None}
    assert found(case(Profile.CURRENT, account=account))["no-external-address"].severity == "fix"


@pytest.mark.parametrize("profile", COLUMNS)
def test_an_address_that_only_a_contact_holds_is_a_warning(profile: Profile) -> None:
    assert found(case(profile, holding_contacts=("contact",)))["address-in-use"].severity == "warn"
    assert found(case(profile, holding_contacts=("contact",), holders=("user",)))["address-in-use"].severity == "block"


def test_a_contact_is_no_worse_than_the_severity_that_was_set() -> None:
    with_contact = case(Profile.CURRENT, holding_contacts=("contact",))
    assert found(with_contact, {"address-in-use": Severity.INFO})["address-in-use"].severity == "info"


def test_a_contact_that_holds_the_address_does_not_hide_that_users_could_not_be_read() -> None:
    half = case(Profile.CURRENT, holding_contacts=("contact",), unreadable=frozenset({Fact.DELETED_WITH_ADDRESS}))
    assert "review" in {finding.severity for finding in judge(half, {})}


def test_what_was_read_decides_a_rule_even_where_another_fact_is_missing() -> None:
    half = case(Profile.CURRENT, holders=("user",), unreadable=frozenset({Fact.CONTACTS_WITH_ADDRESS}))
    assert [(finding.rule, finding.severity) for finding in judge(half, {})] == [("address-in-use", "block")]
