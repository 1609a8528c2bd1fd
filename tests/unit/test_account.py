"""A user of the directory, as Graph returns it."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from b2b.domain.account import SELECT, Account, changed_at, from_graph
from tests.unit.cases import ANNA, user


def test_every_field_is_selected_by_its_name_in_graph() -> None:
    assert set(SELECT) == {field.encode_name for field in msgspec.structs.fields(Account)} - {"withheld"}
    assert {"id", "externalUserState", "proxyAddresses", "licenseAssignmentStates"} <= set(SELECT)


def test_a_user_is_read_and_unknown_properties_are_ignored() -> None:
    account = from_graph(
        {
            **dict.fromkeys(SELECT),
            "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users/$entity",
            "id": ANNA,
            "userPrincipalName": "anna@contoso.com",
            "otherMails": [],
            "identities": [{"signInType": "userPrincipalName", "issuer": "contoso.com", "issuerAssignedId": "anna"}],
            "assignedPlans": [{"assignedDateTime": "2026-01-01T00:00:00Z", "servicePlanId": None, "service": "x"}],
            "displayName": "Anna",
        }
    )
    assert (account.id, account.user_principal_name, account.mail) == (ANNA, "anna@contoso.com", None)


WHOLE: dict[str, Any] = {**dict.fromkeys(SELECT), "id": ANNA, "userPrincipalName": "a@contoso.com"}


@pytest.mark.parametrize("changes", [{"id": None}, {"id": 7}, {"userPrincipalName": None}, {"accountEnabled": "yes"}])
def test_an_answer_with_wrong_property_types_is_refused(changes: dict[str, Any]) -> None:
    assert from_graph(WHOLE).id == ANNA
    with pytest.raises(msgspec.ValidationError):
        from_graph({**WHOLE, **changes})


@pytest.mark.parametrize("name", [name for name in SELECT if name != "id"])
def test_a_property_that_graph_omits_is_recorded_as_withheld(name: str) -> None:
    account = from_graph({key: value for key, value in WHOLE.items() if key != name})
    assert account.withheld == (name,)
    assert account.fingerprint != from_graph(WHOLE).fingerprint
    assert from_graph(WHOLE).withheld == ()


def test_an_answer_without_an_id_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        from_graph({key: value for key, value in WHOLE.items() if key != "id"})


def test_the_groups_that_assign_licences_are_listed() -> None:
    states = [
        {"assignedByGroup": "b", "state": "Active"},
        {"assignedByGroup": "a", "state": "ActiveWithError"},
        {"assignedByGroup": "c", "state": "Disabled"},
        {"assignedByGroup": None, "state": "Error"},
    ]
    account = user(licenseAssignmentStates=states)
    assert (account.licence_groups, account.licensed_directly) == (("a", "b"), False)
    assert user(licenseAssignmentStates=[{"assignedByGroup": None, "state": "Active"}]).licensed_directly
    assert user(licenseAssignmentStates=None).licence_groups == ()


@pytest.mark.parametrize(
    ("state", "pending", "accepted"),
    [("PendingAcceptance", True, False), ("Accepted", False, True), (None, False, False), ("", False, False)],
)
def test_the_external_user_state_says_pending_or_accepted(state: str | None, *, pending: bool, accepted: bool) -> None:
    account = user(externalUserState=state)
    assert (account.pending, account.accepted) == (pending, accepted)


@pytest.mark.parametrize(("synced", "expected"), [(True, True), (False, False), (None, False)])
def test_only_true_means_synchronised(synced: bool | None, *, expected: bool) -> None:  # noqa: FBT001
    assert user(onPremisesSyncEnabled=synced).synced is expected


@pytest.mark.parametrize(
    ("said", "when"),
    [
        ("2026-10-01T08:00:00Z", datetime(2026, 10, 1, 8, tzinfo=UTC)),
        ("2026-10-01T08:00:00.1234567Z", datetime(2026, 10, 1, 8, 0, 0, 123456, tzinfo=UTC)),
        ("2026-10-01T10:00:00+02:00", datetime(2026, 10, 1, 8, tzinfo=UTC)),
        ("2026-10-01T08:00:00", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_the_time_of_the_state_change_is_read_or_none_if_malformed(said: str | None, when: datetime | None) -> None:
    assert changed_at(user(externalUserStateChangeDateTime=said)) == when
