"""Rules about the tenant as a whole."""

from b2b.domain.eligibility import facts
from b2b.domain.eligibility.case import Case
from b2b.domain.eligibility.rule import INVITING, Result, Subject, rule
from b2b.domain.eligibility.tenant import InvitesFrom
from b2b.domain.findings import Severity


@rule(
    "invitations-disabled",
    Subject.TENANT,
    Severity.BLOCK,
    Severity.BLOCK,
    facts.INVITATION_POLICY,
    fix="Change who can invite (Entra admin center > External Identities > External collaboration settings), wait up "
    "to an hour, then retry.",
    source=INVITING,
    enforced_by_graph=True,
)
def invitations_disabled(case: Case) -> Result:
    """The tenant allows no invitations."""
    nobody = case.facts[facts.INVITATION_POLICY] == InvitesFrom.NONE
    return "This tenant allows no invitations, not even by applications." if nobody else None


@rule(
    "invitations-admins-only",
    Subject.TENANT,
    Severity.INFO,
    Severity.OFF,
    facts.INVITATION_POLICY,
    fix="Nothing to do while the application holds User.Invite.All; GET /api/health says whether it does.",
    source=INVITING,
)
def invitations_admins_only(case: Case) -> Result:
    """Only administrators may invite. The app then needs User.Invite.All; sources disagree about other permissions."""
    admins_only = case.facts[facts.INVITATION_POLICY] == InvitesFrom.ADMINS
    return "Only administrators and guest inviters may invite in this tenant." if admins_only else None
