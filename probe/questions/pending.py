"""Ask what an invitation does to an account: while it is pending, when it is redeemed, and when it is repeated."""

from probe.bench import INVITED, PENDING, REFUSED, Bench
from probe.errors import Unclear
from probe.questions.question import WATCHES, Question, Reading, belief

COMPLETED = "Completed"
ACCEPTED, REFUSED_AGAIN = "completed", "refused"


def pending_state(bench: Bench) -> Reading:
    """Ask RED-01: whether an account shows a pending invitation."""
    shows, answer = bench.shows()
    return Reading(("pending-acceptance" if shows else "unset",), answer)


def internal_identity(bench: Bench) -> Reading:
    """Ask RED-03: whether the internal sign-in stays after the redemption."""
    redeemed = bench.redemption()
    kept = any(identity["signInType"] == "userPrincipalName" for identity in redeemed.user["identities"])
    return Reading(("kept" if kept else "removed",), redeemed.answer)


def name_and_creation(bench: Bench) -> Reading:
    """Ask RED-04: whether the name and `creationType` stay after the redemption."""
    redeemed = bench.redemption()
    same = redeemed.user["userPrincipalName"] == redeemed.account.name
    return belief(same and redeemed.user["creationType"] is None, redeemed.answer)


def old_link(bench: Bench) -> Reading:
    """Ask RED-05: whether a second invitation disables the link of the first."""
    redeemed = bench.redemption()
    return Reading(("alive" if redeemed.old_link_worked else "dead",), redeemed.answer)


def invited_again(bench: Bench) -> Reading:
    """Ask RED-06: how Graph answers an invitation after the redemption."""
    answer = bench.invite(bench.redemption().account)
    if answer.status == INVITED:
        return Reading((ACCEPTED,) if answer.body["status"] == COMPLETED else (), answer)
    if answer.status in REFUSED:
        return Reading((REFUSED_AGAIN,), answer)
    raise Unclear(f"the service answered {answer.short}", answer)


def reset(bench: Bench) -> Reading:
    """Ask RED-07: whether `resetRedemption` makes the account pending again.

    This question comes last in this module, because it leaves the shared account pending.
    """
    account = bench.redemption().account
    answer = bench.invite(account, resetRedemption=True)
    if answer.status != INVITED:
        return belief(False, answer)  # noqa: FBT003
    seconds = bench.accounts.wait_for(account, lambda user: user["externalUserState"] == PENDING)
    return belief(seconds is not None, answer)


QUESTIONS = (
    Question(
        "RED-01",
        "A pending invitation shows on the account",
        pending_state,
        WATCHES,
        "pending-state",
        ("pending-acceptance", "unset"),
        control=True,
    ),
    Question(
        "RED-05",
        "A second invitation kills the link of the first",
        old_link,
        WATCHES,
        "old-redeem-link",
        ("dead", "alive"),
        control=True,
        people=True,
    ),
    Question(
        "RED-03",
        "The internal sign-in stays after redemption",
        internal_identity,
        WATCHES,
        "internal-identity",
        ("kept", "removed"),
        control=True,
        people=True,
    ),
    Question(
        "RED-04",
        "Name and creationType stay after redemption",
        name_and_creation,
        WATCHES,
        control=True,
        people=True,
    ),
    Question(
        "RED-06",
        "An invitation after redemption is answered Completed",
        invited_again,
        WATCHES,
        "invite-redeemed-account",
        (ACCEPTED, REFUSED_AGAIN),
        control=True,
        people=True,
    ),
    Question(
        "RED-07",
        "resetRedemption makes the account pending again",
        reset,
        WATCHES,
        control=True,
        people=True,
    ),
)
