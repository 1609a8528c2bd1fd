"""The code that fixed each story of the simulator. Without that code, the story fails again.

Each new story needs a row here. The rows of numbered stories are in `guards_of_numbered_stories`.
"""

from tests.faults.guard import Mended, Place
from tests.faults.guards_of_campaigns import STORIES
from tests.faults.guards_of_numbered_stories import FOLLOWED, INTAKE, NEXT_STEP, NUMBERED, PROCESS, RESERVATIONS

REPAIR, CONVERSIONS = "b2b/workflows/sweep/repair.py", "b2b/workflows/conversion/conversions.py"
ENDINGS, DECISIONS = "b2b/workflows/conversion/endings.py", "b2b/workflows/decisions.py"
CLAIMS, SENDINGS = "b2b/workflows/conversion/claims.py", "b2b/domain/conversion/sendings.py"
APPROVAL, DOUBTS = "b2b/domain/request/approval.py", "b2b/domain/conversion/doubts.py"
LAGGING = "    if lagging > 0:\n"
TOGETHER = "        change, members = await self._with_members(change, before)\n        return await self.save("
ALONE = "        members = [change.row.request_id]\n        return await self.save("
CLAIMED = "        change, members = await self._with_members(change, before)\n        # First"
CLAIMED_ALONE = "        members = [change.row.request_id]\n        # First"
SUCCEEDED = " and await self._endings.succeed(conversion, self._give_up)"

NAMED: tuple[Mended, ...] = (
    Mended(
        "refused in doubt",
        "a doubt outlives the end of its conversion",
        (
            Place(
                NEXT_STEP,
                (
                    "    if conversion.open_doubts:\n"
                    "        return _again(s, conversion) if s.again else _doubtful_end(s, conversion)\n"
                ),
                "",
            ),
        ),
    ),
    Mended(
        "refused after a stranger",
        "an account says nothing of an invitation that went to another",
        (Place(NEXT_STEP, "doubts.can_be_disproved(conversion), conversion", "True, conversion"),),
    ),
    Mended(
        "reset at once",
        "a request waits out the window after a redemption that reads as pending",
        (Place(NEXT_STEP, LAGGING, f"    if lagging > 0 and account.pending:\n        return Join()\n{LAGGING}"),),
    ),
    Mended(
        "undone at once",
        "a request waits out the window after a redemption that reads as internal",
        (Place(NEXT_STEP, LAGGING, f"    if lagging > 0 and not account.pending:\n        return Join()\n{LAGGING}"),),
    ),
    Mended(
        "reset before it was seen",
        "only an account that has waited since the app's own invitation teaches what the tenant shows",
        (
            Place(
                FOLLOWED, "return known.after_seen() if _ours(before, account) else known", "return known.after_seen()"
            ),
        ),
    ),
    Mended(
        "frozen at the door",
        "a delivery that the host has long given up replaces no row",
        (Place(INTAKE, "(late or not stored.replaceable", "(not stored.replaceable"),),
    ),
    Mended(
        "frozen before the door",
        "how long a delivery lasts is counted from before its first write",
        (Place(INTAKE, "self._row(asked, Source.QUEUE, came)", "self._row(asked, Source.QUEUE, self._clock())"),),
    ),
    Mended(
        "approved in vain",
        "where something new stands in the way of an approval, the review shows the doubt again",
        (
            Place(
                NEXT_STEP,
                "        return _reviewed_anew(step.assessment, doubts.asked_before(conversion, s.shows))\n",
                "        return step\n",
            ),
        ),
    ),
    Mended(
        "two reviews of one doubt",
        "an approval is for the generation that the review is about",
        (
            Place(
                APPROVAL,
                "record.generation or record.left_generation, waived)",
                "conversion.generation, waived)",
            ),
        ),
    ),
    Mended(
        "joined a review",
        "the requests that joined a review go on with what its approval leads to",
        (Place(CONVERSIONS, CLAIMED, CLAIMED_ALONE),),
    ),
    Mended(
        "joined a review that came again",
        "the requests that joined a review go on with the next one",
        (Place(CONVERSIONS, TOGETHER, ALONE),),
    ),
    Mended(
        "found later",
        "an invitation that shows is no unknown outcome any more",
        (Place(DOUBTS, "if item.rule != OUTCOME_UNKNOWN", "if item.rule"),),
    ),
    Mended(
        "another address since",
        "a doubt keeps the address that its try went to",
        (
            Place(
                RESERVATIONS,
                "return invited or linked or any(doubt.address == key for doubt in row.open_doubts)",
                "return invited",
            ),
        ),
    ),
    Mended(
        "unreadable leader",
        "a request that joined takes over from a leader whose row stays unreadable",
        (Place(REPAIR, SUCCEEDED, " and False"),),
    ),
    Mended(
        "unreadable leader in doubt",
        "a request that joined takes a doubt over as well",
        (Place(REPAIR, SUCCEEDED, " and False"),),
    ),
    Mended(
        "unreadable while it ends",
        "a request that could not be told is told later",
        (Place(CONVERSIONS, "        return behind\n", "        return []\n"),),
    ),
    Mended(
        "asked again and held up",
        "a review of a second invitation leaves the first one to be followed",
        (Place(NEXT_STEP, "judged.external else replace(step, alone=True)", "judged.external else step"),),
    ),
    Mended(
        "called off for its address",
        "a request that takes over is judged anew, for its own address",
        (Place(ENDINGS, "request_id=heir.request_id, assessed_at=None)", "request_id=heir.request_id)"),),
    ),
    Mended(
        "called off beside an unreadable row",
        "a request that joined is not cancelled with the one that is called off: it fails, and can be retried",
        (Place(CONVERSIONS, "    return called_off or conversion.stage in", "    return conversion.stage in"),),
    ),
    Mended(
        "unreadable while the next one begins",
        "a request that could not be told of the end of its generation goes on in the next one",
        (Place(CONVERSIONS, "going_on = await self._behind(before)", "await self._behind(before)"),),
    ),
    Mended(
        "completed by a process that dies",
        "requests are told of their generation before the next one begins, also if an earlier invitation shows",
        (
            Place(
                PROCESS,
                "await self._conversions.conclude(change, before, state.record, follow=True)",
                "await self._conversions.save(change, state.record.request_id, held=state.record, follow=True)",
            ),
        ),
    ),
    Mended(
        "called off by a process that dies",
        "a request that led and handed over counts as one that joined, so that the end of its conversion reaches it",
        (
            Place(
                ENDINGS,
                "request_id=heir.request_id, assessed_at=None)",
                "request_id=heir.request_id, joined=row.joined - 1, assessed_at=None)",
            ),
        ),
    ),
    Mended(
        "called off beside its claim",
        "a cancellation is written on the account's row, over which a delivery claims, before it is answered",
        (Place(DECISIONS, "await self._note_cancellation(record, decision)", "pass"),),
    ),
    Mended(
        "asked for before the invitation",
        "a request that an invitation has met already sends no other one",
        (
            Place(NEXT_STEP, "+ s.limits.window or _met_already(s, conversion):", "+ s.limits.window:"),
            Place(NEXT_STEP, "conversion.stage is Stage.CANCELLED and _met_already(s, conversion)", "False"),
        ),
    ),
    Mended(
        "two clicks on resend",
        "a mail that a person asks for is claimed in the account's row before its call",
        (Place(CLAIMS, "(await self._conversions.record(change, before, kept), sending)", "(change.row, sending)"),),
    ),
    Mended(
        "a resend that nobody heard of",
        "a mail that may have been sent counts as sent, so that a repeated call is not a second decision",
        (Place(SENDINGS, "frozenset({Fate.SENT, Fate.UNKNOWN})", "frozenset({Fate.SENT})"),),
    ),
    Mended(
        "adopted too late",
        "a request that adopts an invitation never claims",
        (Place(NEXT_STEP, "    if s.request.adopts:\n        return _adopt(s, assessment)\n", ""),),
    ),
)
MENDED: tuple[Mended, ...] = (*NUMBERED, *NAMED, *STORIES)
