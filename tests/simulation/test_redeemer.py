"""Who redeemed: what identities and the audit log tell, and when a person has to decide, on services in memory."""

from typing import Any

import pytest

from tests.simulation.directory_tenant import PERMISSIONS
from tests.simulation.people import TENANT_ID
from tests.simulation.place import ANNA, PASSED, STRANGER, Place

AUDITED = "AuditLog.Read.All"
READS_LOG = {"B2B_READ_AUDIT_LOG": "true"}


async def looked_at(place: Place, **person: str) -> str:
    """Invite a person and let the person redeem; return the stage of the conversion after the comparison."""
    await place.invite()
    await place.redeem(**person)
    await place.sweep(61)
    await place.sweep(PASSED)
    await place.sweep(PASSED)
    (stage,) = await place.stages()
    return stage


async def test_a_redemption_by_another_mailbox_is_unverified_and_can_be_accepted() -> None:
    place = Place()
    assert await looked_at(place, provider="mail", signed_in=STRANGER) == "unverified"
    said = "After the redemption: the identity is eve@elsewhere.com of mail, and p1@fabrikam.com was invited."
    assert (await place.finding("redeemed-by-other"), await place.matches()) == (said, "no")
    taken = await place.app.accept(ANNA, b'{"acceptedBy": "Nora", "reason": "she has a new name"}')
    assert (taken.body["stage"], taken.body["signInMatches"]) == ("completed", "no")
    assert (await place.events())[-1]["detail"].endswith(f"she has a new name: {said}")


async def test_a_fresh_comparison_finds_another_mailbox_again() -> None:
    place = Place()
    assert await looked_at(place, provider="mail", signed_in=STRANGER) == "unverified"
    assert (await place.app.compare(ANNA)).body["signInMatches"] is None
    await place.sweep(61)
    await place.sweep(PASSED)
    await place.sweep(PASSED)
    assert await place.stages() == {"unverified"}


@pytest.mark.parametrize(
    ("person", "matches"),
    [({"provider": "mail"}, "yes"), ({}, "cannotTell"), ({"signed_in": STRANGER}, "cannotTell")],
    ids=["mailbox", "Entra account", "another Entra account"],
)
async def test_without_the_audit_log_identities_alone_decide(person: dict[str, str], matches: str) -> None:
    place = Place()
    assert await looked_at(place, **person) == "completed"
    assert await place.matches() == matches


@pytest.mark.parametrize(
    ("position", "stage", "matches"),
    [("signed-in", "unverified", "no"), ("invited", "completed", "cannotTell"), ("account", "completed", "cannotTell")],
)
async def test_the_audit_log_shows_another_person_if_it_names_the_account_that_signed_in(
    position: str, stage: str, matches: str
) -> None:
    place = Place(1, PERMISSIONS | {AUDITED}, **READS_LOG)
    place.directory.set_switch("audit-redeemer", position)
    assert await looked_at(place, signed_in=STRANGER) == stage
    assert await place.matches() == matches


async def test_another_address_in_the_same_organisation_does_not_prove_another_person() -> None:
    place = Place(1, PERMISSIONS | {AUDITED}, **READS_LOG)
    place.directory.tenant.home_tenants |= {"fabrikam.com": TENANT_ID, "fabrikam.onmicrosoft.com": TENANT_ID}
    assert await looked_at(place, signed_in="p1@fabrikam.onmicrosoft.com") == "completed"
    assert await place.matches() == "cannotTell"


async def test_without_its_permission_the_history_says_that_the_log_is_unreadable() -> None:
    place = Place(1, PERMISSIONS, **READS_LOG)
    assert await looked_at(place, signed_in=STRANGER) == "completed"
    (proof,) = [event["detail"] for event in await place.events() if event["kind"] == "verified"]
    assert proof.endswith("; the audit log cannot be read: the permission AuditLog.Read.All is missing)")


async def test_a_missing_log_record_does_not_delay_the_end_of_the_comparison() -> None:
    place = Place(1, PERMISSIONS | {AUDITED}, **READS_LOG)
    place.directory.redemptions = Silent()
    assert await looked_at(place, signed_in=STRANGER) == "completed"
    (proof,) = [event["detail"] for event in await place.events() if event["kind"] == "verified"]
    assert proof.endswith("; the audit log has no record of the redemption)")


class Silent(list[Any]):
    """An audit log that keeps nothing."""

    def append(self, _record: object) -> None:
        """Keep nothing."""


@pytest.mark.parametrize(
    ("person", "stage"), [({"provider": "mail", "signed_in": STRANGER}, "unverified"), ({}, "completed")]
)
async def test_without_comparison_the_app_still_checks_who_redeemed(person: dict[str, str], stage: str) -> None:
    place = Place(B2B_COMPARE_ACCESS="false")
    await place.invite()
    await place.redeem(**person)
    assert await place.stages() == {stage}
    refused = await place.app.compare(ANNA)
    assert refused.body["error"]["code"] == "ComparisonOff"


async def test_the_audit_log_is_read_once_per_run_for_all_accounts() -> None:
    place = Place(20, PERMISSIONS | {AUDITED}, **READS_LOG)
    asked: list[str] = []

    def heard(url: str) -> None:
        if "auditLogs" in url:
            asked.append(url)

    place.directory.part_fault = heard
    assert await looked_at(place) == "completed"
    assert len(asked) == 2
