"""Guards that prevent a second invitation: claim, fence, reservation, the order of writes, and the client."""

from tests.faults.guard import ALONE, GRAPH, HISTORY, PACING, RATE, STEP, STORY, Guard

CALLS: tuple[Guard, ...] = (
    Guard(
        "claim: it is written over the very row that was read, or not at all",
        "b2b/adapters/tables.py",
        (
            (
                '    return ("update", entity, options)',
                '    return ("upsert", entity, {"mode": UpdateMode.REPLACE} if options else {})',
            ),
            ('        return ("create", entity)', '        return ("upsert", entity)'),
        ),
        HISTORY,
    ),
    Guard(
        "claim: while its lease runs, nobody else calls",
        "b2b/domain/conversion/next_step.py",
        (("    if left > 0:\n        return Wait(WaitReason.INVITING, left)\n", ""),),
        STEP,
    ),
    Guard(
        "claim: its lease covers fence, longest call, writing and clocks",
        "b2b/domain/conversion/situation.py",
        (("lease=FENCE + longest_call + WRITING + SKEW", "lease=timedelta(seconds=30)"),),
        "tests/unit/test_next_step.py::test_lease_and_window_allow_for_the_call_the_write_and_skewed_clocks",
    ),
    Guard(
        "claim: an outcome is written over its own try only",
        "b2b/workflows/conversion/invite.py",
        ((" or latest.attempt_id != claim.attempt_id", ""),),
        f"{ALONE}test_a_late_outcome_does_not_change_the_claim_of_a_later_try",
    ),
    Guard(
        "claim: the account is on the list of the sweep before it is claimed",
        "b2b/workflows/conversion/conversions.py",
        (
            (
                (
                    "        await self._ledger.followed.follow(change.row.user_id, self._clock(), "
                    "synced=change.row.synced)\n"
                    "        return await self._ledger.save(change, *members, kept=kept)\n"
                ),
                (
                    "        row = await self._ledger.save(change, *members, kept=kept)\n"
                    "        await self._ledger.followed.follow(row.user_id, self._clock(), synced=row.synced)\n"
                    "        return row\n"
                ),
            ),
        ),
        HISTORY,
    ),
    Guard(
        "claim: a young entry of the list stays, because its claim may not be there yet",
        "b2b/workflows/sweep/look.py",
        (("Seen(over=True) if self._clock() >= leaves_at else Seen(look_at=leaves_at)", "Seen(over=True)"),),
        HISTORY,
    ),
    Guard(
        "claim: nothing is sent for it while the mode is assess or the app is paused",
        "b2b/domain/conversion/next_step.py",
        (("    if s.held is not None:\n", "    if s.held is not None and s.conversion is None:\n"),),
        HISTORY,
    ),
    Guard(
        "fence: a claim that has become too old sends nothing",
        "b2b/adapters/graph.py",
        (("fenced(lambda: self._clock() <= not_after)", "fenced(lambda: True)"),),
        HISTORY,
    ),
    Guard(
        "fence: it is checked once more when the connection is there",
        "b2b/adapters/fence.py",
        (("            if name.endswith(_HEADERS):\n", "            if not name:\n"),),
        "tests/adapters/test_fence.py::test_nothing_is_sent_if_the_deadline_passes_while_connecting",
    ),
    Guard(
        "address: a reservation is renewed under its ETag before each claim",
        "b2b/workflows/conversion/reservations.py",
        (
            (
                "        for _ in range(RACES):\n            try:\n",
                (
                    "        held = await self._ledger.reservation(key)\n"
                    "        if held is not None and held.user_id == user_id:\n            return\n"
                    "        for _ in range(RACES):\n            try:\n"
                ),
            ),
        ),
        STORY,
    ),
    Guard(
        "address: a young reservation counts although its claim is not there yet",
        "b2b/workflows/conversion/reservations.py",
        (
            (
                (
                    "        elif left > timedelta():\n"
                    "            raise MustWait(WaitReason.ADDRESS_HELD, left.total_seconds())\n"
                ),
                "",
            ),
        ),
        HISTORY,
    ),
    Guard(
        "address: an account whose invitation may be out holds its address",
        "b2b/workflows/conversion/reservations.py",
        (("return invited or linked or any(doubt.address == key for doubt in row.open_doubts)", "return invited"),),
        HISTORY,
    ),
    Guard(
        "address: its holder is gone only after two reads, a window apart",
        "b2b/workflows/conversion/reservations.py",
        (
            ("            raise MustWait(WaitReason.ADDRESS_HOLDER_GONE, self._limits.window.total_seconds())\n", ""),
            ("        left = held.absent_since + self._limits.window - now\n", "        left = timedelta()\n"),
        ),
        HISTORY,
    ),
    Guard(
        "Graph: the SDK's own retries are off",
        "b2b/adapters/graph.py",
        (("RetryHandlerOption(max_retries=0)", "RetryHandlerOption(max_retries=1, delay=0)"),),
        f"{GRAPH}test_every_outcome_has_its_error_after_a_single_send",
    ),
    Guard(
        "Graph: redirects are off",
        "b2b/adapters/graph.py",
        (("RedirectHandlerOption(should_redirect=False)", "RedirectHandlerOption()"),),
        f"{GRAPH}test_a_redirect_of_an_invitation_is_not_followed",
    ),
    Guard(
        "Graph: 404, 408, 409 and 429 do not prove that nothing was sent",
        "b2b/adapters/graph.py",
        (("            or status in _IN_DOUBT\n", ""),),
        f"{GRAPH}test_every_outcome_has_its_error_after_a_single_send",
    ),
    Guard(
        "pause: one throttled request keeps the others from Graph",
        "b2b/workflows/pacing.py",
        (("        if left > 0:\n", "        if left < 0:\n"),),
        f"{PACING}test_a_throttled_request_pauses_all_others",
    ),
    Guard(
        "pause: a request whose read was throttled waits as long as Graph asked",
        "b2b/workflows/conversion/parking.py",
        (("_trouble(denied=denied), error.retry_after, str(error)", "_trouble(denied=denied), None, str(error)"),),
        f"{PACING}test_a_request_waits_as_long_as_graph_asks_in_any_answer",
    ),
    Guard(
        "pause: a request whose invitation was throttled waits as long as Graph asked",
        "b2b/workflows/conversion/invite.py",
        (("FIRST_LOOK if error.retry_after is None else error.retry_after", "FIRST_LOOK"),),
        f"{PACING}test_a_request_waits_as_long_as_graph_asks_in_any_answer",
    ),
    Guard(
        "breaker: without the permission to invite it opens at once",
        "b2b/workflows/conversion/sender.py",
        (("                await self._pacer.forbidden(str(error))\n", "                pass\n"),),
        f"{PACING}test_a_missing_permission_to_invite_opens_the_breaker",
    ),
    Guard(
        "rate: a newcomer is silent until nobody goes by what was read before it came",
        "b2b/domain/rate.py",
        (("        silent_until = ended + HELD if others else ended\n", "        silent_until = ended\n"),),
        f"{RATE}test_no_period_has_more_invitations_than_the_rate_allows",
    ),
    Guard(
        "rate: an instance that was not counted all the time is a newcomer",
        "b2b/domain/rate.py",
        (("ended - before.began < COUNTED:", "True:"),),
        f"{RATE}test_the_share_of_a_lost_instance_goes_to_the_others",
    ),
    Guard(
        "rate: nobody goes by a share for longer than it holds",
        "b2b/workflows/rate.py",
        (("            if before is None or not before.holds(self._clock()):\n", "            if before is None:\n"),),
        f"{RATE}test_no_instance_sends_by_an_old_share_while_storage_fails",
    ),
    Guard(
        "transaction: a state and its history are written together",
        "b2b/adapters/tables.py",
        (
            (
                "str((await table.submit_transaction([operation, *others]))[0]",
                "str([(await table.submit_transaction([it]))[0] for it in (operation, *others)][0]",
            ),
        ),
        "tests/adapters/test_ledger.py::test_if_storage_refuses_an_event_state_and_members_are_not_written_either",
    ),
    Guard(
        "own write: a repeat that meets its own row is no conflict",
        "b2b/adapters/tables.py",
        (
            (
                "        if entity is None or entity.get(_WRITE_ID) != write_id:",
                "        if entity is None or write_id:",
            ),
        ),
        "tests/adapters/test_ledger_outages.py::test_a_changed_row_whose_answer_was_lost_is_recognised",
    ),
)
