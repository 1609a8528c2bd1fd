"""Ask which permissions allow inviting. Most of these questions need a second sign-in with fewer permissions."""

from collections.abc import Callable, Collection

from probe.bench import INVITED, REFUSED, Bench, Identity
from probe.calls import AUTHORIZATION_POLICY, INVITE, WRITE, Call
from probe.errors import Skipped, Unclear
from probe.graph import Answer
from probe.questions.question import INVITES, Question, Reading, either

READWRITE = frozenset({WRITE, "Directory.ReadWrite.All"})
RESTRICTED = "adminsAndGuestInviters"
NOT_ALLOWED, GENERIC = "Guest invitations not allowed", "Generic authorization exception"
UNAUTHORIZED, FORBIDDEN = 401, 403


def admins_only(bench: Bench) -> Reading:
    """Ask INV-15: whether an application may invite in a tenant where only administrators may."""
    _application(bench.main)
    if who_may_invite(bench) != RESTRICTED:
        raise Skipped(f"the tenant does not restrict invitations to administrators (allowInvitesFrom {RESTRICTED})")
    return either(bench.plain().answer, accepted="accepted", refused="refused")


def readwrite_alone(bench: Bench) -> Reading:
    """Ask INV-16: whether User.ReadWrite.All is enough to invite.

    Which positions fit depends on whom the tenant allows to invite, and the probe does not change that setting.
    """
    other = _other(bench, lambda held: INVITE not in held and bool(READWRITE & set(held)), f"{WRITE} and not {INVITE}")
    answer = _invited_by(bench, other)
    restricted = who_may_invite(bench) == RESTRICTED
    if answer.status == INVITED:
        return Reading(("always",) if restricted else ("unless-restricted", "always"), answer)
    return Reading(("unless-restricted", "never") if restricted else ("never",), answer)


def no_permission(bench: Bench) -> Reading:
    """Ask INV-17: how Graph answers an invitation by an application without a permission for it."""
    other = _other(bench, lambda held: not ({INVITE} | READWRITE) & set(held), f"neither {INVITE} nor {WRITE}")
    answer = _invited_by(bench, other)
    if answer.status == UNAUTHORIZED:
        return Reading(("unauthorized",), answer)
    if answer.code == "Authorization_RequestDenied":
        return Reading(("denied",), answer)
    return Reading(("guest-invitations-not-allowed",) if NOT_ALLOWED in answer.message else (), answer)


def invite_alone(bench: Bench) -> Reading:
    """Ask INV-18: whether User.Invite.All alone is enough to convert an account."""
    bench.control()
    return either(_invited_by(bench, _inviter(bench)), accepted="no", refused="yes")


def reset_without_readwrite(bench: Bench) -> Reading:
    """Ask RED-09: how Graph refuses a reset of the redemption without User.ReadWrite.All."""
    account = bench.control().account
    answer = bench.invite(account, by=_inviter(bench).graph, resetRedemption=True)
    if answer.status == FORBIDDEN and NOT_ALLOWED in answer.message:
        return Reading(("guest-invitations-not-allowed",), answer)
    return Reading(("generic-exception",) if GENERIC in answer.message else (), answer)


def who_may_invite(bench: Bench) -> str:
    """Return the tenant's `allowInvitesFrom`.

    Raises:
        Skipped: the setting could not be read.

    """
    answer = bench.ask(AUTHORIZATION_POLICY, query={"$select": "allowInvitesFrom"})
    if not answer.good:
        raise Skipped(f"who may invite could not be read: {answer.short}")
    return str(answer.body["allowInvitesFrom"])


def _inviter(bench: Bench) -> Identity:
    return _other(bench, lambda held: INVITE in held and not READWRITE & set(held), f"{INVITE} and not {WRITE}")


def _other(bench: Bench, fits: Callable[[Collection[str]], bool], what: str) -> Identity:
    for other in bench.others:
        if other.session.who == "application" and fits(other.session.permissions):
            return other
    raise Skipped(f"it takes a second sign-in (--also) of an application that holds {what}")


def _application(identity: Identity) -> None:
    if identity.session.who != "application":
        raise Skipped("it asks what an application may, and a person has signed in")


def _invited_by(bench: Bench, other: Identity) -> Answer:
    address = bench.address()
    answer = bench.invite(bench.account(address, other_mails=[address]), by=other.graph)
    if answer.status != INVITED and answer.status not in REFUSED:
        raise Unclear(f"the service answered {answer.short}", answer)
    return answer


def _question(
    identifier: str,
    asks: str,
    ask: Callable[[Bench], Reading],
    switch: str,
    positions: tuple[str, ...],
    *,
    calls: tuple[Call, ...] = INVITES,
    accounts: int = 1,
) -> Question:
    return Question(identifier, asks, ask, calls, switch, positions, accounts=accounts)


QUESTIONS = (
    _question(
        "INV-15",
        "An application may invite where only administrators may",
        admins_only,
        "admins-only-invitations",
        ("accepted", "refused"),
        calls=(*INVITES, AUTHORIZATION_POLICY),
        accounts=0,
    ),
    _question(
        "INV-16",
        "User.ReadWrite.All invites where the tenant does not restrict invitations",
        readwrite_alone,
        "readwrite-invites",
        ("unless-restricted", "never", "always"),
        calls=(*INVITES, AUTHORIZATION_POLICY),
    ),
    _question(
        "INV-17",
        "Without a permission that invites the answer is a 401",
        no_permission,
        "invite-without-permission",
        ("unauthorized", "guest-invitations-not-allowed", "denied"),
    ),
    _question("INV-18", "User.Invite.All alone converts", invite_alone, "conversion-needs-readwrite", ("no", "yes")),
    _question(
        "RED-09",
        "A reset without User.ReadWrite.All reads 'Guest invitations not allowed'",
        reset_without_readwrite,
        "reset-without-readwrite",
        ("guest-invitations-not-allowed", "generic-exception"),
        accounts=0,
    ),
)
