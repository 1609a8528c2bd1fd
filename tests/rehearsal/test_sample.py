import base64
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, get_args
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from rehearsal.sample import Account, Expectation, Malformed, Profile, Sample, Variant, Way, load
from rehearsal.sample.merge_patch import merge

PROFILES: tuple[Profile, ...] = get_args(Profile)

# The severities a rule may have under `current` and under `2020`; an empty string is a rule that is off. Two where the
# account decides: a fix that Graph cannot make is a block, and a mail contact is the one holder that only warns.
RULES: dict[str, tuple[str, str]] = {
    "account-not-found": ("block", "block"),
    "already-external": ("block", "block"),
    "invitation-pending": ("block", "block"),
    "no-external-address": ("fix block", "block"),
    "address-not-on-account": ("fix block", "block"),
    "own-verified-domain": ("block", "block"),
    "exchange-mailbox": ("block", "block"),
    "unknown-exchange-plan": ("warn", "warn"),
    "on-premises-upn": ("block", "warn"),
    "on-premises-synced": ("warn", "warn"),
    "direct-federation": ("warn", "block"),
    "upn-domain-federated": ("warn", ""),
    "home-account-not-entra": ("warn", "block"),
    "custom-message-dropped": ("warn", "warn"),
    "address-ambiguous": ("", "review"),
    "fact-not-readable": ("review warn", "review warn"),
    "address-in-use": ("block warn", "block warn"),
    "address-requested-twice": ("block", "block"),
    "account-disabled": ("review", "review"),
    "directory-role": ("review", "review"),
    "restricted-management": ("block", "block"),
    "domain-not-allowed": ("block", ""),
    "cross-tenant-blocked": ("review", ""),
    "invitations-disabled": ("block", "block"),
    "invitations-admins-only": ("info", ""),
    "address-characters": ("block", "block"),
    "group-address": ("block", "block"),
    "account-ambiguous": ("block", "block"),
    "excluded-group": ("block", "block"),
    "mail-domain-differs": ("warn", "warn"),
    "message-suppressed": ("info", "info"),
}

VERDICT_OF = {"block": "blocked", "review": "needsReview", "fix": "fixable"}
STAGES_OF = {
    "ready": {"invited", "completed", "assessed"},
    "fixable": {"blocked", "assessed"},
    "blocked": {"blocked", "assessed"},
    "needsReview": {"needsReview", "assessed"},
}

STATUS_OF = {
    "EmptyBody": 400,
    "NotJson": 400,
    "UnknownField": 400,
    "MissingField": 400,
    "WrongType": 400,
    "InvalidValue": 400,
    "RedirectHostNotAllowed": 400,
    "CallbackNotAvailable": 400,
    "RequestTooLarge": 413,
    "RequestIdInUse": 409,
}

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
KIB = 1024

EXAMPLE_DOMAIN = re.compile(
    r"([a-z0-9-]+\.)*([a-z0-9-]+\.example|(contoso|fabrikam|northwindtraders|adatum|wingtiptoys|litware|tailspintoys|"
    r"proseware|woodgrovebank)\.com|contoso\.onmicrosoft\.com|myapps\.microsoft\.com)"
)


@pytest.fixture(scope="module")
def sample() -> Sample:
    return load()


def rules_on(profile: Profile) -> set[str]:
    return {rule for rule, severities in RULES.items() if severities[PROFILES.index(profile)]}


def everything_expected(sample: Sample) -> Iterator[tuple[str, Profile, Expectation]]:
    variants = [None, *(variant.name for variant in sample.variants)]
    for profile, variant in itertools.product(PROFILES, variants):
        for name, expectation in sample.expected(profile, variant).items():
            yield f"{variant or 'base'}/{name}", profile, expectation


def twice(values: Iterator[Any]) -> list[Any]:
    return [value for value, count in Counter(values).items() if count > 1]


def named_account(account: Account) -> dict[str, Any]:
    return {key: value for key, value in account.request.body["invitedUser"].items() if value is not None}


def requests_sent(sample: Sample) -> list[Account | Malformed]:
    return [*sample.accounts, *sample.malformed]


# What the sample has to cover


def test_there_are_at_least_sixty_accounts_of_several_partners(sample: Sample) -> None:
    users = sample.seed()["users"]
    own = {domain["id"] for domain in sample.tenant["domains"]}
    partners = {user["mail"].rpartition("@")[2].lower() for user in users if user.get("mail")} - own
    assert len(users) >= 60
    assert len(partners) >= 8


def test_every_account_of_the_tenant_is_asked_for(sample: Sample) -> None:
    seed = sample.seed()
    asked_for = {account.user_id for account in sample.accounts}
    assert {user["id"] for user in [*seed["users"], *seed["deletedUsers"]]} <= asked_for


@pytest.mark.parametrize("profile", PROFILES)
def test_every_rule_that_is_on_is_expected_at_least_once_and_no_other(sample: Sample, profile: Profile) -> None:
    expected = {rule for _, seen, end in everything_expected(sample) if seen == profile for rule in end.findings}
    assert expected == rules_on(profile)


@pytest.mark.parametrize("profile", PROFILES)
def test_cloud_only_and_synced_accounts_are_both_converted(sample: Sample, profile: Profile) -> None:
    converted = [a.user for a in sample.accounts if a.user and a.expect[profile].stage == "completed"]
    assert {bool(user.get("onPremisesSyncEnabled")) for user in converted} == {True, False}


@pytest.mark.parametrize("profile", PROFILES)
def test_every_stage_that_a_request_can_rest_in_is_reached(sample: Sample, profile: Profile) -> None:
    stages = {expectation.stage for expectation in sample.expected(profile).values()}
    assert stages == {"completed", "invited", "blocked", "needsReview", "assessed"}


def test_requests_arrive_in_every_way(sample: Sample) -> None:
    assert {account.request.by for account in sample.accounts} == set(get_args(Way))
    assert {request.by for request in sample.malformed} == {"http", "queue", "queue-base64"}


def test_accounts_are_named_in_all_three_ways(sample: Sample) -> None:
    assert {key for a in sample.accounts for key in named_account(a)} == {"id", "userPrincipalName", "mail"}


def test_every_error_that_a_request_can_be_refused_with_is_provoked(sample: Sample) -> None:
    assert {request.expect.code for request in sample.malformed} == set(STATUS_OF)


# What makes an expectation well formed


def test_an_expectation_lists_known_rules_in_order(sample: Sample) -> None:
    for where, profile, end in everything_expected(sample):
        assert list(end.findings) == sorted(set(end.findings)), where
        assert set(end.findings) <= rules_on(profile), where


def test_a_verdict_is_one_that_its_findings_can_give(sample: Sample) -> None:
    for where, profile, end in everything_expected(sample):
        severities = (RULES[rule][PROFILES.index(profile)].split() for rule in end.findings)
        verdicts = {
            next((verdict for severity, verdict in VERDICT_OF.items() if severity in chosen), "ready")
            for chosen in itertools.product(*severities)
        }
        assert end.verdict in verdicts, where


def test_a_stage_is_one_that_its_verdict_leads_to(sample: Sample) -> None:
    for where, _, end in everything_expected(sample):
        assert end.stage in STAGES_OF[end.verdict], where


def test_a_request_ends_assessed_just_when_it_is_a_dry_run(sample: Sample) -> None:
    for account in sample.accounts:
        dry = account.request.body.get("dryRun") is True
        assert {end.stage == "assessed" for end in account.expect.values()} == {dry}, account.name


def test_a_person_redeems_just_where_a_conversion_must_complete(sample: Sample) -> None:
    for account in sample.accounts:
        if account.joins is None:
            completes = "completed" in {end.stage for end in account.expect.values()}
            assert (account.redeem is not None) == completes, account.name
            assert not completes or "invited" not in {end.stage for end in account.expect.values()}, account.name


def test_a_joining_request_is_about_the_account_it_joins(sample: Sample) -> None:
    for account in sample.accounts:
        if account.joins:
            other = sample.account(account.joins)
            assert account.user is None
            assert account.user_id == other.user_id
            assert account.expect == other.expect
            assert account.request.wave >= other.request.wave
            assert {end.stage for end in other.expect.values()} <= {"invited", "completed"}, account.name


def test_the_key_in_a_request_is_the_one_of_its_account(sample: Sample) -> None:
    users = {user["id"]: user for user in [*sample.seed()["users"], *sample.seed()["deletedUsers"]]}
    for account in sample.accounts:
        ((key, value),) = named_account(account).items()
        user = users.get(account.user_id or "", {})
        held = [user.get(key), *(user.get("otherMails", []) if key == "mail" else [])]
        assert (value.lower() in {str(one).lower() for one in held}) == (account.user_id is not None), account.name


# What makes the directory well formed


def test_names_are_unique_and_reasons_are_sentences(sample: Sample) -> None:
    entries: list[Account | Malformed | Variant] = [*sample.accounts, *sample.malformed, *sample.variants]
    assert not twice(entry.name for entry in entries)
    assert [entry.name for entry in entries if not entry.why.endswith(".")] == []


def directory_ids(seed: dict[str, Any]) -> list[str]:
    kinds = (
        "users",
        "deletedUsers",
        "groups",
        "directoryRoles",
        "roleAssignments",
        "roleEligibilitySchedules",
        "contacts",
    )
    held = [one["id"] for assigned in seed["appRoleAssignments"].values() for one in assigned]
    return [seed["tenantId"], *(thing["id"] for kind in kinds for thing in seed[kind]), *held]


def test_ids_are_unique_guids_in_lower_case(sample: Sample) -> None:
    ids = directory_ids(sample.seed())
    assert not twice(iter(ids))
    assert [one for one in ids if str(UUID(one)) != one] == []


def test_user_principal_names_are_unique_and_in_verified_domains(sample: Sample) -> None:
    seed = sample.seed()
    names = [user["userPrincipalName"] for user in seed["users"]]
    verified = {domain["id"] for domain in seed["domains"] if domain["isVerified"]}
    assert not twice(name.lower() for name in names)
    assert {name.rpartition("@")[2] for name in names} <= verified


def test_whoever_is_referred_to_exists(sample: Sample) -> None:
    seed = sample.seed()
    users, groups = ({thing["id"] for thing in seed[kind]} for kind in ("users", "groups"))
    containers = [*seed["groups"], *seed["directoryRoles"]]
    assignments = [*seed["roleAssignments"], *seed["roleEligibilitySchedules"]]
    referred = [member for container in containers for member in container.get("members", [])]
    referred += [assignment["principalId"] for assignment in assignments]
    referred += [sponsor for a in sample.accounts for sponsor in a.request.body.get("invitedUserSponsors") or []]
    assert set(referred) <= users | groups
    assert set(seed["appRoleAssignments"]) <= users
    assert sample.settings["B2B_EXCLUDED_GROUP_ID"] in groups
    assert {role["roleTemplateId"] for role in seed["directoryRoles"]} <= {a["roleDefinitionId"] for a in assignments}


def test_every_partner_with_settings_of_its_own_is_somebodys_home(sample: Sample) -> None:
    partners = sample.tenant["crossTenantAccessPolicy"]["partners"]
    assert {partner["tenantId"] for partner in partners} <= set(sample.tenant["homeTenants"].values())


def test_only_example_domains_appear(sample: Sample) -> None:
    sent = "\n".join(
        request.text if isinstance(request, Malformed) else request.request.text for request in requests_sent(sample)
    )
    text = json.dumps(sample.seed(), ensure_ascii=False) + sent
    domains = {found.lower() for found in re.findall(r"(?:@|://)([A-Za-z0-9.-]+\.[A-Za-z]+)", text)}
    assert len(domains) > 10
    assert [
        domain for domain in domains if not EXAMPLE_DOMAIN.fullmatch(domain.replace("myapps.microsoft.com.", ""))
    ] == []


# What makes a request well formed


def test_request_ids_are_keys_and_each_belongs_to_one_request(sample: Sample) -> None:
    bodies: dict[str, Any] = {}
    for account in sample.accounts:
        key = account.request.request_id
        if key is not None:
            assert REQUEST_ID.fullmatch(key)
            assert bodies.setdefault(key, account.request.body) == account.request.body, account.name


def test_some_requests_leave_the_id_to_the_service(sample: Sample) -> None:
    without = {account.request.by for account in sample.accounts if account.request.request_id is None}
    assert without == set(get_args(Way))


def test_redirect_addresses_of_accepted_requests_are_on_allowed_hosts(sample: Sample) -> None:
    hosts = {urlsplit(a.request.body.get("inviteRedirectUrl") or "").hostname for a in sample.accounts} - {None}
    assert hosts == set(sample.settings["B2B_ALLOWED_REDIRECT_HOSTS"].split(","))


def test_a_queue_message_carries_the_text_as_its_way_says(sample: Sample) -> None:
    for account in sample.accounts:
        text = account.request.message
        decoded = base64.b64decode(text, validate=True).decode() if account.request.by == "queue-base64" else text
        data = json.loads(decoded)
        inner = data["data"] if account.request.by == "queue-cloudevent" else data
        assert inner == account.request.body, account.name


def test_a_refusal_says_what_its_way_can_tell(sample: Sample) -> None:
    for request in sample.malformed:
        by_http = request.by == "http"
        assert request.expect.status == (STATUS_OF[request.expect.code] if by_http else None), request.name
        assert request.expect.stage == (None if by_http else "rejected"), request.name


def test_a_refused_request_is_found_by_the_id_it_carries(sample: Sample) -> None:
    own = [request for request in sample.malformed if request.request_id and not request.conflicts_with]
    assert not twice(request.request_id for request in own)
    for request in own:
        assert json.loads(request.text)["requestId"] == request.request_id
    taken = {account.request.request_id for account in sample.accounts}
    assert taken.isdisjoint(request.request_id for request in own)


def test_a_conflicting_request_comes_after_the_one_whose_id_it_takes(sample: Sample) -> None:
    conflicts = [request for request in sample.malformed if request.conflicts_with]
    assert {request.by for request in conflicts} == {"http", "queue"}
    for request in conflicts:
        first = sample.account(request.conflicts_with or "").request
        assert request.expect.code == "RequestIdInUse"
        assert request.request_id == first.request_id
        assert request.wave > first.wave
        assert json.loads(request.text) != first.body


def test_a_refused_request_names_an_account_that_no_other_request_converts(sample: Sample) -> None:
    converted = {
        account.user_id
        for account in sample.accounts
        for end in account.expect.values()
        if end.stage in {"invited", "completed"}
    }
    named = {
        found for r in sample.malformed for found in re.findall(r'"invitedUser": \{"id": "([0-9a-f-]{36})"', r.text)
    }
    assert len(named) == 1
    assert named.isdisjoint(converted)


def test_oversized_requests_are_49_kib_and_fit_a_queue_message(sample: Sample) -> None:
    oversized = [request for request in sample.malformed if request.expect.code == "RequestTooLarge"]
    assert {request.by for request in oversized} == {"http", "queue"}
    assert {len(request.message.encode()) for request in oversized} == {49 * KIB}
    assert {json.loads(request.text)["invitedUser"]["id"] for request in oversized}


def test_the_messages_that_no_function_can_receive_are_told(sample: Sample) -> None:
    metadata = ("dequeueCount", "insertionTime")
    undeliverable = {r.name for r in sample.malformed if any(f'"{field}"' in r.text for field in metadata)}
    assert undeliverable == {request.name for request in sample.malformed if request.poison}
    assert len(undeliverable) == len(metadata)


# Variants of the tenant


def test_a_variant_changes_the_tenant_or_the_token_for_accounts_that_exist(sample: Sample) -> None:
    for variant in sample.variants:
        assert bool(variant.patch) != bool(variant.missing_roles), variant.name
        assert not variant.patch or sample.seed(variant.name) != sample.seed(), variant.name
        assert variant.expect, variant.name
        assert all(sample.account(name).request.wave == 1 for name in variant.expect), variant.name


def test_a_fact_cannot_be_read_just_where_a_permission_is_missing(sample: Sample) -> None:
    for variant in sample.variants:
        found = {rule for expect in variant.expect.values() for end in expect.values() for rule in end.findings}
        assert ("fact-not-readable" in found) == bool(variant.missing_roles), variant.name


def test_a_seed_belongs_to_its_receiver(sample: Sample) -> None:
    sample.seed()["users"][0]["otherMails"].append("changed@fabrikam.com")
    sample.seed()["domains"].clear()
    assert "changed@fabrikam.com" not in json.dumps(sample.seed())
    assert sample.seed()["domains"]


def test_unknown_names_are_errors(sample: Sample) -> None:
    with pytest.raises(KeyError, match="no-such-account"):
        sample.account("no-such-account")
    with pytest.raises(KeyError, match="no-such-variant"):
        sample.seed("no-such-variant")


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [  # RFC 7396, appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_does_what_its_rfc_says(target: Any, patch: Any, result: Any) -> None:
    assert merge(target, patch) == result
