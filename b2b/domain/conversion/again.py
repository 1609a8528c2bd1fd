"""Whether a waiting account may get another mail, and what the try means for its conversion. Nothing is written here.

A person decides about each mail. The try is claimed in the row before its call, like the first one, and whatever comes
of it the app does not repeat it. A pending account is no answer: it was pending before.
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
"""Least time between a resend and the mail before it: a call that a browser, a proxy or a flow repeats is no second
decision."""
MOST = 20
"""Tries that a row keeps; the history keeps all."""
EVENT = {
    Fate.SENT: "{}-sent",
    Fate.REFUSED: "{}-refused",
    Fate.NOT_SENT: "{}-not-sent",
    Fate.UNKNOWN: "{}-unknown",
}


def check_waiting(row: Conversion) -> None:
    """Refuse a mail for an account whose person is not awaited.

    Raises:
        RequestRefused: names the stage, and what there is to do instead.

    """
    if row.stage is not Stage.INVITED:
        raise RequestRefused(ErrorCode.NOT_INVITED, f"The conversion is {row.stage}. {_instead(row)}")


def check_apart(row: Conversion, purpose: Purpose, now: datetime) -> None:
    """Refuse a mail that is probably the one just sent.

    Raises:
        RequestRefused: names the mail before, and when the next one is possible.

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
        fate = "went out" if last.fate is Fate.SENT else "may be out"
        raise RequestRefused(
            ErrorCode.SENT_JUST_NOW,
            f"The mail that was decided by {last.by} at {last.at:%Y-%m-%d %H:%M} UTC {fate}. Another one is possible "
            f"from {free:%Y-%m-%d %H:%M} UTC on.",
        )


def check_account(row: Conversion, account: Account | None) -> None:
    """Refuse a mail for an account that does not wait any more, as it reads now.

    An account that shows nothing may wait: some tenants do not show pending invitations. One that showed its invitation
    before, and shows none now, was made internal again.

    Raises:
        RequestRefused: says what the account shows.

    """
    if account is not None and account.accepted:
        said = "The person has redeemed the invitation; the next sweep records that. Nothing was sent."
        raise RequestRefused(ErrorCode.NOT_INVITED, said)
    if account is not None and not account.pending and row.seen_at is not None:
        said = "The account showed its invitation before, and shows none now: it was made internal again, or a replica "
        raise RequestRefused(ErrorCode.NOT_INVITED, f"{said}lags. Nothing was sent. Try again in ten minutes.")


def claimed(row: Conversion, sending: Sending, now: datetime, decision: str) -> Change[Conversion]:
    """Put a try into a row, before its call. A corrected address is the conversion's from now on."""
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
    """Record what came of a try, wherever the conversion stands by now. Where no mail went out, the address goes back.

    A later generation does not know the try: then only the history tells of it.
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
    """Return Graph's id of the call, where it answered."""
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
            return Fate.UNKNOWN, f"{refusal.text}; the mail may be out"
        case Refused(refusal):
            return Fate.REFUSED, f"Graph refused the invitation: {refusal.text}"
        case InDoubt(reason):
            return Fate.UNKNOWN, reason
        case NotSent(reason):
            return Fate.NOT_SENT, reason


def _kept(tries: tuple[Sending, ...]) -> tuple[Sending, ...]:
    """Keep the newest tries, and of the older ones the corrections: their first address may still open the account."""
    older, newest = tries[:-MOST], tries[-MOST:]
    return (*_corrections(older)[-MOST:], *newest)


def _corrections(tries: Iterable[Sending]) -> tuple[Sending, ...]:
    return tuple(each for each in tries if each.purpose is Purpose.CORRECTION and each.may_be_out)


def _instead(row: Conversion) -> str:
    if row.stage is Stage.NEEDS_REVIEW and row.open_doubts:
        return f"An invitation may be out. Approving request {row.request_id} sends another one."
    if row.accepted_at is not None and row.stage is not Stage.CANCELLED:
        return "The person has redeemed the invitation."
    if phase_of(row.stage) is Phase.ENDED:
        return "Nobody is awaited. To invite the account, send a new request or retry the old one."
    return "Nobody is awaited yet."
