"""List the credentials that an account had before its conversion, and what each still gives access to.

The app reads and changes no credential. It only repeats what Microsoft documents about accounts in this state, with the
id of the belief in docs/evidence.md. What Microsoft does not document is shown as not known.
"""

from dataclasses import dataclass
from enum import StrEnum

from b2b.domain.conversion.records import Conversion
from b2b.domain.conversion.stages import Stage

ONE_TIME_PASSCODE = "mail"
"""The issuer of an identity that signs in with a one-time passcode sent by mail."""


class Opens(StrEnum):
    """Whether a credential still gives access."""

    YES = "yes"
    NO = "no"
    NOT_KNOWN = "notKnown"
    NOTHING = "nothing"
    """There, in the cloud or on premises, the account has nothing that the credential could open."""


NOT_DOCUMENTED = "not documented"
"""The grade of a belief that no source supports."""


@dataclass(frozen=True)
class Belief:
    """Whether a credential gives access, and how certain that is."""

    opens: Opens
    grade: str = NOT_DOCUMENTED
    belief: str = ""
    """The id of the belief in docs/evidence.md; empty if there is none."""


@dataclass(frozen=True)
class Credential:
    """One credential, what it opens in the cloud and on premises, and what an administrator should do."""

    name: str
    cloud: Belief
    on_premises: Belief
    advice: str


WORKS = Belief(Opens.YES, "Documented", "RED-11")
SHUT = Belief(Opens.NO, "Documented", "RED-11")
STILL_THERE = Belief(Opens.YES, "Documented", "RED-18")
UNKNOWN, NOWHERE = Belief(Opens.NOT_KNOWN), Belief(Opens.NOTHING)
_REDEEMED = frozenset({Stage.ACCEPTED, Stage.VERIFIED, Stage.UNVERIFIED, Stage.COMPLETED})


def credentials(conversion: Conversion) -> tuple[Credential, ...]:
    """Return the credentials of an account at the present stage of its conversion."""
    redeemed = conversion.stage in _REDEEMED and conversion.accepted_at is not None
    passcode = redeemed and conversion.signs_in_with == ONE_TIME_PASSCODE
    return (_password(redeemed=redeemed, passcode=passcode, synced=conversion.synced), *_OTHERS)


def _password(*, redeemed: bool, passcode: bool, synced: bool) -> Credential:
    cloud = WORKS if not redeemed else SHUT if passcode else UNKNOWN
    on_premises = NOWHERE if not synced else SHUT if passcode else STILL_THERE
    where = "Active Directory" if synced else "Microsoft Entra ID"
    advice = "Set a random password" + (f" in {where}" if redeemed else " once the person has redeemed")
    return Credential(f"password in {where}", cloud, on_premises, f"{advice}; the app does not.")


_OTHERS = (
    Credential(
        "sessions and refresh tokens",
        UNKNOWN,
        NOWHERE,
        "Revoke them after the redemption: revokeSignInSessions, or in the portal.",
    ),
    Credential(
        "sign-in methods without a password, such as Windows Hello and security keys",
        UNKNOWN,
        UNKNOWN,
        "Look at the account's authentication methods in the portal, and delete the remaining ones.",
    ),
)
