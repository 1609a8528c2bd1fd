"""What the sample must cover, and which expectations are valid."""

import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from b2b.domain.campaign.deciding import ALONE
from b2b.domain.campaign.reading import read
from b2b.domain.eligibility.judge import FACT_NOT_READABLE, RULE_IDS
from b2b.domain.eligibility.rules import RULES
from b2b.domain.findings import Profile as ProductProfile
from b2b.domain.findings import Severity
from b2b.domain.request import IntakePolicy
from rehearsal.sample import Account, Act, Action, Expectation, Moment, Profile, Redemption, Sample, Way
from rehearsal.sample.listing import as_csv
from tests.rehearsal.sample_support import STATUS_OF, twice

PROFILES: tuple[Profile, ...] = get_args(Profile)

# A few rules are less severe in milder cases, and a fix that Graph cannot make is a block.
MILDER = {"address-in-use": "warn", "sponsor-unusable": "warn", "unknown-exchange-plan": "warn"}
UNREADABLE = ("review", "warn")


VERDICT_OF = {"block": "blocked", "review": "needsReview", "fix": "fixable"}
STAGES_OF = {
    "ready": {"invited", "completed", "assessed"},
    "fixable": {"blocked", "assessed"},
    "blocked": {"blocked", "assessed"},
    "needsReview": {"needsReview", "assessed", "unverified"},
}
AFTER_REDEMPTION = {"redeemed-by-other"}
"""Findings that no rule has: they come from the look after a redemption."""
REDEEMABLE = {"invited", "completed", "unverified"}
DECIDED_FROM: dict[Action, str] = {
    "release": "assessed",
    "approve": "needsReview",
    "refuse": "needsReview",
    "cancel": "requested",
    "adopt": "blocked",
}
"""The stage in which each decision is made. A request that waits until it is cancelled is `requested`."""


def weights(rule: str, profile: Profile) -> tuple[str, ...]:
    """Return the severities that a rule may have under a profile; empty if it is off."""
    if rule == FACT_NOT_READABLE:
        return UNREADABLE
    (row,) = (known for known in RULES if known.id == rule)
    severity = row.severity(ProductProfile(profile), {})
    if severity is Severity.OFF:
        return ()
    harder = ("block",) if severity is Severity.FIX else ()
    return (severity.value, *harder, *((MILDER[rule],) if rule in MILDER else ()))


def rules_on(profile: Profile) -> set[str]:
    return {rule for rule in (*RULE_IDS, FACT_NOT_READABLE) if weights(rule, profile)}


def everything_expected(sample: Sample) -> Iterator[tuple[str, Profile, Expectation]]:
    variants = [None, *(variant.name for variant in sample.variants)]
    for profile, variant in itertools.product(PROFILES, variants):
        for name, expectation in sample.expected(profile, variant).items():
            yield f"{variant or 'base'}/{name}", profile, expectation


def named_account(account: Account) -> dict[str, Any]:
    return {key: value.strip() for key, value in account.request.body["invitedUser"].items() if value}


def test_the_sample_has_at_least_60_accounts_of_at_least_8_partners(sample: Sample) -> None:
    users = sample.seed()["users"]
    own = {domain["id"] for domain in sample.tenant["domains"]}
    partners = {user["mail"].rpartition("@")[2].lower() for user in users if user.get("mail")} - own
    assert len(users) >= 60
    assert len(partners) >= 8


def test_every_account_of_the_tenant_is_named_by_a_request(sample: Sample) -> None:
    seed = sample.seed()
    asked_for = {account.user_id for account in sample.accounts}
    assert {user["id"] for user in [*seed["users"], *seed["deletedUsers"]]} <= asked_for


@pytest.mark.parametrize("profile", PROFILES)
def test_every_active_rule_is_expected_at_least_once_and_no_other(sample: Sample, profile: Profile) -> None:
    expected = {rule for _, seen, end in everything_expected(sample) if seen == profile for rule in end.findings}
    assert expected - AFTER_REDEMPTION == rules_on(profile)
    assert expected >= AFTER_REDEMPTION


@pytest.mark.parametrize("profile", PROFILES)
def test_cloud_only_and_synced_accounts_are_both_converted(sample: Sample, profile: Profile) -> None:
    converted = [a.user for a in sample.accounts if a.user and a.expect[profile].stage == "completed"]
    assert {bool(user.get("onPremisesSyncEnabled")) for user in converted} == {True, False}


@pytest.mark.parametrize("profile", PROFILES)
def test_every_stage_in_which_a_request_can_rest_is_expected(sample: Sample, profile: Profile) -> None:
    stages = {expectation.stage for expectation in sample.expected(profile).values()}
    assert stages == {"completed", "unverified", "invited", "blocked", "needsReview", "assessed"}


@pytest.mark.parametrize("profile", PROFILES)
def test_every_decision_is_made_once_from_a_stage_that_allows_it(sample: Sample, profile: Profile) -> None:
    assert {decision.action for decision in sample.decisions} == set(get_args(Action))
    assert not twice(decision.request for decision in sample.decisions)
    expected, ends = sample.expected(profile), sample.ends(profile)
    for decision in sample.decisions:
        before = "requested" if decision.waits else expected[decision.request].stage
        assert before == DECIDED_FROM[decision.action], decision.request
        assert ends[decision.request].stage in {"invited", "cancelled"} or decision.action == "adopt"
        assert ends[decision.request] != expected[decision.request]


def test_a_request_with_a_decision_is_the_only_one_for_its_account(sample: Sample) -> None:
    decided = {sample.account(decision.request).user_id for decision in sample.decisions}
    asked_for = [account.user_id for account in sample.accounts if account.user_id in decided]
    assert len(asked_for) == len(decided) == len(sample.decisions)


def test_requests_are_sent_in_every_way(sample: Sample) -> None:
    assert {account.request.by for account in sample.accounts} == set(get_args(Way))
    assert {request.by for request in sample.malformed} == {"list", "http", "queue", "queue-base64"}


def test_most_accounts_are_on_the_list_with_only_what_a_list_can_express(sample: Sample) -> None:
    assert len(sample.listed) > 2 * len(sample.asked_for_alone)
    for account in sample.listed:
        assert account.request.wave == 1
        assert account.joins is account.of is None
        assert "dryRun" not in account.request.body


def test_the_app_reads_every_row_of_the_list_and_refuses_the_expected_ones(sample: Sample) -> None:
    policy = IntakePolicy(frozenset(sample.settings["B2B_ALLOWED_REDIRECT_HOSTS"].split(",")))
    reading = read(as_csv(sample), policy)
    asked = {account.name: account.request.body["invitedUser"] for account in sample.listed}
    assert {entry.reference: dict(entry.names) for entry in reading.entries} == {
        name: {key: value.strip() for key, value in user.items() if value} for name, user in asked.items()
    }
    refused = [entry.expect for entry in sample.refused_rows]
    assert [(fault.code, fault.column) for fault in reading.faults] == [(each.code, each.target) for each in refused]


@pytest.mark.parametrize("profile", PROFILES)
def test_the_sample_list_has_group_approvals_refusals_and_single_decisions(sample: Sample, profile: Profile) -> None:
    listed = {account.name for account in sample.listed}
    decided = [each for each in sample.decisions if each.request in listed]
    rules = Counter((each.action, sample.expected(profile)[each.request].findings) for each in decided)
    assert {action for action, _ in rules} == {"approve", "refuse"}
    assert max(rules.values()) > 1
    assert any(ALONE & set(findings) for _, findings in rules)


def test_accounts_are_named_in_all_three_ways(sample: Sample) -> None:
    assert {key for a in sample.accounts for key in named_account(a)} == {"id", "userPrincipalName", "mail"}


def test_every_error_that_can_refuse_a_request_is_provoked(sample: Sample) -> None:
    assert {request.expect.code for request in sample.malformed_alone} == set(STATUS_OF)


# Valid expectations


def test_an_expectation_lists_known_rules_in_order(sample: Sample) -> None:
    for where, profile, end in everything_expected(sample):
        assert list(end.findings) == sorted(set(end.findings)), where
        assert set(end.findings) - AFTER_REDEMPTION <= rules_on(profile), where


def test_an_expected_verdict_can_follow_from_its_findings(sample: Sample) -> None:
    for where, profile, end in everything_expected(sample):
        severities = (("review",) if rule in AFTER_REDEMPTION else weights(rule, profile) for rule in end.findings)
        verdicts = {
            next((verdict for severity, verdict in VERDICT_OF.items() if severity in chosen), "ready")
            for chosen in itertools.product(*severities)
        }
        assert end.verdict in verdicts, where


def test_an_expected_stage_can_follow_from_its_verdict(sample: Sample) -> None:
    for where, _, end in everything_expected(sample):
        assert end.verdict is not None, where
        assert end.stage in STAGES_OF[end.verdict], where


def test_exactly_the_dry_runs_end_as_assessed(sample: Sample) -> None:
    for account in sample.accounts:
        dry = account.request.body.get("dryRun") is True
        assert {end.stage == "assessed" for end in account.expect.values()} == {dry}, account.name


def test_a_person_redeems_if_and_only_if_the_conversion_must_complete(sample: Sample) -> None:
    for account in sample.accounts:
        if account.joins is None:
            ends = {sample.ends(profile)[account.name].stage for profile in PROFILES}
            was_reset = any(each.account == account.name and each.act == "reset" for each in sample.changes)
            assert (account.redeem is not None) == bool({"completed", "unverified"} & ends or was_reset), account.name
            assert "invited" not in ends or account.redeem is None or was_reset, account.name


def test_every_kind_and_moment_of_change_in_the_directory_occurs_in_the_sample(sample: Sample) -> None:
    assert {change.act for change in sample.changes} == set(get_args(Act))
    assert {change.when for change in sample.changes} == set(get_args(Moment))
    joined = {account.joins for account in sample.accounts}
    for change in sample.changes:
        account = sample.account(change.account)
        assert account.user is not None
        assert change.expect is None or change.account not in joined
        assert bool(change.value) == (change.act in {"invite", "reset", "leave-group"}), change.account
        assert account.redeem is not None


def test_people_redeem_at_once_soon_late_and_never(sample: Sample) -> None:
    invited = [account for account in sample.accounts if sample.ends("current")[account.name].stage in REDEEMABLE]
    assert {account.redeem_on for account in invited if account.redeem} == set(get_args(Redemption))
    assert any(account.redeem is None for account in invited)


def test_a_joining_request_names_the_account_whose_conversion_it_joins(sample: Sample) -> None:
    for account in sample.accounts:
        if account.joins:
            other = sample.account(account.joins)
            assert account.user is None
            assert account.user_id == other.user_id
            assert account.expect == other.expect
            assert account.request.wave >= other.request.wave
            assert {end.stage for end in other.expect.values()} <= {"invited", "completed"}, account.name


def test_a_request_names_its_account_by_a_value_that_the_account_holds(sample: Sample) -> None:
    users = {user["id"]: user for user in [*sample.seed()["users"], *sample.seed()["deletedUsers"]]}
    for account in sample.accounts:
        ((key, value),) = named_account(account).items()
        user = users.get(account.user_id or "", {})
        held = [user.get(key), *(user.get("otherMails", []) if key == "mail" else [])]
        assert (value.lower() in {str(one).lower() for one in held}) == (account.user_id is not None), account.name
