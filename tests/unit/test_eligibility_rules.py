"""Every rule under every profile, tested with the table of examples: whether it hits, and with which severity."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from b2b.domain.account import SELECT, Account, from_graph
from b2b.domain.eligibility import facts
from b2b.domain.eligibility.case import Case
from b2b.domain.eligibility.fact import Fact, Facts
from b2b.domain.eligibility.judge import FACT_NOT_READABLE, PINNED, RULE_IDS, judge
from b2b.domain.eligibility.rule import Rule, Subject
from b2b.domain.eligibility.rules import RULES
from b2b.domain.findings import Finding, Profile, Severity
from b2b.domain.readings import NotReadable
from tests.unit.cases import ADDRESS, ANNA, BORIS, MAILBOX_PLAN, READY_USER, case
from tests.unit.eligibility_examples import EXAMPLES, GROUP

COLUMNS = (Profile.CURRENT, Profile.LEGACY)
TURNED_UP = dict.fromkeys(RULE_IDS, Severity.BLOCK)
"""Every rule switched on, whatever the profile says, because a rule that is off does not run its test."""
ROWS = {rule.id: rule for rule in RULES}
NEEDED = [(rule, fact) for rule in RULES for fact in facts.FACTS if fact in rule.needs and fact.permission]


WORDS_ONLY = {"externalUserStateChangeDateTime", "licenseAssignmentStates"}
"""Properties that appear in a rule's message, but do not decide whether it hits."""
FIELDS = {field.name: field.encode_name for field in msgspec.structs.fields(Account)}


class WatchedAccount:
    """An account that records which of its properties a rule reads, directly or through derived properties."""

    def __init__(self, of: Account) -> None:
        self.of = of
        self.seen: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        derived = getattr(Account, name, None)
        if isinstance(derived, property):
            return derived.fget(self)  # type: ignore[misc]  # each of these properties has a getter
        self.seen.add(FIELDS[name])
        return getattr(self.of, name)


class Watched(Facts):
    """Facts that record which of them a rule reads."""

    def __init__(self, of: Facts) -> None:
        super().__init__(of._read)
        self.seen: set[Fact[Any]] = set()

    def __getitem__(self, fact: Fact[Any]) -> Any:
        self.seen.add(fact)
        return super().__getitem__(fact)


def found(case: Case, overrides: Mapping[str, Severity] | None = None) -> dict[str, Finding]:
    return {finding.rule: finding for finding in judge(case, overrides or {})}


def examples(kind: str) -> Iterator[Any]:
    for rule in RULE_IDS:
        for profile in COLUMNS:
            for number, changes in enumerate(getattr(EXAMPLES[rule], kind), start=1):
                yield pytest.param(rule, profile, changes, id=f"{rule}-{profile}-{number}")


def test_every_rule_has_a_unique_id_and_an_example() -> None:
    assert len(set(RULE_IDS)) == len(RULE_IDS)
    assert EXAMPLES.keys() == set(RULE_IDS)
    assert FACT_NOT_READABLE not in RULE_IDS


def test_the_rules_that_settings_cannot_weaken_are_these() -> None:
    nothing_to_invite = {"account-not-found", "account-ambiguous", "already-external", "invitation-pending"}
    no_address = {"no-external-address", "address-characters"}
    assert nothing_to_invite | no_address == PINNED


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule.id))
def test_a_rule_declares_exactly_the_facts_and_properties_that_it_reads(rule: Rule) -> None:
    """A fact that is read but not declared would have its default value; one that is declared but not read costs a
    call.
    """
    looked_at: set[Fact[Any]] = set()
    read: set[str] = set()
    example = EXAMPLES[rule.id]
    for changes, profile in itertools.product((*example.hits, *example.misses, {}), COLUMNS):
        asked = case(profile, **changes)
        accounts = tuple(WatchedAccount(account) for account in asked.facts[facts.ACCOUNT])
        known = Watched(asked.facts | Facts({facts.ACCOUNT: accounts}))
        judged = replace(asked, facts=known)
        if rule.subject is Subject.ACCOUNT and len(accounts) != 1:
            continue
        if rule.subject is not Subject.ACCOUNT:
            _ = judged.address  # computes and caches the address before the rule runs
            for account in accounts:
                account.seen.clear()
        rule.test(judged)
        looked_at |= known.seen
        read |= {name for account in accounts for name in account.seen}
    assert looked_at - {facts.ACCOUNT, facts.DELETED_ACCOUNT} == rule.needs - {facts.ACCOUNT}
    assert read - {"withheld", "id"} - WORDS_ONLY == rule.reads


@pytest.mark.parametrize("profile", COLUMNS)
def test_a_ready_account_has_no_findings(profile: Profile) -> None:
    assert judge(case(profile), {}) == ()


@pytest.mark.parametrize(("rule", "profile", "changes"), list(examples("hits")))
def test_a_rule_hits_with_the_profiles_severity_unless_it_is_off(
    rule: str, profile: Profile, changes: Mapping[str, Any]
) -> None:
    findings = found(case(profile, **changes))
    severity = ROWS[rule].severity(profile, {})
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
def test_a_rule_does_not_hit_a_similar_case(rule: str, profile: Profile, changes: Mapping[str, Any]) -> None:
    assert rule not in found(case(profile, **changes), TURNED_UP)


def test_an_account_that_is_not_found_has_no_other_finding() -> None:
    named = {"invitedUserEmailAddress": "anna@fabrikam.com"}
    nobody = case(Profile.CURRENT, account=None, request=named)
    assert set(found(nobody, TURNED_UP)) == {"account-not-found"}


def blind_cases() -> Iterator[Any]:
    for rule, fact in NEEDED:
        for profile in COLUMNS:
            yield pytest.param(rule, profile, fact, id=f"{rule.id}-{profile}-{fact.name}")


def blind(
    rule: Rule, profile: Profile, fact: Fact[Any], overrides: Mapping[str, Severity] | None = None
) -> list[Finding]:
    """Return the findings about a rule one of whose facts could not be read."""
    findings = judge(case(profile, known={fact: NotReadable()}, **EXAMPLES[rule.id].applies), overrides or {})
    assert {finding.rule for finding in findings} <= {FACT_NOT_READABLE}
    return [finding for finding in findings if f"The rule {rule.id} " in finding.message]


@pytest.mark.parametrize(("rule", "profile", "fact"), list(blind_cases()))
def test_a_rule_whose_fact_is_unreadable_names_the_missing_permission(
    rule: Rule, profile: Profile, fact: Fact[Any]
) -> None:
    severity = rule.severity(profile, {})
    findings = blind(rule, profile, fact)
    if severity == "off":
        assert findings == []
        return
    (finding,) = findings
    if rule.pinned:
        assert finding.severity == "block"
    elif severity in {"block", "fix", "review"}:
        assert finding.severity == ("warn" if rule.enforced_by_graph else "review")
    else:
        assert finding.severity == severity
    assert fact.permission in finding.message
    assert fact.permission in finding.fix
    assert finding.source.startswith("https://")


@pytest.mark.parametrize(("rule", "profile", "fact"), [row for row in blind_cases() if not row.values[0].pinned])
def test_a_rule_whose_fact_is_unreadable_follows_its_override(rule: Rule, profile: Profile, fact: Fact[Any]) -> None:
    assert blind(rule, profile, fact, {rule.id: Severity.OFF}) == []
    assert [finding.severity for finding in blind(rule, profile, fact, {rule.id: Severity.WARN})] == ["warn"]
    protecting = "warn" if rule.enforced_by_graph else "review"
    for severity in (Severity.BLOCK, Severity.FIX, Severity.REVIEW):
        assert [finding.severity for finding in blind(rule, profile, fact, {rule.id: severity})] == [protecting]


@pytest.mark.parametrize("profile", COLUMNS)
@pytest.mark.parametrize("name", sorted(SELECT))
def test_a_property_that_graph_omits_is_named_and_not_taken_for_empty(name: str, profile: Profile) -> None:
    """Each rule that reads the property reports that it could not read it. No rule passes or hits because of that."""
    whole = case(profile, request={"invitedUserEmailAddress": ADDRESS})
    fields = {key: value for key, value in {**dict.fromkeys(SELECT), **READY_USER}.items() if key != name}
    if name == "id":
        with pytest.raises(msgspec.ValidationError):
            from_graph(fields)
        return
    judged = replace(whole, facts=whole.facts | Facts({facts.ACCOUNT: (from_graph(fields),)}))
    readers = [rule for rule in RULES if name in rule.reads and rule.severity(profile, {}) is not Severity.OFF]
    expected = {rule.id for rule in readers if rule.applies(judged)}
    doubts = [finding for finding in judge(judged, {}) if finding.rule == FACT_NOT_READABLE]
    assert {finding.message.split()[2] for finding in doubts} == expected
    assert all(f"has no {name}" in finding.message for finding in doubts)
    assert {finding.rule for finding in judge(judged, {})} <= {FACT_NOT_READABLE}
    for finding in doubts:
        row = ROWS[finding.message.split()[2]]
        assert finding.severity == ("block" if row.pinned else finding.severity)
        assert ("B2B_RULE_OVERRIDES" in finding.fix) is not row.pinned


def test_an_account_that_graph_refuses_to_read_is_a_finding_with_a_fix() -> None:
    refused = NotReadable("Graph answers 400 Request_BadRequest")
    named = case(Profile.CURRENT, known={facts.ACCOUNT: refused})
    (finding,) = judge(named, {})
    assert (finding.rule, finding.severity) == (FACT_NOT_READABLE, "block")
    assert "Graph answers 400 Request_BadRequest to the question for the account" in finding.message
    assert finding.fix == "Name the account by its object id."


@pytest.mark.parametrize("profile", COLUMNS)
@pytest.mark.parametrize("changes", [{"onPremisesSyncEnabled": True}, {"assignedPlans": [MAILBOX_PLAN]}])
def test_a_finding_to_fix_is_a_block_if_graph_cannot_change_the_account(
    profile: Profile, changes: dict[str, Any]
) -> None:
    another: dict[str, Any] = {"request": {"invitedUserEmailAddress": "a.other@fabrikam.com"}}
    assert found(case(profile, account=changes, **another))["address-not-on-account"].severity == "block"
    without: dict[str, Any] = {"mail": None, "otherMails": []}
    assert found(case(profile, account={**changes, **without}))["no-external-address"].severity == "block"


def test_a_deleted_mailbox_does_not_turn_a_fix_into_a_block() -> None:
    account = {"assignedPlans": [{**MAILBOX_PLAN, "capabilityStatus": "Deleted"}], "mail": None}
    assert found(case(Profile.CURRENT, account=account))["no-external-address"].severity == "fix"


@pytest.mark.parametrize("profile", COLUMNS)
def test_an_address_that_only_a_contact_holds_is_a_warning(profile: Profile) -> None:
    contact: dict[Fact[Any], Any] = {facts.CONTACTS_WITH_ADDRESS: ("contact",)}
    with_user = {**contact, facts.USERS_WITH_ADDRESS: ("user",)}
    assert found(case(profile, known=contact))["address-in-use"].severity == "warn"
    assert found(case(profile, known=with_user))["address-in-use"].severity == "block"


def test_an_override_can_lower_the_warning_about_a_contact() -> None:
    with_contact = case(Profile.CURRENT, known={facts.CONTACTS_WITH_ADDRESS: ("contact",)})
    assert found(with_contact, {"address-in-use": Severity.INFO})["address-in-use"].severity == "info"


def test_unreadable_users_are_reported_even_if_a_contact_holds_the_address() -> None:
    known = {facts.CONTACTS_WITH_ADDRESS: ("contact",), facts.DELETED_WITH_ADDRESS: NotReadable()}
    half = case(Profile.CURRENT, known=known)
    assert "review" in {finding.severity for finding in judge(half, {})}


def test_a_readable_fact_decides_a_rule_even_if_another_is_unreadable() -> None:
    known = {facts.USERS_WITH_ADDRESS: ("user",), facts.CONTACTS_WITH_ADDRESS: NotReadable()}
    half = case(Profile.CURRENT, known=known)
    assert [(finding.rule, finding.severity) for finding in judge(half, {})] == [("address-in-use", "block")]


def sponsored(users: Any, groups: Any, *sponsors: str) -> dict[str, Finding]:
    known: dict[Fact[Any], Any] = {facts.SPONSORING_USERS: users, facts.SPONSORING_GROUPS: groups}
    return found(case(Profile.CURRENT, request={"invitedUserSponsors": [*sponsors]}, known=known))


def test_exactly_the_unknown_sponsors_are_named() -> None:
    finding = sponsored({ANNA: True}, (GROUP,), ANNA, BORIS, GROUP)["sponsor-unusable"]
    assert (finding.severity, ANNA in finding.message, GROUP in finding.message) == ("block", False, False)
    assert BORIS in finding.message


def test_a_disabled_sponsor_is_a_warning_with_its_own_fix() -> None:
    finding = sponsored({ANNA: True, BORIS: False}, (), ANNA, BORIS)["sponsor-unusable"]
    assert (finding.severity, BORIS in finding.message, ANNA in finding.message) == ("warn", True, False)
    assert "cannot sign in" in finding.fix
    assert sponsored({BORIS: False}, (), BORIS, GROUP)["sponsor-unusable"].severity == "block"


def test_an_unknown_sponsor_is_not_named_if_groups_are_unreadable() -> None:
    """An id that is no user may be a group; without the permission to read groups, the rule cannot exclude that."""
    findings = sponsored({BORIS: False}, NotReadable(), ANNA, BORIS)
    assert {rule: finding.severity for rule, finding in findings.items()} == {
        "sponsor-unusable": "warn",
        FACT_NOT_READABLE: "warn",
    }
    assert ANNA not in findings["sponsor-unusable"].message
    assert set(sponsored({ANNA: True}, (), ANNA, BORIS)) == {"sponsor-unusable"}
