"""One invitation that is being checked, and the texts with which the service refuses it.

The texts are Microsoft's, with the typographic apostrophes of the recorded answers. For a refusal without a recorded
text the switch `refusal-text` chooses one, so that tests show that nothing depends on it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from rehearsal.tenant.directory.store import JSON
from rehearsal.tenant.gateway.routing import Call
from rehearsal.tenant.invitations.body import InvitationRequest
from rehearsal.tenant.protocol.errors import GraphError, bad_request

GUEST_INVITATIONS_NOT_ALLOWED = (
    "Guest invitations not allowed for your company. Contact your company administrator for more details."
)
GENERIC_AUTHORIZATION = "Generic authorization exception."
ADDRESS_NOT_ON_ACCOUNT = (
    "The email you\N{RIGHT SINGLE QUOTATION MARK}re using to invite this user "
    "doesn\N{RIGHT SINGLE QUOTATION MARK}t match any emails on the user object. "
    "Please add this email to the user object and try again."
)
HELD_BY_INTERNAL = "Non-external user already exists with the given mail address and can't be invited."
VERIFIED_DOMAIN = (
    "This user cannot be invited because the domain of the user's email address is a verified domain of this directory."
)
CROSS_TENANT_BLOCKED = (
    "This invitation is blocked by cross-tenant access settings. Admins in both your organization and the invited "
    "user's organization must configure cross-tenant access settings to allow the invitation."
)
READWRITE = frozenset({"User.ReadWrite.All", "Directory.ReadWrite.All"})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One invitation that is being checked: its call, its parsed body, and the account to convert (None: new guest)."""

    call: Call
    request: InvitationRequest
    account: JSON | None

    def switch(self, name: str) -> str:
        """Return the position of a switch."""
        return self.call.tenant.switches[name]

    def refusal(self, descriptive: str) -> GraphError:
        """Return a 400 with `descriptive` or a generic text.

        The switch `refusal-text` decides, because no text of Graph is on record.
        """
        return bad_request("Invalid request input." if self.switch("refusal-text") == "generic" else descriptive)


Check = Callable[[Attempt], GraphError | None]


def already_exists(user: JSON) -> GraphError:
    """Return the 400 for an address of an existing account (microsoftgraph/msgraph-beta-sdk-dotnet#798)."""
    start = f"The invited user already exists in the directory as object ID: {user['id']}"
    if user["accountEnabled"]:
        return bad_request(f"{start}. They can use that account to sign in to shared apps and resources.")
    return bad_request(
        f"{start}, but the account is blocked from signing in. If the account is unblocked, they can use that account "
        "to sign in to shared apps and resources."
    )
