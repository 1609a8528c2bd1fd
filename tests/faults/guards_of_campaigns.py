"""The guards of campaigns, and the code that fixes each story about campaigns."""

from tests.faults.guard import HISTORY, Guard, Mended, Place

PROCESS, ASIDE = "b2b/workflows/conversion/process.py", "b2b/workflows/campaigns/aside.py"
RUNS, STATES = "b2b/workflows/campaigns/runs.py", "b2b/workflows/campaigns/states.py"
RELEASING, ENDING = "b2b/workflows/campaigns/releasing.py", "b2b/workflows/campaigns/ending.py"
LISTS = "b2b/workflows/campaigns/lists.py"
DECISIONS, ENDINGS = "b2b/workflows/decisions.py", "b2b/workflows/conversion/endings.py"
WITHDRAWN = (
    "            with suppress(RequestRefused):\n"
    "                await self._decisions.withdraw(record, Decision(acting(), ENDED))\n"
    "                return True\n"
)
IN_DOUBT = (
    "        if record.stage is Stage.NEEDS_REVIEW and conversion.open_doubts:\n"
    '            raise RequestRefused("NotCancellable", "An invitation may have been sent. The app looks for it.")\n'
)

CAMPAIGNS: tuple[Guard, ...] = (
    Guard(
        "campaign: an approval is spent with a request that ended blocked",
        "b2b/domain/campaign/member.py",
        (("subject == member.judged_as and not spent else ()", "subject == member.judged_as else ()"),),
        "tests/unit/campaign/test_members.py::test_an_approval_is_spent_when_its_request_ended_blocked",
    ),
    Guard(
        "campaign: a paused campaign starts no invitation",
        PROCESS,
        (
            (
                "            held=self._protocol.held or await self._protocol.campaigns.held(record.campaign_id),\n",
                "            held=self._protocol.held,\n",
            ),
        ),
        HISTORY,
        "held_back",
    ),
    Guard(
        "campaign: a cached state is read again within seconds",
        STATES,
        (
            (
                "        if read_at is None or not timedelta() <= now - read_at < KEPT:\n",
                "        if read_at is None:\n",
            ),
        ),
        HISTORY,
        "held_back",
    ),
    Guard(
        "campaign: only a request that may go on takes over from a leader that its campaign holds back",
        ENDINGS,
        (("await self._free(await self._heirs(claim))", "await self._heirs(claim)"),),
        HISTORY,
    ),
    Guard(
        "campaign: a person who may have an invitation is still followed after the campaign's end",
        DECISIONS,
        (("        if self._endings.may_be_out(claim):\n", "        if False:\n"),),
        HISTORY,
    ),
    Guard(
        "campaign: the end of a campaign cancels the members that are not released",
        ENDING,
        (("        if member.stage.on_the_list:\n", "        if False:\n"),),
        HISTORY,
        "ended_for_good",
    ),
    Guard(
        "campaign: a part that is delivered again sends the message of a request that was never tried",
        RELEASING,
        (("                await self._messages.send_again(stored)\n", "                pass\n"),),
        HISTORY,
    ),
    Guard(
        "campaign: if a process dies after it cut a run, the next delivery sends the messages of the parts",
        RUNS,
        (
            (
                "        if not run.planned:\n",
                "        if run.planned:\n            return\n        if not run.planned:\n",
            ),
        ),
        HISTORY,
        "run_ends",
    ),
    Guard(
        "campaign: a message that the host gave up on is sent again",
        RUNS,
        (("        if message.returns < MOST_RETURNS:\n", "        if False:\n"),),
        HISTORY,
        "run_ends",
    ),
    Guard(
        "campaign: a release invites only the account and the address that were judged",
        "b2b/domain/request/review.py",
        (("        if assessment.subject != record.judged_as:\n", "        if not record.judged_as:\n"),),
        HISTORY,
        "addressed",
    ),
)
STORIES: tuple[Mended, ...] = (
    Mended(
        "the same list twice",
        "if two members are one account, each keeps the name in its own row of the list",
        (Place("b2b/domain/campaign/incoming.py", " or member.key == key_from(name):", " or True:"),),
    ),
    Mended(
        "planned twice",
        "a run is cut into parts once, because its row is written only over the row that was read",
        (
            Place(
                "b2b/adapters/campaign_runs.py",
                "await put(self._table, entity, run.etag)",
                'str((await self._table.upsert_entity(entity))["etag"])',
            ),
        ),
    ),
    Mended(
        "listed anew while it is released",
        "a member is taken off the list before its request is written",
        (Place(RELEASING, "await self._ledger.campaigns.write(Change(released(member)), member)", "released(member)"),),
    ),
    Mended(
        "never planned",
        "the sweep sends the messages of a run again if they were lost",
        (Place("b2b/workflows/sweep/campaigns.py", "        await self._runs.send_again(campaign_id, run_id)\n", ""),),
    ),
    Mended(
        "judged after the end",
        "no member is judged after its campaign has ended",
        (Place("b2b/workflows/campaigns/judging.py", "campaign.state is CampaignState.ENDED or ", ""),),
    ),
    Mended(
        "held in front",
        "if a campaign holds a leader back, a request that joined it takes over",
        (Place(ASIDE, "await self._endings.step_aside(record)", "False"),),
    ),
    Mended(
        "ended while it is released",
        "a request ends if its campaign has ended",
        (Place(ASIDE, WITHDRAWN, "            pass\n"),),
    ),
    Mended(
        "ended while a list comes in",
        "a list cancels the members that it has stored if its campaign ended meanwhile",
        (Place(LISTS, "        await self._unless_ended(found, imported)\n", ""),),
    ),
    Mended(
        "ended in doubt",
        "if its campaign has ended, a request ends once no invitation of it can have been sent",
        (Place(ASIDE, WITHDRAWN, "            pass\n"),),
    ),
    Mended(
        "ended in front",
        "when a campaign ends, its request hands its review over to the request that joined it",
        (Place(DECISIONS, "await self._endings.hand_review_over(conversion)\n", "conversion, False\n"),),
    ),
    Mended(
        "ended beside a doubt",
        "the review of an unknown outcome is not cancelled by the end of its campaign",
        (
            Place(DECISIONS, IN_DOUBT, ""),
            Place(DECISIONS, "await self._endings.hand_review_over(conversion)\n", "conversion, False\n"),
        ),
    ),
)
