"""The directory user that the rules judge."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from b2b.domain import service_plans
from b2b.domain.hashing import digest
from b2b.domain.service_plans import PlanKind

PENDING = "PendingAcceptance"
ACCEPTED = "Accepted"
PRIMARY = "SMTP:"
"""Prefix of the primary proxy address. Other proxy addresses have `smtp:`."""


class AssignedPlan(msgspec.Struct, frozen=True, rename="camel"):
    """Graph's `assignedPlan`: one service plan of one licence."""

    service_plan_id: str | None = None
    service: str | None = None
    capability_status: str | None = None


class ObjectIdentity(msgspec.Struct, frozen=True, rename="camel"):
    """Graph's `objectIdentity`: one way in which the user signs in."""

    sign_in_type: str | None = None
    issuer: str | None = None
    issuer_assigned_id: str | None = None
    """The user's name at the issuer. Graph leaves it empty for accounts of other Entra tenants."""


class LicenseState(msgspec.Struct, frozen=True, rename="camel"):
    """Graph's `licenseAssignmentState`: how the user got one licence."""

    sku_id: str | None = None
    assigned_by_group: str | None = None
    state: str | None = None

    @property
    def active(self) -> bool:
        """Tell whether the licence is in force: its state is `Active` or `ActiveWithError`."""
        return (self.state or "").startswith("Active")


class Account(msgspec.Struct, frozen=True, rename="camel"):
    """A Graph user. `$select` is generated from the fields, so the app reads exactly these properties."""

    id: str
    user_principal_name: str = ""
    display_name: str | None = None
    given_name: str | None = None
    surname: str | None = None
    company_name: str | None = None
    employee_id: str | None = None
    employee_type: str | None = None
    mail: str | None = None
    other_mails: list[str] | None = None
    proxy_addresses: list[str] | None = None
    account_enabled: bool | None = None
    user_type: str | None = None
    creation_type: str | None = None
    external_user_state: str | None = None
    external_user_state_change_date_time: str | None = None
    identities: list[ObjectIdentity] | None = None
    on_premises_sync_enabled: bool | None = None
    on_premises_user_principal_name: str | None = None
    assigned_plans: list[AssignedPlan] | None = None
    license_assignment_states: list[LicenseState] | None = None
    is_management_restricted: bool | None = None
    is_resource_account: bool | None = None
    withheld: tuple[str, ...] = ()
    """Selected properties that Graph left out of its answer. A rule must not take them for null."""

    @property
    def fingerprint(self) -> str:
        """A hash of all fields. It changes when one of them changes."""
        return digest(msgspec.json.encode(self))

    @property
    def synced(self) -> bool:
        """Tell whether Active Directory is the account's source of authority. If so, Graph cannot change its mail."""
        return self.on_premises_sync_enabled is True

    @property
    def pending(self) -> bool:
        """Tell whether an invitation waits for redemption."""
        return self.external_user_state == PENDING

    @property
    def accepted(self) -> bool:
        """Tell whether an invitation was redeemed."""
        return self.external_user_state == ACCEPTED

    @property
    def external(self) -> bool:
        """Tell whether the account shows an invitation, pending or redeemed."""
        return self.pending or self.accepted

    @property
    def exchange_plans(self) -> frozenset[PlanKind]:
        """The kinds of Exchange service plans that the account has."""
        plans = (
            (plan.service_plan_id or "", plan.service or "", plan.capability_status or "")
            for plan in self.assigned_plans or ()
        )
        return service_plans.kinds(plans)

    @property
    def licence_groups(self) -> tuple[str, ...]:
        """The object ids of the groups that give the account licences."""
        states = self.license_assignment_states or ()
        return tuple(sorted({state.assigned_by_group for state in states if state.assigned_by_group and state.active}))

    @property
    def licences(self) -> tuple[str, ...]:
        """The SKU ids of the licences in force, assigned directly or by a group, in lower case."""
        states = self.license_assignment_states or ()
        return tuple(sorted({state.sku_id.lower() for state in states if state.sku_id and state.active}))

    @property
    def licensed_directly(self) -> bool:
        """Tell whether a licence is assigned to the account directly and not by a group."""
        return any(not state.assigned_by_group and state.active for state in self.license_assignment_states or ())

    @property
    def primary_address(self) -> str | None:
        """The primary proxy address without its prefix; None if the account has none."""
        primary = (text for text in self.proxy_addresses or () if text.startswith(PRIMARY))
        return next((text.removeprefix(PRIMARY) for text in primary), None)

    @property
    def has_mailbox(self) -> bool:
        """Tell whether a service plan gives the account a mailbox. If so, Exchange manages the account's addresses."""
        return PlanKind.MAILBOX in self.exchange_plans


SELECT: tuple[str, ...] = tuple(
    field.encode_name for field in msgspec.structs.fields(Account) if field.name != "withheld"
)
"""The `$select` for every user that the app reads. Graph's answer holds only selected properties."""
STATE = "externalUserState"


def from_graph(user: Mapping[str, Any]) -> Account:
    """Read a Graph user. If a selected property is missing, which is not the same as null, `withheld` names it.

    Raises:
        ValueError: the answer is not a user.

    """
    selected = {name: user[name] for name in SELECT if name in user}
    withheld = [name for name in SELECT if name not in user]
    return msgspec.convert({**selected, "withheld": withheld}, Account)


def changed_at(account: Account) -> datetime | None:
    """Return when the external user state last changed; None if Graph gives no time with a time zone."""
    try:
        when = datetime.fromisoformat(account.external_user_state_change_date_time or "")
    except ValueError:
        return None
    return when if when.tzinfo else None
