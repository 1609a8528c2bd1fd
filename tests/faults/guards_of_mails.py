"""What keeps a decision about a waiting account at one mail, and its address the account's own."""

from tests.faults.guard import STEP, Guard

AGAIN, MAIL = "b2b/domain/conversion/again.py", "b2b/workflows/conversion/another_mail.py"
CLAIMS = "b2b/workflows/conversion/claims.py"
UNIT, PLACE = "tests/unit/test_again.py::", "tests/simulation/test_another_mail.py::"
CORRECTED, ADOPTED = "tests/simulation/test_corrected_address.py::", "tests/simulation/test_adoption.py::"
MAILS: tuple[Guard, ...] = (
    Guard(
        "mail: a call that comes again within the hour is no second decision",
        AGAIN,
        (("        free = last.at + APART + SKEW\n", "        free = last.until\n"),),
        f"{PLACE}test_a_call_that_is_repeated_is_no_second_decision",
    ),
    Guard(
        "mail: what may be out counts as sent",
        "b2b/domain/conversion/sendings.py",
        (("frozenset({Fate.SENT, Fate.UNKNOWN})", "frozenset({Fate.SENT})"),),
        f"{PLACE}test_a_process_that_dies_in_the_call_leaves_the_try_behind_and_nothing_repeats_it",
    ),
    Guard(
        "mail: the claim is written before the call, over the row that was decided from",
        CLAIMS,
        (("(await self._conversions.record(change, before, kept), sending)", "(change.row, sending)"),),
        f"{PLACE}test_of_two_calls_at_the_same_moment_one_sends",
    ),
    Guard(
        "mail: the address is reserved before the claim",
        CLAIMS,
        (("        await self._reservations.take(wanted.address, before.user_id)\n", ""),),
        f"{CORRECTED}test_a_corrected_address_is_reserved_like_the_first",
    ),
    Guard(
        "mail: an account that was made internal again is not invited by it",
        MAIL,
        (("        again.check_account(row, assessment.account)\n", ""),),
        f"{PLACE}test_an_account_that_was_made_internal_again_is_not_invited_by_a_resend",
    ),
    Guard(
        "mail: mode and pause hold it back",
        MAIL,
        (("        await self._check_held(leader)\n", ""),),
        f"{PLACE}test_mode_and_pause_hold_a_resend_back",
    ),
    Guard(
        "mail: the rules are asked again",
        MAIL,
        (
            (
                "    if verdict_of(left) is not Verdict.READY:\n",
                "    if verdict_of(left) is Verdict.READY and not found:\n",
            ),
        ),
        f"{PLACE}test_the_rules_are_asked_again",
    ),
    Guard(
        "mail: its outcome is written wherever the conversion stands by then",
        MAIL,
        (("                row = await self._conversions.get(claim.user_id) or row\n", "                raise\n"),),
        f"{PLACE}test_the_outcome_is_written_over_what_others_wrote_during_the_call",
    ),
    Guard(
        "correction: an address to which no mail went gives way to the first one",
        AGAIN,
        (("    if back and sending.earlier:\n", "    if back and not sending.earlier:\n"),),
        f"{UNIT}test_where_no_mail_went_out_the_first_address_goes_back",
    ),
    Guard(
        "correction: the conversion remembers that its first link may be alive",
        AGAIN,
        (("        corrected=row.corrected or corrects,\n", ""),),
        f"{CORRECTED}test_after_a_corrected_address_a_person_decides_where_nobody_can_tell_who_redeemed",
    ),
    Guard(
        "correction: the new mail is no change that a person has to accept",
        MAIL,
        (
            (
                "if purpose is Purpose.CORRECTION else None\n        said",
                "if purpose is Purpose.RESEND else None\n        said",
            ),
        ),
        f"{CORRECTED}test_a_corrected_address_is_no_change_that_a_person_has_to_accept",
    ),
    Guard(
        "adoption: whatever the directory shows, nothing is sent",
        "b2b/domain/conversion/next_step.py",
        (("    if s.request.adopts:\n        return _adopt(s, assessment)\n", ""),),
        STEP,
    ),
    Guard(
        "adoption: another decision begins anew",
        "b2b/domain/request/record.py",
        (('        "adopts": False,\n', ""),),
        f"{ADOPTED}test_where_the_account_does_not_wait_any_more_an_adoption_sends_nothing",
    ),
)
