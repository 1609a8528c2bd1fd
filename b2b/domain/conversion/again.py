"""Decide whether an invited account may get another mail, and record the attempt and its outcome in the conversion.

A person decides about each mail. The attempt is claimed in the row before the call to Graph, like the first invitation,
and the app never repeats it. Reading the account cannot show the outcome, because the account was pending before.
This module reads and writes nothing.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from msgspec import structs

from b2b.domain.account import Account
from b2b.domain.conversion.outcome import ANOTHER, InDoubt, NotSent, Outcome, Refused, Taken
from b2b.domain.conversion.records import Change, Conversion, note
from b2b.domain.conversion.sendings import Fate, Purpose, Sending
from b2b.domain.conversion.situation import SKEW
from b2b.domain.conversion.stages import Phase, Stage, phase_of
from b2b.domain.error_codes import ErrorCode
from b2b.domain.errors import RequestRefused

APART = timedelta(hours=1)
"""Shortest time between a mail and a resend. A browser, a proxy or a flow may repeat a call without a new decision."""
MOST = 20
"""How many of the newest attempts a row keeps. The history keeps all of them."""
EVENT = {
    Fate.SENT: "{}-sent",
    Fate.REFUSED: "{}-refused",
    Fate.NOT_SENT: "{}-not-sent",
    Fate.UNKNOWN: "{}-unknown",
}


def check_waiting(row: Conversion) -> None:
    """Check that the account is invited and has not redeemed.

    Raises:
        RequestRefused: the account is not invited, or has redeemed. The text names the stage and what to do instead.

    """
    if row.stage is not Stage.INVITED:
        raise RequestRefused(ErrorCode.NOT_INVITED, f"The conversion is {row.stage}. {_instead(row)}")


def check_apart(row: Conversion, purpose: Purpose, now: datetime) -> None:
    """Check that the call does not repeat a mail that was just sent.

    Raises:
        RequestRefused: a mail is being sent, or a resend follows the last mail too soon. The text names the last mail,
            and when the next mail is possible.

    """
    tries = [each for each in row.sendings if each.may_be_out]
    if not tries:
        return
    last = tries[-1]
    if last.under_way(now):
        free = last.until
    elif purpose is Purpose.RESEND:
        free = last.at + APART + SKEW
    else:
        return
    if now < free:
        fate = "was sent" if last.fate is Fate.SENT else "may have been sent"
        raise RequestRefused(
            ErrorCode.SENT_JUST_NOW,
            f"The mail that {last.by} asked for at {last.at:%Y-%m-%d %H:%M} UTC {fate}. Another one is possible from "
            f"{free:%Y-%m-%d %H:%M} UTC on.",
        )


def check_account(row: Conversion, account: Account | None) -> None:
    """Check that the account, as it was just read, has not redeemed and was not made internal again.

    An account without a visible invitation passes if it never showed one, because some tenants do not show pending
    invitations. If it showed one before, it was made internal again.

    Raises:
        RequestRefused: the account has redeemed, or was made internal again. The text says what the account shows.

    """
    if account is not None and account.accepted:
        said = "The person has redeemed the invitation; the next sweep records that. Nothing was sent."
        raise RequestRefused(ErrorCode.NOT_INVITED, said)
    if account is not None and not account.pending and row.seen_at is not None:
        said = "The account no longer shows its invitation: it was made internal again, or a replica "
        raise RequestRefused(ErrorCode.NOT_INVITED, f"{said}lags. Nothing was sent. Try again in ten minutes.")


def claimed(row: Conversion, sending: Sending, now: datetime, decision: str) -> Change[Conversion]:
    """Add an attempt to the row, before its call. A corrected address becomes the address of the conversion."""
    corrects = sending.purpose is Purpose.CORRECTION
    return note(
        row,
        sending.purpose,
        now,
        decision,
        sendings=_kept((*row.sendings, sending)),
        corrected=row.corrected or corrects,
        invited_user_email_address=sending.address if corrects else row.invited_user_email_address,
    )


def ended(row: Conversion, sending: Sending, outcome: Outcome, now: datetime) -> tuple[Change[Conversion], Sending]:
    """Record the outcome of an attempt at any stage. If no mail was sent, restore the earlier address.

    If a later generation no longer holds the attempt, only the history gets the outcome.
    """
    fate, said = _fate(outcome)
    over = structs.replace(sending, fate=fate, said=said, until=min(now, sending.until))
    tries = tuple(over if each.attempt == sending.attempt else each for each in row.sendings)
    back = not over.may_be_out and row.invited_user_email_address == sending.address and tries != row.sendings
    columns: dict[str, Any] = {"sendings": tries}
    if back and sending.earlier:
        columns |= {"invited_user_email_address": sending.earlier, "corrected": sending.again}
    return note(row, EVENT[fate].format(sending.purpose), now, said, call=_call(outcome), **columns), over


def _call(outcome: Outcome) -> str:
    """Return Graph's request-id of the call; empty if Graph did not answer."""
    match outcome:
        case Taken(answer):
            return answer.request_id
        case Refused(refusal):
            return refusal.request_id
    return ""


def _fate(outcome: Outcome) -> tuple[Fate, str]:
    match outcome:
        case Taken():
            return Fate.SENT, ""
        case Refused(refusal) if refusal.code == ANOTHER:
            return Fate.UNKNOWN, f"{refusal.text}; the mail may have been sent"
        case Refused(refusal):
            return Fate.REFUSED, f"Graph refused the invitation: {refusal.text}"
        case InDoubt(reason):
            return Fate.UNKNOWN, reason
        case NotSent(reason):
            return Fate.NOT_SENT, reason


def _kept(tries: tuple[Sending, ...]) -> tuple[Sending, ...]:
    """Keep the newest attempts, and older corrections, because the link sent to the replaced address may still work."""
    older, newest = tries[:-MOST], tries[-MOST:]
    return (*_corrections(older)[-MOST:], *newest)


def _corrections(tries: Iterable[Sending]) -> tuple[Sending, ...]:
    return tuple(each for each in tries if each.purpose is Purpose.CORRECTION and each.may_be_out)


def _instead(row: Conversion) -> str:
    if row.stage is Stage.NEEDS_REVIEW and row.open_doubts:
        return f"An invitation may have been sent. Approving request {row.request_id} sends another one."
    if row.accepted_at is not None and row.stage is not Stage.CANCELLED:
        return "The person has redeemed the invitation."
    if phase_of(row.stage) is Phase.ENDED:
        return "The account has no open invitation. To invite it, send a new request or retry the old one."
    return "The account is not invited yet."
