"""A fix works: if its text is followed, the case becomes ready. If that is impossible, the text says so."""

from collections.abc import Mapping
from typing import Any

import pytest

from b2b.domain.eligibility import facts
from b2b.domain.eligibility.case import Wishes
from b2b.domain.eligibility.judge import judge
from b2b.domain.eligibility.rules import RULES
from b2b.domain.eligibility.tenant import CrossTenantAccess, DomainList
from b2b.domain.findings import Finding, Profile, Severity, verdict_of
from b2b.domain.readings import Memberships, NotThere
from tests.unit.cases import BORIS, CONTOSO, MAILBOX_PLAN, case
from tests.unit.eligibility_examples import ARCHIVE, CLOSED, EXAMPLES, GROUP, IN_GROUP, OPEN

CURRENT, LEGACY = Profile.CURRENT, Profile.LEGACY
DELETED_PLAN = {**MAILBOX_PLAN, "capabilityStatus": "Deleted"}
BY_GROUP = [{"assignedByGroup": GROUP, "state": "Active"}]
Changes = Mapping[str, Any]


def found(profile: Profile, changes: Changes) -> dict[str, Finding]:
    return {finding.rule: finding for finding in judge(case(profile, **changes), {})}


def access(inbound: Mapping[str, Any]) -> dict[str, Any]:
    return {"known": {facts.CROSS_TENANT_ACCESS: CrossTenantAccess(dict(inbound))}}


OTHER = {"invitedUserEmailAddress": "anna.b@fabrikam.com"}
COPY = {"invitedUserMessageInfo": {"ccRecipients": [{"emailAddress": {"address": "broker@adatum.com"}}]}}
FOLLOWED: list[tuple[str, Profile, str, Changes, Changes]] = [
    ("no-external-address", CURRENT, "Set mail", {"account": {"mail": None}}, {}),
    ("no-external-address", LEGACY, "otherMails", {"account": {"otherMails": []}}, {}),
    ("address-not-on-account", CURRENT, "Set mail", {"request": OTHER}, {"account": {"mail": "anna.b@fabrikam.com"}}),
    ("address-not-on-account", CURRENT, "new request", {"request": OTHER}, {}),
    (
        "address-not-on-account",
        LEGACY,
        "otherMails",
        {"request": OTHER},
        {"request": OTHER, "account": {"otherMails": ["anna.b@fabrikam.com"]}},
    ),
    ("own-verified-domain", CURRENT, "Set mail", {"account": {"mail": "anna@contoso.com"}}, {}),
    ("exchange-mailbox", CURRENT, "remove the licence", {"account": {"assignedPlans": [MAILBOX_PLAN]}}, {}),
    (
        "exchange-mailbox",
        CURRENT,
        "out of that group",
        {"account": {"assignedPlans": [MAILBOX_PLAN], "licenseAssignmentStates": BY_GROUP}},
        {"account": {"assignedPlans": [DELETED_PLAN]}},
    ),
    ("on-premises-upn", CURRENT, "until the property is empty", {"account": {"onPremisesUserPrincipalName": "a"}}, {}),
    ("account-disabled", CURRENT, "Enable the account", {"account": {"accountEnabled": False}}, {}),
    ("restricted-management", CURRENT, "out of the", {"account": {"isManagementRestricted": True}}, {}),
    (
        "directory-role",
        CURRENT,
        "Remove these roles",
        {"known": {facts.MEMBERSHIPS: Memberships(roles=("Reader",))}},
        {},
    ),
    (
        "excluded-group",
        CURRENT,
        "out of that group",
        {"known": {facts.MEMBERSHIPS: IN_GROUP}, "wishes": Wishes(excluded_group=GROUP)},
        {"wishes": Wishes(excluded_group=GROUP)},
    ),
    (
        "outside-scope",
        CURRENT,
        "add it to that group",
        {"wishes": Wishes(scope_group=GROUP)},
        {"known": {facts.MEMBERSHIPS: IN_GROUP}, "wishes": Wishes(scope_group=GROUP)},
    ),
    ("address-unlikely", CURRENT, "correct mail", {"account": {"mail": "hugo.lind@fabrikam.com"}}, {}),
    ("copy-recipient", CURRENT, "without the copy", {"request": COPY}, {}),
    (
        "copy-recipient",
        CURRENT,
        "B2B_ALLOWED_COPY_DOMAINS",
        {"request": COPY},
        {"request": COPY, "wishes": Wishes(copy_domains=frozenset({"adatum.com"}))},
    ),
    ("address-in-use", CURRENT, "delete that user for good", {"known": {facts.DELETED_WITH_ADDRESS: (BORIS,)}}, {}),
    (
        "domain-not-allowed",
        CURRENT,
        "Allow the domain",
        {"known": {facts.DOMAIN_LIST: DomainList(blocked=frozenset({"fabrikam.com"}))}},
        {},
    ),
    ("cross-tenant-blocked", CURRENT, "Allow inbound", access(CLOSED), access(OPEN)),
    ("invitations-disabled", CURRENT, "Change who can invite", {"known": {facts.INVITATION_POLICY: "none"}}, {}),
    ("mail-domain-differs", LEGACY, "Set mail", {"account": {"mail": "anna@adatum.com"}}, {}),
    ("address-characters", CURRENT, "another address", {"account": {"mail": "a+b@fabrikam.com"}}, {}),
    ("address-characters", LEGACY, "into otherMails", {"account": {"otherMails": ["a+b@fabrikam.com"]}}, {}),
    ("address-characters", CURRENT, "mail of the account anew", {"account": {"mail": "anna\u200b@fabrikam.com"}}, {}),
    (
        "address-characters",
        LEGACY,
        "otherMails of the account anew",
        {"account": {"otherMails": ["anna@fabrikam.com\u00a0"]}},
        {},
    ),
    (
        "address-characters",
        CURRENT,
        "address typed anew",
        {"request": {"invitedUserEmailAddress": "\ufeffanna@fabrikam.com"}},
        {"request": {"invitedUserEmailAddress": "anna@fabrikam.com"}},
    ),
    ("group-address", CURRENT, "Set mail", {"known": {facts.GROUPS_WITH_ADDRESS: (GROUP,)}}, {}),
    ("address-requested-twice", CURRENT, "delete the other for good", {"known": {facts.RESERVATION: BORIS}}, {}),
    ("sponsor-unusable", CURRENT, "without these ids", {"request": {"invitedUserSponsors": [BORIS]}}, {}),
    ("account-not-found", CURRENT, "Restore it", {"account": None, "known": {facts.DELETED_ACCOUNT: True}}, {}),
]
"""Rule, profile, words of the fix, a case that the rule hits, and that case after the fix was followed."""


@pytest.mark.parametrize(
    ("rule", "profile", "words", "before", "after"), FOLLOWED, ids=[f"{row[0]}-{row[2]}" for row in FOLLOWED]
)
def test_a_case_is_ready_after_its_fix_was_followed(
    rule: str, profile: Profile, words: str, before: Changes, after: Changes
) -> None:
    finding = found(profile, before)[rule]
    assert finding.severity in {"block", "fix", "review"}
    assert words in finding.fix
    assert verdict_of(found(profile, after).values()) == "ready"


def test_every_stopping_rule_has_a_tested_fix_or_is_listed_as_having_none() -> None:
    stopping = {
        rule.id for rule in RULES if {rule.current, rule.legacy} & {Severity.BLOCK, Severity.FIX, Severity.REVIEW}
    }
    nothing_to_change = {"already-external", "invitation-pending", "looks-like-employee", "unknown-exchange-plan"}
    another_request = {"account-ambiguous", "address-ambiguous"}
    article_of_2020 = {"direct-federation", "home-account-not-entra"}
    assert stopping - {row[0] for row in FOLLOWED} == nothing_to_change | another_request | article_of_2020


def test_the_fix_says_that_an_address_in_the_request_alone_does_not_help() -> None:
    nothing = found(CURRENT, {"account": {"mail": None}})["no-external-address"]
    named = found(CURRENT, {"account": {"mail": None}, "request": {"invitedUserEmailAddress": "anna@fabrikam.com"}})
    assert "alone does not help" in nothing.fix
    assert named["address-not-on-account"].severity == "fix"


@pytest.mark.parametrize(
    ("account", "words"),
    [
        ({"onPremisesSyncEnabled": True}, "Active Directory"),
        ({"assignedPlans": [MAILBOX_PLAN]}, "Exchange keeps the mail"),
        ({"proxyAddresses": ["SMTP:desk@contoso.com"]}, "Exchange admin center"),
    ],
)
def test_an_address_that_graph_cannot_set_is_a_block_and_the_fix_says_who_can(
    account: dict[str, Any], words: str
) -> None:
    for changes in ({"request": OTHER, "account": account}, {"account": {**account, "mail": None}}):
        findings = found(CURRENT, changes)
        (finding,) = [
            row for rule, row in findings.items() if rule in {"address-not-on-account", "no-external-address"}
        ]
        assert finding.severity == "block"
        assert words in finding.fix


def test_in_profile_2020_the_fix_for_an_excluded_account_is_to_delete_it_and_invite_again() -> None:
    excluded: dict[str, Changes] = {
        "direct-federation": {"known": {facts.FEDERATIONS: frozenset({"fabrikam.com"})}},
        "home-account-not-entra": {"known": {facts.HOME_TENANT: NotThere()}},
        "exchange-mailbox": {"account": {"assignedPlans": [MAILBOX_PLAN]}},
    }
    for rule, changes in excluded.items():
        finding = found(LEGACY, changes)[rule]
        assert finding.severity == "block"
        assert "delete the internal account and invite the person anew" in finding.fix


def test_under_2020_an_archive_plan_is_a_review_and_an_unknown_plan_a_warning() -> None:
    archive = {"account": {"assignedPlans": [{"servicePlanId": ARCHIVE, "capabilityStatus": "Enabled"}]}}
    assert found(CURRENT, archive)["unknown-exchange-plan"].severity == "warn"
    assert found(LEGACY, archive)["unknown-exchange-plan"].severity == "review"
    unheard_of = {"servicePlanId": BORIS, "service": "exchange", "capabilityStatus": "Enabled"}
    assert found(LEGACY, {"account": {"assignedPlans": [unheard_of]}})["unknown-exchange-plan"].severity == "warn"


def test_the_mailbox_fix_names_the_group_and_the_account_that_assign_the_licence() -> None:
    states = [*BY_GROUP, {"assignedByGroup": None, "state": "Active"}]
    account = {"assignedPlans": [MAILBOX_PLAN], "licenseAssignmentStates": states}
    finding = found(CURRENT, {"account": account})["exchange-mailbox"]
    assert GROUP in finding.message
    assert f"through {GROUP} or to the account itself" in finding.fix


@pytest.mark.parametrize(
    ("user", "said", "advice"),
    [
        ({"mail": "anna@fabrikam.com"}, "in mail or otherMails", "aliases"),
        ({"userPrincipalName": "anna@contoso.com"}, "with this user principal name", "object id"),
        ({"id": BORIS}, "with this object id", "object id"),
    ],
)
def test_the_finding_says_by_which_selector_the_account_was_not_found(
    user: dict[str, str], said: str, advice: str
) -> None:
    finding = found(CURRENT, {"account": None, "request": {"invitedUser": user}})["account-not-found"]
    assert said in finding.message
    assert advice in finding.fix


RIDDLES = ("whoever", "somebody", "who cannot", "that is none", "for it to", "so that others")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule.id))
def test_a_fix_is_a_sentence_that_names_the_next_action(rule: Any) -> None:
    texts = {Profile.CURRENT: rule.fix, Profile.LEGACY: rule.legacy_fix or rule.fix}
    for profile, text in texts.items():
        assert text.endswith(".")
        assert text[0].isupper()
        assert not any(word in text for word in RIDDLES)
        severity = rule.severity(profile, {})
        if severity is Severity.REVIEW:
            assert "pprov" in text, "a review is decided: approve, or what to do instead"
        if severity in {Severity.BLOCK, Severity.FIX}:
            ways = (
                "retry",
                "adopt the request",
                "new request",
                "Nothing to do",
                "anew",
                "object id",
            )
            assert any(way in text for way in ways)


def test_the_message_about_an_address_in_use_says_which_holder_is_deleted() -> None:
    known = {facts.USERS_WITH_ADDRESS: (BORIS,), facts.DELETED_WITH_ADDRESS: (GROUP,)}
    both = found(CURRENT, {"known": known})["address-in-use"]
    assert both.message == f"The address is held by another user ({BORIS}) and by a deleted user ({GROUP})."


def test_under_2020_the_mailbox_fix_does_not_mention_mail() -> None:
    account = {"assignedPlans": [MAILBOX_PLAN], "licenseAssignmentStates": BY_GROUP}
    assert "set mail" in found(CURRENT, {"account": account})["exchange-mailbox"].fix
    assert "set mail" not in found(LEGACY, {"account": account})["exchange-mailbox"].fix


def test_the_copy_fix_says_to_keep_the_own_domains_in_the_setting() -> None:
    """The setting replaces the tenant's own domains, so without them a copy to a colleague would be refused."""
    fix = found(CURRENT, {"request": COPY})["copy-recipient"].fix
    assert "your own domains beside it" in fix


@pytest.mark.parametrize("profile", [CURRENT, LEGACY])
def test_every_message_and_fix_of_the_examples_is_a_plain_sentence(profile: Profile) -> None:
    """This includes texts that depend on the case, and the fixes for refusals by Graph."""
    examples = [changes for example in EXAMPLES.values() for changes in example.hits]
    findings = [finding for changes in examples for finding in judge(case(profile, **changes), {})]
    texts = [text for finding in findings for text in (finding.message, finding.fix)]
    texts += [rule.refused_fix for rule in RULES if rule.refused_fix]
    for text in texts:
        assert text[0].isupper() or text[0].isdigit(), text
        assert text.endswith((".", CONTOSO)), text
        assert not any(word in text for word in RIDDLES), text
        assert len(text) < 420, text
    for rule in RULES:
        assert rule.refused_fix is None or "retry" in rule.refused_fix
