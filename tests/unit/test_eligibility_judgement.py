"""Overrides, facts that need not be read, the words of messages, and what findings add up to."""

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2b.domain.eligibility import facts
from b2b.domain.eligibility.fact import Fact
from b2b.domain.eligibility.facts import FACTS
from b2b.domain.eligibility.judge import RULE_IDS, judge, needed_facts
from b2b.domain.eligibility.rules import RULES
from b2b.domain.findings import Finding, Profile, Severity, Verdict, verdict_of
from b2b.domain.lifecycle import snapshot
from b2b.domain.readings import Memberships, NotReadable, NotThere
from tests.unit.cases import ANNA, BORIS, CONTOSO, case

COLUMNS = (Profile.CURRENT, Profile.LEGACY)
WORST_FIRST = ["block", "review", "fix", "warn", "info"]
VERDICT_OF_WORST = {"block": "blocked", "review": "needsReview", "fix": "fixable", "warn": "ready", "info": "ready"}


def finding(severity: str) -> Finding:
    return Finding("account-disabled", Severity(severity), "message", "fix", "https://learn.microsoft.com/")


@pytest.mark.parametrize("profile", COLUMNS)
def test_the_needed_facts_are_those_of_the_rules_that_are_on(profile: Profile) -> None:
    on = [rule for rule in RULES if rule.severity(profile, {}) is not Severity.OFF]
    assert needed_facts(profile, {}) == {fact for rule in on for fact in rule.needs}


@pytest.mark.parametrize("fact", [fact for fact in FACTS if any(fact in rule.needs for rule in RULES)], ids=repr)
def test_a_fact_is_not_needed_if_every_rule_that_reads_it_is_off(fact: Fact[Any]) -> None:
    users = {rule.id for rule in RULES if fact in rule.needs}
    assert fact not in needed_facts(Profile.CURRENT, dict.fromkeys(users, Severity.OFF))
    for rule in users:
        others = dict.fromkeys(users - {rule}, Severity.OFF)
        assert fact in needed_facts(Profile.CURRENT, {**others, rule: Severity.WARN}), rule


def test_turning_on_a_rule_that_the_profile_leaves_out_adds_its_facts() -> None:
    assert facts.DOMAIN_LIST not in needed_facts(Profile.LEGACY, {})
    assert facts.DOMAIN_LIST in needed_facts(Profile.LEGACY, {"domain-not-allowed": Severity.BLOCK})


def test_every_fact_from_graph_names_a_permission() -> None:
    assert {fact for fact in FACTS if not fact.permission} == {facts.RESERVATION}


def test_every_fact_has_a_use() -> None:
    used = {fact for rule in RULES for fact in rule.needs} | snapshot.FACTS
    assert set(FACTS) - used == {facts.DELETED_ACCOUNT, facts.REDEMPTIONS}


@pytest.mark.parametrize("severity", [severity for severity in Severity if severity is not Severity.OFF])
def test_an_override_decides_the_severity(severity: Severity) -> None:
    disabled = case(Profile.CURRENT, account={"accountEnabled": False})
    (finding,) = judge(disabled, {"account-disabled": severity})
    assert finding.severity is severity


def test_a_rule_that_is_off_has_no_finding_and_others_still_have() -> None:
    troubled = case(Profile.CURRENT, account={"accountEnabled": False}, known={facts.USERS_WITH_ADDRESS: (BORIS,)})
    assert [item.rule for item in judge(troubled, {"account-disabled": Severity.OFF})] == ["address-in-use"]


def test_all_findings_are_returned_in_the_order_of_the_table() -> None:
    troubled = case(
        Profile.CURRENT,
        account={
            "accountEnabled": False,
            "isManagementRestricted": True,
            "onPremisesUserPrincipalName": "a@contoso.com",
        },
        known={facts.USERS_WITH_ADDRESS: (BORIS,)},
        send_message=False,
    )
    found = [item.rule for item in judge(troubled, {})]
    assert set(found) == {
        "on-premises-upn",
        "address-in-use",
        "account-disabled",
        "restricted-management",
        "message-suppressed",
    }
    assert found == sorted(found, key=RULE_IDS.index)


def test_an_unusable_address_has_one_finding_and_no_lookups() -> None:
    unusable = case(
        Profile.CURRENT,
        account={"mail": "anna+x@fabrikam.com"},
        known=dict.fromkeys((facts.HOME_TENANT, facts.USERS_WITH_ADDRESS, facts.GROUPS_WITH_ADDRESS), NotReadable()),
    )
    assert [item.rule for item in judge(unusable, {})] == ["address-characters"]


def test_the_2020_article_excludes_only_cloud_accounts_whose_home_is_not_in_entra() -> None:
    synced = {"onPremisesSyncEnabled": True}
    for profile, expected in ((Profile.CURRENT, True), (Profile.LEGACY, False)):
        rules = {item.rule for item in judge(case(profile, account=synced, known={facts.HOME_TENANT: NotThere()}), {})}
        assert ("home-account-not-entra" in rules) is expected
        blind = case(profile, account=synced, known={facts.HOME_TENANT: NotReadable()})
        texts = [item.message for item in judge(blind, {}) if "home-account-not-entra" in item.message]
        assert bool(texts) is expected


def test_the_message_for_an_external_account_has_its_state_change_time() -> None:
    since = {"externalUserStateChangeDateTime": "2026-10-01T08:00:00Z"}
    for state in ("Accepted", "PendingAcceptance"):
        (finding,) = judge(case(Profile.CURRENT, account={"externalUserState": state, **since}), {})
        assert "2026-10-01T08:00:00Z" in finding.message


def test_the_message_about_suppressed_mail_contains_the_sign_in_address() -> None:
    (finding,) = judge(case(Profile.CURRENT, send_message=False), {})
    assert f"https://myapps.microsoft.com?tenantId={CONTOSO}" in finding.message


def test_the_message_about_roles_names_up_to_20_and_counts_the_rest() -> None:
    many = tuple(f"role-{number:02d}" for number in range(23))
    messages: list[str] = []
    eligible: dict[Fact[Any], Any] = {facts.ROLE_ELIGIBILITIES: ("Reader",)}
    for active in (many, (*many[:-1], "another")):
        (finding,) = judge(case(Profile.CURRENT, known={facts.MEMBERSHIPS: Memberships(roles=active), **eligible}), {})
        assert "role-19 and 3 more (" in finding.message or "role-18 and 3 more (" in finding.message
        assert "eligible role: Reader" in finding.message
        messages.append(finding.message)
    assert messages[0] != messages[1]


def test_a_deleted_account_and_an_unknown_account_have_different_messages() -> None:
    lost: dict[str, Any] = {"account": None}
    (deleted,) = judge(case(Profile.CURRENT, known={facts.DELETED_ACCOUNT: True}, **lost), {})
    (unknown,) = judge(case(Profile.CURRENT, **lost), {})
    assert "recycle bin" in deleted.message
    assert "recycle bin" not in unknown.message


@pytest.mark.parametrize(
    ("profile", "account", "where"),
    [
        (Profile.CURRENT, {}, "mail"),
        (Profile.CURRENT, {"onPremisesSyncEnabled": True}, "mail"),
        (Profile.LEGACY, {}, "otherMails"),
        (Profile.LEGACY, {"onPremisesSyncEnabled": True}, "mail"),
    ],
)
def test_messages_about_a_missing_address_name_the_property_that_is_read(
    profile: Profile, account: dict[str, Any], where: str
) -> None:
    empty = case(profile, account={**account, "mail": None, "otherMails": []})
    other = case(profile, account=account, request={"invitedUserEmailAddress": "a.other@fabrikam.com"})
    messages = {item.rule: item.message for judged in (empty, other) for item in judge(judged, {})}
    assert messages["no-external-address"].endswith(f"the account's {where} is empty.")
    assert messages["address-not-on-account"].endswith(f"the account's {where}.")


def test_no_message_repeats_the_address_of_the_person() -> None:
    troubled = case(
        Profile.CURRENT,
        account={"mail": "other@adatum.com", "otherMails": ["anna@fabrikam.com", "x@adatum.com"]},
        request={"invitedUserEmailAddress": "anna@fabrikam.com"},
        known={
            facts.USERS_WITH_ADDRESS: (BORIS,),
            facts.GROUPS_WITH_ADDRESS: (ANNA,),
            facts.HOME_TENANT: NotThere(),
        },
    )
    text = " ".join(item.message for item in judge(troubled, {"address-ambiguous": Severity.WARN}))
    assert "@" not in text


@pytest.mark.parametrize(("worse", "milder"), list(combinations(WORST_FIRST, 2)))
def test_the_worst_finding_decides_in_any_order(worse: str, milder: str) -> None:
    expected = Verdict(VERDICT_OF_WORST[worse])
    assert verdict_of([finding(worse), finding(milder)]) is expected
    assert verdict_of([finding(milder), finding(worse)]) is expected


def test_without_findings_an_account_is_ready() -> None:
    assert verdict_of([]) is Verdict.READY


@given(st.lists(st.sampled_from(WORST_FIRST), min_size=1))
def test_the_verdict_is_that_of_the_worst_finding(severities: list[str]) -> None:
    worst = min(severities, key=WORST_FIRST.index)
    assert verdict_of(map(finding, severities)) == VERDICT_OF_WORST[worst]
