"""Guards that keep every request until it has ended, and that make its end final."""

from tests.faults.guard import ALONE, HISTORY, RECORD, STEP, STORY, Guard

INTAKE, MESSAGES = "b2b/workflows/intake/intake.py", "b2b/workflows/conversion/messages.py"
COUNTED = "await self._ledger.requests.write(Change(replace({}, poison_returns=returns), (back,)))"
SENT = "                await self._send(Resume(record.request_id, change.row.token, due), seconds)\n"
REQUESTS: tuple[Guard, ...] = (
    Guard(
        "joining: a request for an account under way does not start over",
        "b2b/domain/conversion/next_step.py",
        (("    Stage.INVITING: lambda _situation, _conversion: Join(),\n", ""),),
        HISTORY,
    ),
    Guard(
        "joining: a member leaves the invitation to the request that leads",
        "b2b/domain/conversion/next_step.py",
        (
            (
                "conversion.stage is not Stage.INVITING or conversion.request_id != s.request.request_id",
                "conversion.stage is not Stage.INVITING",
            ),
        ),
        STEP,
    ),
    Guard(
        "joining: a member that gives up does not end the claim of its leader",
        "b2b/workflows/conversion/endings.py",
        ((" or conversion.request_id != record.request_id:\n", ":\n"),),
        f"{ALONE}test_a_member_that_gives_up_leaves_the_claim_of_its_leader_open",
    ),
    Guard(
        "joining: who leads after a cancelled request gets a message",
        "b2b/workflows/conversion/endings.py",
        (
            (
                "await self._messages.put_off(heir, WaitReason.CONTENTION, 0.0, detail) or await self._at_work(heir)",
                "await self._at_work(heir)",
            ),
        ),
        HISTORY,
    ),
    Guard(
        "end: what has ended stays ended when its message comes again",
        "b2b/domain/conversion/next_step.py",
        (
            (
                "    if conversion.stage is not Stage.INVITING or conversion.request_id",
                (
                    "    if conversion.stage in {Stage.BLOCKED, Stage.FAILED}:\n        return _open(s)\n"
                    "    if conversion.stage is not Stage.INVITING or conversion.request_id"
                ),
            ),
        ),
        STORY,
    ),
    Guard(
        "end: a request takes no end over from another account's conversion",
        "b2b/domain/request/record.py",
        (("    if conversion.user_id != record.user_id:\n        return False\n", ""),),
        "tests/unit/test_next_step.py::test_a_request_does_not_show_the_conversion_of_another_account",
    ),
    Guard(
        "end: nor from another generation",
        "b2b/domain/request/record.py",
        (("        return record.generation == conversion.generation\n", "        return True\n"),),
        f"{RECORD}test_a_request_belongs_to_a_conversion_by_account_and_generation",
    ),
    Guard(
        "end: a request that is retried leaves its old end behind",
        "b2b/domain/request/record.py",
        (('"left_generation": max(record.generation, record.left_generation)', '"left_generation": 0'),),
        STORY,
    ),
    Guard(
        "message: a request that has to wait gets one",
        MESSAGES,
        ((SENT, ""),),
        HISTORY,
    ),
    Guard(
        "message: the row names it before it is sent",
        MESSAGES,
        (
            (
                "            try:\n                await self._ledger.requests.write(change)\n",
                f"            try:\n{SENT}                await self._ledger.requests.write(change)\n",
            ),
            (f"            else:\n{SENT}", "            else:\n"),
        ),
        HISTORY,
    ),
    Guard(
        "message: only the newest one counts",
        INTAKE,
        (("        if resume.token == record.token:\n", "        if resume.token:\n"),),
        HISTORY,
    ),
    Guard(
        "message: the one before sends the newest again where its process died",
        INTAKE,
        (("        if again and resume.token == record.token_before:\n", "        if again and not resume.token:\n"),),
        HISTORY,
    ),
    Guard(
        "message: so does the caller's own",
        INTAKE,
        (
            (
                "        if again and record.at_work and not record.token_before:\n",
                "        if again and not record.token:\n",
            ),
        ),
        HISTORY,
    ),
    Guard(
        "repair: a request whose message is lost gets another",
        "b2b/workflows/sweep/repair.py",
        (
            (
                'await self._messages.put_off(row, WaitReason.SERVICE, 0.0, "its message was lost")',
                "False",
            ),
        ),
        HISTORY,
    ),
    Guard(
        "repair: a message that is only late is not lost",
        "b2b/workflows/sweep/repair.py",
        ((" or (head is not None and head <= due + OVERDUE)", ""),),
        "tests/simulation/test_sweep.py::test_a_parked_request_gets_no_second_message_while_the_queue_is_late",
    ),
    Guard(
        "repair: a row that cannot be read does not hold up those behind it",
        "b2b/workflows/sweep/repair.py",
        (("                turn.passed_over()\n", "                raise\n"),),
        STORY,
    ),
    Guard(
        "repair: a request takes over from a leader whose row stays unreadable",
        "b2b/workflows/sweep/repair.py",
        ((" and await self._endings.succeed(conversion, self._give_up)", " and False"),),
        STORY,
    ),
    Guard(
        "repair: a leader that was not given up leads on, though its row is unreadable",
        "b2b/workflows/conversion/endings.py",
        (
            (
                "if error.written_at is None or self._clock() - error.written_at <= limit:",
                "if error.written_at is None:",
            ),
        ),
        "tests/workflows/test_unreadable.py::test_a_member_takes_over_from_an_unreadable_leader_after_the_give_up_time",
    ),
    Guard(
        "repair: a request is listed before its row is written",
        INTAKE,
        (
            (
                (
                    "        await self._ledger.open.add(asked.request_id, now)\n"
                    "        record = await self._write_new(change, listed=source is not Source.QUEUE)\n"
                ),
                (
                    "        record = await self._write_new(change, listed=source is not Source.QUEUE)\n"
                    "        await self._ledger.open.add(asked.request_id, now)\n"
                ),
            ),
        ),
        HISTORY,
    ),
    Guard(
        "repair: a young entry of the list stays, because its row may not be there yet",
        "b2b/workflows/sweep/repair.py",
        (("if _rests(row) and entry.since < old]", "if _rests(row)]"),),
        HISTORY,
    ),
    Guard(
        "repair: a request that a person opens again is listed again",
        "b2b/workflows/decisions.py",
        (("        await self._ledger.open.add(change.row.request_id, self._clock())\n", ""),),
        HISTORY,
    ),
    Guard(
        "repair: requests that were not told of their conversion's end are told",
        "b2b/workflows/sweep/look.py",
        (("        if row is not None and row.published < row.sequence:\n", "        if not entry:\n"),),
        "tests/workflows/test_repair.py::test_the_sweep_completes_requests_whose_conversion_is_completed",
    ),
    Guard(
        "publish: requests that were not told are told without Graph",
        "b2b/workflows/sweep/publish.py",
        (("        if row is not None and not told:\n", "        if not entry:\n"),),
        "tests/simulation/test_sweep.py::test_a_result_that_was_not_published_is_published_without_graph",
    ),
    Guard(
        "publish: a young pointer stays, because its write may still come",
        "b2b/workflows/sweep/publish.py",
        (("        if self._clock() - entry.since > POINTER_AGE:\n", "        if entry:\n"),),
        "tests/simulation/test_sweep.py::test_a_recent_entry_to_publish_is_kept_because_its_row_may_not_be_written_yet",
    ),
    Guard(
        "publish: a pointer stays until every request could be told",
        "b2b/workflows/conversion/conversions.py",
        (
            (
                "            except UnreadableRow:\n                return False\n",
                "            except UnreadableRow:\n                return True\n",
            ),
        ),
        STORY,
    ),
    Guard(
        "poison: a request goes back a few times and no more",
        "b2b/workflows/sweep/drain.py",
        (("record.poison_returns < MAX_RETURNS", "record.poison_returns >= 0"),),
        HISTORY,
    ),
    Guard(
        "poison: its return is counted before it goes back",
        "b2b/workflows/sweep/drain.py",
        (
            (COUNTED.format("record"), "record"),
            (
                '"returned from the poison queue")\n',
                (
                    '"returned from the poison queue")\n'
                    "        latest = await self._ledger.requests.get(record.request_id) or record\n"
                    f"        {COUNTED.format('latest')}\n"
                ),
            ),
        ),
        HISTORY,
    ),
    Guard(
        "poison: a dry run that never ran stays one",
        INTAKE,
        (
            (
                "            self._clock(),\n            dry_run=request.dry_run is True or self._assess_only,",
                "            self._clock(),\n            dry_run=False,",
            ),
        ),
        STORY,
    ),
    Guard(
        "poison: a request that never ran makes room for the same one sent again",
        "b2b/domain/request/record.py",
        ((" or (self.stage is Stage.FAILED and self.error_code == NEVER_RAN)", ""),),
        STORY,
    ),
    Guard(
        "draft: it makes room for the corrected request",
        "b2b/domain/request/record.py",
        (("self.stage is Stage.REJECTED or (self.stage", "(self.stage"),),
        STORY,
    ),
    Guard(
        "waiting: a wait that an administrator wants forgets the trouble before it",
        "b2b/domain/request/record.py",
        (
            (
                "trouble_since=None if waiting.cause is Cause.WANTED else record.trouble_since or now",
                "trouble_since=record.trouble_since or now",
            ),
        ),
        f"{RECORD}test_a_wait_wanted_by_an_administrator_clears_the_trouble",
    ),
)
