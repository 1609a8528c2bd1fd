"""Guards that keep a doubt open until it is settled, and that limit what an answer of the directory may prove."""

from tests.faults.guard import ALONE, FOLLOWED, HISTORY, OUTCOME, STEP, STORY, Guard

NEXT_STEP, TRIES = "b2b/domain/conversion/next_step.py", "b2b/domain/conversion/outcome.py"
DOUBTS: tuple[Guard, ...] = (
    Guard(
        "doubt: a call without an answer leaves one",
        TRIES,
        (("    ended = tuple(_ended(doubt, row.attempt_id, now) for doubt in row.doubts)\n", "    ended = ()\n"),),
        HISTORY,
    ),
    Guard(
        "doubt: a later try that was not sent leaves the earlier ones",
        TRIES,
        (("note(row, NOT_SENT, now, reason, doubts=_without(row),", "note(row, NOT_SENT, now, reason, doubts=(),"),),
        f"{OUTCOME}test_a_try_that_was_not_sent_removes_only_its_own_doubt",
    ),
    Guard(
        "doubt: a refusal after one is a review",
        TRIES,
        (('    if any(not doubt.waived for doubt in kept["doubts"]):\n', "    if not kept:\n"),),
        f"{OUTCOME}test_a_refusal_after_a_doubt_is_a_review_as_the_doubtful_try_may_be_its_cause",
    ),
    Guard(
        "doubt: an answer about another account is a review",
        TRIES,
        (("    if refusal.code == ANOTHER:\n", "    if not refusal.code:\n"),),
        f"{OUTCOME}test_an_answer_about_another_account_requires_review_and_keeps_its_doubt",
    ),
    Guard(
        "doubt: an account that shows an invitation is not invited again",
        NEXT_STEP,
        (
            (
                (
                    "    if s.sighting.account.external:\n"
                    "        return Record(doubts.settled(conversion, s.sighting.account, s.now))\n"
                    "    if conversion.absence"
                ),
                "    if conversion.absence",
            ),
        ),
        HISTORY,
    ),
    Guard(
        "doubt: an account that shows nothing is not invited before the replication window has passed",
        NEXT_STEP,
        (
            (
                "_until(doubts.window_ends(conversion, s.limits.window), s.now)",
                "_until(conversion.open_doubts[0].since, s.now)",
            ),
        ),
        HISTORY,
    ),
    Guard(
        "doubt: the window begins when the call may have ended, not when it was meant to be made",
        "b2b/domain/conversion/doubts.py",
        (("max(doubt.until for", "max(doubt.since for"),),
        STEP,
    ),
    Guard(
        "doubt: the window begins when a call without an answer ended",
        TRIES,
        (("min(now, doubt.until)", "doubt.since"),),
        f"{OUTCOME}test_a_call_without_an_answer_leaves_a_doubt_with_the_calls_end_time",
    ),
    Guard(
        "doubt: that nothing shows counts only in a tenant that is known to show",
        NEXT_STEP,
        (("if provable and s.shows is Shows.YES:", "if provable and s.shows is not Shows.NO:"),),
        STORY,
    ),
    Guard(
        "doubt: in a tenant that does not show, a person decides",
        NEXT_STEP,
        (("if provable and s.shows is Shows.YES:", "if provable and s.shows is not Shows.UNKNOWN:"),),
        STEP,
    ),
    Guard(
        "doubt: a silent try is repeated only where every try in doubt was silent",
        NEXT_STEP,
        (("doubts.all_silent(conversion) and s.silent", "s.silent"),),
        STEP,
    ),
    Guard(
        "doubt: a silent try is not repeated with a mail",
        NEXT_STEP,
        (("doubts.all_silent(conversion) and s.silent", "doubts.all_silent(conversion)"),),
        STEP,
    ),
    Guard(
        "doubt: what the rules read of the account settles it too",
        NEXT_STEP,
        (
            (
                "    if step.assessment.account is not None and step.assessment.account.external:\n",
                "    if step.assessment.account is None:\n",
            ),
        ),
        STEP,
    ),
    Guard(
        "doubt: only a person's word waives those of the generation before",
        "b2b/workflows/conversion/claims.py",
        (("            if before is not None and opening.again:\n", "            if before is not None:\n"),),
        HISTORY,
    ),
    Guard(
        "doubt: an account says nothing of an invitation that went to another",
        NEXT_STEP,
        (("doubts.can_be_disproved(conversion), conversion", "True, conversion"),),
        STEP,
    ),
    Guard(
        "doubt: nothing is sent beside a conversion that ended in one",
        NEXT_STEP,
        (
            (
                (
                    "    if conversion.open_doubts:\n"
                    "        return _again(s, conversion) if s.again else _doubtful_end(s, conversion)\n"
                ),
                "",
            ),
        ),
        STEP,
    ),
    Guard(
        "doubt: a verdict against a second invitation leaves the first one alone",
        NEXT_STEP,
        (("judged.external else replace(step, alone=True)\n", "judged.external else step\n"),),
        STEP,
    ),
    Guard(
        "doubt: an invitation that shows after an end is taken up",
        NEXT_STEP,
        (
            (
                "return Record(doubts.found_later(conversion, account, s.request.request_id, s.now))",
                "return _open(s)",
            ),
        ),
        STEP,
    ),
    Guard(
        "doubt: a request is not given up while its invitation may be out",
        "b2b/workflows/conversion/endings.py",
        (("return calling or bool(claim.open_doubts)", "return calling"),),
        HISTORY,
    ),
    Guard(
        "doubt: nor does it end because the host gave up on its message",
        "b2b/workflows/sweep/drain.py",
        (
            (
                (
                    '        if not await self._endings.fail(record, "gave-up", GAVE_UP):\n'
                    "            await self._send_back(record)"
                ),
                '        await self._endings.fail(record, "gave-up", GAVE_UP)',
            ),
        ),
        f"{ALONE}test_a_poison_message_goes_back_to_work_while_its_invitation_may_have_been_sent",
    ),
    Guard(
        "gone: a 404 settles no doubt",
        NEXT_STEP,
        (("        return _absent(s, conversion, s.sighting)\n", "        return _open(s)\n"),),
        STORY,
    ),
    Guard(
        "gone: an account is not gone in the first read",
        NEXT_STEP,
        (
            (
                "        return doubts.away(conversion, absence, now)\n",
                "        return doubts.gone(conversion, now)\n",
            ),
        ),
        HISTORY,
    ),
    Guard(
        "gone: it is not gone before the window, or its 30 days in the recycle bin, have passed",
        NEXT_STEP,
        (("if now - conversion.absent_since >= lasting else None", "if lasting else None"),),
        HISTORY,
    ),
    Guard(
        "undone: a new request believes it only at the second read",
        NEXT_STEP,
        (("        return Wait(WaitReason.UNDONE)\n", "        pass\n"),),
        STEP,
    ),
    Guard(
        "undone: the sweep believes it only at the second read",
        "b2b/domain/lifecycle/followed.py",
        (("        return undone.suspected(conversion, now)\n", "        return undone.confirmed(conversion, now)\n"),),
        f"{FOLLOWED}test_each_reading_changes_the_conversion_as_in_the_table",
    ),
    Guard(
        "undone: an internal read within the window is a replica that lags",
        NEXT_STEP,
        (("    if s.now < seen_at + s.limits.window or", "    if s.now < seen_at or"),),
        STEP,
    ),
    Guard(
        "undone: a pending read just after the redemption is a replica that lags",
        NEXT_STEP,
        (("_until(accepted_at + s.limits.window, s.now)", "_until(accepted_at, s.now)"),),
        STEP,
    ),
    Guard(
        "tenant: only an invitation that Graph confirmed teaches what it shows",
        "b2b/domain/lifecycle/followed.py",
        (("if not (before.was_internal and before.invitation_id):", "if not before.was_internal:"),),
        f"{FOLLOWED}test_other_changes_prove_nothing_about_the_tenant",
    ),
    Guard(
        "tenant: only an account that was internal before teaches it",
        "b2b/domain/lifecycle/followed.py",
        (("if not (before.was_internal and before.invitation_id):", "if not before.invitation_id:"),),
        f"{FOLLOWED}test_other_changes_prove_nothing_about_the_tenant",
    ),
    Guard(
        "tenant: a redemption does not teach it",
        "b2b/domain/lifecycle/followed.py",
        ((" and after.accepted_at is None", ""),),
        f"{FOLLOWED}test_other_changes_prove_nothing_about_the_tenant",
    ),
    Guard(
        "reading: an answer about another account than was asked for is not used",
        "b2b/workflows/conversion/assess.py",
        (("any(account.id.lower() != user.id.lower()", "any(not account.id"),),
        f"{ALONE}test_an_answer_about_another_account_is_not_used",
    ),
    Guard(
        "reading: relations that a replica does not have are not taken for none",
        "b2b/workflows/conversion/assess.py",
        (("if account is not None and any(known.absent(fact)", "if account is None and any(known.absent(fact)"),),
        f"{ALONE}test_relations_missing_on_a_replica_are_not_taken_for_an_empty_list",
    ),
)
