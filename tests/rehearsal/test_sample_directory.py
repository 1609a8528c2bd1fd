"""The sample's directory and its variants are valid."""

import json
import re
from typing import Any
from uuid import UUID

import pytest

from rehearsal.sample import Account, Malformed, Sample, Variant
from rehearsal.sample.merge_patch import merge
from tests.rehearsal.sample_support import twice

EXAMPLE_DOMAIN = re.compile(
    r"([a-z0-9-]+\.)*([a-z0-9-]+\.example|(contoso|fabrikam|northwindtraders|adatum|wingtiptoys|litware|tailspintoys|"
    r"proseware|woodgrovebank)\.com|contoso\.onmicrosoft\.com|myapps\.microsoft\.com)"
)


def requests_sent(sample: Sample) -> list[Account | Malformed]:
    return [*sample.accounts, *sample.malformed]


def test_names_are_unique_and_reasons_are_sentences(sample: Sample) -> None:
    entries: list[Account | Malformed | Variant] = [*sample.accounts, *sample.malformed, *sample.variants]
    assert not twice(entry.name for entry in entries)
    reasons = [entry.why for entry in (*entries, *sample.decisions)]
    assert [why for why in reasons if not why.endswith(".")] == []


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


def test_every_referenced_user_group_and_role_exists(sample: Sample) -> None:
    seed = sample.seed()
    users, groups = ({thing["id"] for thing in seed[kind]} for kind in ("users", "groups"))
    containers = [*seed["groups"], *seed["directoryRoles"]]
    assignments = [*seed["roleAssignments"], *seed["roleEligibilitySchedules"]]
    referred = [member for container in containers for member in container.get("members", [])]
    referred += [assignment["principalId"] for assignment in assignments]
    sponsors = {sponsor for a in sample.accounts for sponsor in a.request.body.get("invitedUserSponsors") or []}
    assert sponsors - users - groups == {"00c0ffee-0000-4000-8000-000000000000"}, "the one who must not be found"
    assert set(referred) <= users | groups
    assert set(seed["appRoleAssignments"]) <= users
    assert {sample.settings["B2B_EXCLUDED_GROUP_ID"], sample.settings["B2B_SCOPE_GROUP_ID"]} <= groups
    assert {role["roleTemplateId"] for role in seed["directoryRoles"]} <= {a["roleDefinitionId"] for a in assignments}


def test_every_partner_with_its_own_settings_is_a_home_tenant(sample: Sample) -> None:
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


def test_a_variant_changes_the_tenant_or_the_token_for_existing_accounts(sample: Sample) -> None:
    for variant in sample.variants:
        assert bool(variant.patch) != bool(variant.missing_roles), variant.name
        assert not variant.patch or sample.seed(variant.name) != sample.seed(), variant.name
        assert variant.expect, variant.name
        assert all(sample.account(name).request.wave == 1 for name in variant.expect), variant.name


def test_fact_not_readable_is_expected_if_and_only_if_a_permission_is_missing(sample: Sample) -> None:
    for variant in sample.variants:
        found = {rule for expect in variant.expect.values() for end in expect.values() for rule in end.findings}
        assert ("fact-not-readable" in found) == bool(variant.missing_roles), variant.name


def test_changing_a_returned_seed_does_not_change_the_sample(sample: Sample) -> None:
    sample.seed()["users"][0]["otherMails"].append("changed@fabrikam.com")
    sample.seed()["domains"].clear()
    assert "changed@fabrikam.com" not in json.dumps(sample.seed())
    assert sample.seed()["domains"]


def test_unknown_names_raise_key_error(sample: Sample) -> None:
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
def test_a_merge_patch_gives_the_results_of_its_rfc(target: Any, patch: Any, result: Any) -> None:
    assert merge(target, patch) == result
