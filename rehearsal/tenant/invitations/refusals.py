"""All checks of an invitation, in the order in which this tenant runs them. Graph's own order is not on record."""

from rehearsal.tenant.invitations import refusals_account as account
from rehearsal.tenant.invitations import refusals_tenant as tenant
from rehearsal.tenant.invitations.attempt import Attempt, Check

CHECKS: tuple[Check, ...] = (
    tenant.no_permission,
    tenant.invitations_off,
    account.lacks_readwrite,
    tenant.bad_address,
    tenant.too_many_copies,
    tenant.unknown_sponsor,
    tenant.verified_domain,
    tenant.domain_lists,
    tenant.cross_tenant,
    tenant.group_address,
    account.restricted_account,
    account.privileged_account,
    account.disabled_account,
    account.on_premises_upn,
    account.mailbox,
    account.home_account,
    account.address_not_on_account,
    account.held_address,
)


def refuse(attempt: Attempt) -> None:
    """Raise the error of the first check that refuses the invitation, if there is one."""
    for check in CHECKS:
        error = check(attempt)
        if error is not None:
            raise error
