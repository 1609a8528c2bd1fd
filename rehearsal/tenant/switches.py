"""The behaviour of Graph that nobody has measured, or on which sources disagree: each is a switch with positions.

The product has to be correct in every position. `docs/evidence.md` lists the belief behind each switch.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Switch:
    """One open question about Graph: its positions (the first is the default), what they mean, and the sources."""

    name: str
    positions: tuple[str, ...]
    meaning: str
    source: str

    @property
    def default(self) -> str:
        """The position that a tenant has unless it is set."""
        return self.positions[0]


SWITCHES: tuple[Switch, ...] = (
    Switch(
        "tenant-version",
        ("current", "2020"),
        "Which exclusions apply to a conversion: today's article, or that of the 2020 preview (Exchange licence, "
        "direct federation, home account outside Entra; address in otherMails for cloud-only, in mail for synced).",
        "MicrosoftDocs/azure-docs invite-internal-users.md, 2020-04 to 2026-04",
    ),
    Switch(
        "address-match",
        ("mail-or-other-mails", "mail-only"),
        "Where the invited address must stand on the account.",
        "MicrosoftDocs/azure-docs#71825 (either); #86773 (otherMails alone was not enough)",
    ),
    Switch(
        "address-case",
        ("ignored", "exact"),
        "Whether the comparison of the invited address with the account's looks at upper and lower case.",
        "nobody says",
    ),
    Switch(
        "pending-state",
        ("pending-acceptance", "unset"),
        "externalUserState of a converted account between invitation and redemption.",
        "documented for guests; the portal's card says an internal user 'has already been invited'",
    ),
    Switch(
        "internal-identity",
        ("kept", "removed"),
        "Whether the internal sign-in stays in identities after redemption.",
        "user-properties article: identities gains the external issuer; the rest is not said",
    ),
    Switch(
        "issuer-assigned-id",
        ("address", "opaque"),
        "How identities name a person who redeemed with an account that is not Microsoft's: by address, or by an id.",
        "reference: objectIdentity ('any format chosen by the issuer')",
    ),
    Switch(
        "audit-redeemer",
        ("signed-in", "invited", "account"),
        "Whom the audit log names as the one who redeemed: the account that signed in, the invited address, or the "
        "account of this tenant.",
        "DataDog/stratus-red-team quotes a record in which the first two are the same",
    ),
    Switch(
        "old-redeem-link",
        ("dead", "alive"),
        "What a repeated invitation does to the redeem link before it.",
        "public client code (dead, verified live); domain notes assume that links stay alive",
    ),
    Switch(
        "invite-redeemed-account",
        ("completed", "refused"),
        "Answer to an invitation of an account that has redeemed one: 201 with status Completed, or 400.",
        "invitation resource lists the status Completed without saying when",
    ),
    Switch(
        "corrected-invitation",
        ("accepted", "refused"),
        "Answer to an invitation of a pending account to another address that the account now has: 201 with a mail to "
        "that address, or 400.",
        "article reset-redemption-status describes accounts that have redeemed; no source describes pending ones",
    ),
    Switch(
        "admins-only-invitations",
        ("accepted", "refused"),
        "App-only invitations while allowInvitesFrom is adminsAndGuestInviters.",
        "microsoftgraph/microsoft-graph-docs-contrib#9556 (accepted) against the page before 2025 (refused)",
    ),
    Switch(
        "invite-without-permission",
        ("unauthorized", "guest-invitations-not-allowed", "denied"),
        "Answer when the token holds no permission that invites: 401 of the invitation service, its 403, or the "
        "directory's 403.",
        "microsoft-graph-docs-contrib#4228 (401); public client code (403)",
    ),
    Switch(
        "readwrite-invites",
        ("unless-restricted", "never", "always"),
        "Whether User.ReadWrite.All without User.Invite.All may invite; 'restricted' is adminsAndGuestInviters.",
        "the reference page (always) against a live test (403 while restricted)",
    ),
    Switch(
        "conversion-needs-readwrite",
        ("no", "yes"),
        "Whether converting needs User.ReadWrite.All beside User.Invite.All.",
        "samples use both; nobody says that one is not enough",
    ),
    Switch(
        "reset-without-readwrite",
        ("guest-invitations-not-allowed", "generic-exception"),
        "Which 403 answers resetRedemption without User.ReadWrite.All.",
        "MicrosoftDocs/azure-docs#78054",
    ),
    Switch(
        "mailbox-account",
        ("accepted", "refused"),
        "Whether the service itself refuses to convert an account with a mailbox (today's tenant version).",
        "MicrosoftDocs/azure-docs#105881: not supported; no refusal is on record",
    ),
    Switch(
        "unlicensed-mailbox",
        ("mastered-by-exchange", "open"),
        "Whether Graph refuses to change mail of an account that has no plan with a mailbox while its primary proxy "
        "address is in a verified domain, as a shared, room or equipment mailbox has.",
        "microsoftgraph/msgraph-sdk-go#939 (no property tells them); concept-provisioning-logs names the refusal",
    ),
    Switch(
        "disabled-account",
        ("refused", "accepted"),
        "Whether an account with accountEnabled false can be converted.",
        "public client code quotes the refusal for an invitation without invitedUser.id",
    ),
    Switch(
        "unknown-sponsor",
        ("refused", "ignored"),
        "Whether a sponsor who is neither a user nor a group refuses the invitation.",
        "the invitation resource says that sponsors are users and groups, and nothing of others",
    ),
    Switch(
        "role-holder",
        ("accepted", "refused"),
        "Whether an application may convert an account that holds a directory role.",
        "documented as refused for resetRedemption only",
    ),
    Switch(
        "restricted-account",
        ("generic-exception", "denied"),
        "Which 403 answers the invitation of an account in a restricted management unit.",
        "documented as refused without its text",
    ),
    Switch(
        "held-address",
        ("refused", "accepted", "refused-in-words-of-the-portal"),
        "Invitation with invitedUser.id while another user holds the address: refused with that user's object id, "
        "not at all, or with the portal's text, which names nobody.",
        "MicrosoftDocs/entra-docs troubleshoot.md (conflict) and #802; no answer with invitedUser.id is on record",
    ),
    Switch(
        "deleted-holder",
        ("ignored", "refused"),
        "Whether a soft-deleted holder of the address stands in the way of an invitation.",
        "MicrosoftDocs/entra-docs#802",
    ),
    Switch(
        "verified-subdomain",
        ("refused", "accepted"),
        "Invitation to a subdomain of a verified domain that is not listed itself.",
        "nobody says",
    ),
    Switch(
        "domain-list-refusal",
        ("forbidden", "bad-request"),
        "Status of the refusal by the tenant's allow or deny list.",
        "allow-deny-list article: checked at invitation; status and text are not given",
    ),
    Switch(
        "cross-tenant-refusal",
        ("forbidden", "bad-request"),
        "Status of the refusal by cross-tenant access settings.",
        "troubleshoot article gives the text without the status",
    ),
    Switch(
        "cross-tenant-partial",
        ("accepted", "refused"),
        "Invitation into a tenant that admits only named users or groups of the partner.",
        "nobody says",
    ),
    Switch(
        "refusal-text",
        ("generic", "descriptive"),
        "Text of every refusal whose wording is not on record: 'Invalid request input.', or one that names the cause.",
        "MicrosoftDocs/azure-docs#107086 (generic)",
    ),
    Switch(
        "unknown-account",
        ("not-found", "bad-request"),
        "Status when invitedUser.id names no user.",
        "nobody says",
    ),
    Switch(
        "several-cc-recipients",
        ("refused", "first-only"),
        "Two copies of one invitation mail.",
        "invitation resource: only one additional recipient is supported",
    ),
    Switch(
        "selected-properties",
        ("all", "empty-ones-left-out"),
        "Whether a user shows every selected property, null where it is empty, or leaves out the empty ones.",
        "reference: user-get shows them; nobody says that none is ever missing",
    ),
    Switch(
        "filter-case",
        ("ignored", "exact"),
        "Whether a filter tells upper from lower case in text.",
        "clients take it for granted that it does not; microsoftgraph/msgraph-sdk-dotnet#577 doubts it",
    ),
    Switch(
        "proxy-address-case",
        ("ignored", "exact"),
        "Whether a filter on proxyAddresses tells 'smtp:' from 'SMTP:'.",
        "clients ask for both spellings; nobody says why",
    ),
    Switch(
        "eligibility-licence",
        ("present", "absent"),
        "Whether the tenant is licensed for eligible roles; without it Graph answers 400 AadPremiumLicenseRequired.",
        "public client code (Microsoft365DSC and others)",
    ),
    Switch(
        "role-details",
        ("role-permission", "user-permission"),
        "What it takes to see more of a directory role in transitiveMemberOf than id and type.",
        "documented for groups and devices, not for roles",
    ),
    Switch(
        "federated-domains",
        ("expanded-only", "always"),
        "Whether federation configurations carry their domains without $expand.",
        "the metadata has a navigation property; the documented sample shows them without $expand",
    ),
    Switch(
        "expanded-members",
        ("first-20", "all"),
        "How many objects $expand on a relation returns.",
        "from memory of the directory documentation",
    ),
    Switch(
        "relations-for-applications",
        ("readable", "refused"),
        "Whether an application may read manager, owned objects and registered devices of a user with User.Read.All.",
        "reference: user-list-registereddevices, user-list-ownedobjects and user-list-manager name User.Read.All for "
        "applications in one edition and 'not supported' in another",
    ),
    Switch(
        "deleted-upn",
        ("prefixed", "kept"),
        "userPrincipalName of a soft-deleted account: with its object id in front, or as it was.",
        "from memory of deleted accounts in the portal",
    ),
    Switch(
        "batch-order",
        ("reversed", "as-sent"),
        "Order of the parts in the answer to $batch: any order is legal.",
        "json-batching article",
    ),
    Switch(
        "page-shape",
        ("full", "short"),
        "Pages as long as asked for, or an empty one first and then half of that: both are legal.",
        "paging article: follow nextLink, never count",
    ),
)

TABLE: Mapping[str, Switch] = {switch.name: switch for switch in SWITCHES}


class Switches:
    """The positions of the switches in one tenant."""

    def __init__(self, positions: Mapping[str, str] | None = None) -> None:
        self._positions = {switch.name: switch.default for switch in SWITCHES}
        for name, position in (positions or {}).items():
            self.set(name, position)

    def __getitem__(self, name: str) -> str:
        return self._positions[name]

    def set(self, name: str, position: str) -> None:
        """Set one switch. An unknown name or position raises ValueError."""
        switch = TABLE.get(name)
        if switch is None:
            raise ValueError(f"no switch is called {name!r}; there are {', '.join(TABLE)}")
        if position not in switch.positions:
            raise ValueError(f"switch {name} has the positions {', '.join(switch.positions)}, not {position!r}")
        self._positions[name] = position

    def positions(self) -> dict[str, str]:
        """Return all positions by name of the switch."""
        return dict(self._positions)
