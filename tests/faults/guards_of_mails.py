"""Guards of decisions about invited accounts: one mail for each decision, and one account for each address."""

from tests.faults.guard import STEP, Guard

AGAIN, MAIL = "b2b/domain/conversion/again.py", "b2b/workflows/conversion/another_mail.py"
CLAIMS = "b2b/workflows/conversion/claims.py"
UNIT, PLACE = "tests/unit/test_again.py::", "tests/simulation/test_another_mail.py::"
CORRECTED, ADOPTED = "tests/simulation/test_corrected_address.py::", "tests/simulation/test_adoption.py::"
AFTER = "tests/simulation/test_after_a_correction.py::"
MAILS: tuple[Guard, ...] = (
    Guard(
        "mail: a call that is repeated within the hour is not a second decision",
        AGAIN,
        (("        free = last.at + APART + SKEW\n", "        free = last.until\n"),),
        f"{PLACE}test_a_repeated_resend_is_refused_for_an_hour",
    ),
    Guard(
        "mail: a mail that may have been sent counts as sent",
        "b2b/domain/conversion/sendings.py",
        (("frozenset({Fate.SENT, Fate.UNKNOWN})", "frozenset({Fate.SENT})"),),
        f"{PLACE}test_if_the_process_dies_in_the_call_the_attempt_counts_and_is_not_repeated",
    ),
    Guard(
        "mail: the claim is written before the call, over the row on which the decision was based",
        CLAIMS,
        (("(await self._conversions.record(change, before, kept), sending)", "(change.row, sending)"),),
        f"{PLACE}test_of_two_concurrent_resends_only_one_sends",
    ),
    Guard(
        "mail: the address is reserved before the claim",
        CLAIMS,
        (("        await self._reservations.take(wanted.address, before.user_id)\n", ""),),
        f"{CORRECTED}test_a_correction_reserves_the_new_address",
    ),
    Guard(
        "mail: a resend does not invite an account that was made internal again",
        MAIL,
        (("        again.check_account(row, assessment.account)\n", ""),),
        f"{PLACE}test_an_account_that_was_made_internal_again_is_not_invited_by_a_resend",
    ),
    Guard(
        "mail: mode assess and a pause forbid it",
        MAIL,
        (("        await self._check_held(leader)\n", ""),),
        f"{PLACE}test_mode_assess_and_a_pause_refuse_resends_and_corrections",
    ),
    Guard(
        "mail: the rules are checked again",
        MAIL,
        (
            (
                "    if verdict_of(left) is not Verdict.READY:\n",
                "    if verdict_of(left) is Verdict.READY and not found:\n",
            ),
        ),
        f"{PLACE}test_a_resend_checks_the_rules_again",
    ),
    Guard(
        "mail: the outcome is written whatever the conversion's stage is then",
        MAIL,
        (("                row = await self._conversions.get(claim.user_id) or row\n", "                raise\n"),),
        f"{PLACE}test_the_outcome_is_written_even_if_the_row_changed_during_the_call",
    ),
    Guard(
        "correction: if no mail was sent, the earlier address is restored",
        AGAIN,
        (("    if back and sending.earlier:\n", "    if back and not sending.earlier:\n"),),
        f"{UNIT}test_if_no_mail_was_sent_the_earlier_address_is_restored",
    ),
    Guard(
        "correction: the conversion records that its first link may still work",
        AGAIN,
        (("        corrected=row.corrected or corrects,\n", ""),),
        f"{CORRECTED}test_after_a_correction_a_person_decides_if_the_redeemer_is_not_known",
    ),
    Guard(
        "correction: the new mail is no difference in the comparison",
        MAIL,
        (
            (
                "with_mail(each, account) for moment, each in kept.items()} if account is not None else {}",
                "each for moment, each in kept.items()}",
            ),
        ),
        f"{CORRECTED}test_a_corrected_address_is_no_difference_in_the_comparison",
    ),
    Guard(
        "correction: the address that it replaced stays taken until the redemption",
        "b2b/workflows/conversion/reservations.py",
        (
            (
                "    linked = row.stage is Stage.INVITED and key in map(address_key, row.earlier_addresses)\n",
                "    linked = False\n",
            ),
        ),
        f"{AFTER}test_the_first_address_stays_taken_until_the_redemption",
    ),
    Guard(
        "correction: without a mail the snapshots come back with the address",
        MAIL,
        (("kept if back else {}), over", "{}), over"),),
        f"{AFTER}test_after_a_refused_correction_the_account_is_compared_with_its_first_mail",
    ),
    Guard(
        "correction: a change that was seen before stays to be confirmed",
        "b2b/workflows/conversion/claims.py",
        (("with_baseline(change, before.access_seen_at)", "with_baseline(change)"),),
        f"{AFTER}test_a_change_seen_before_a_correction_is_still_confirmed_after_it",
    ),
    Guard(
        "adoption: nothing is sent, whatever the directory shows",
        "b2b/domain/conversion/next_step.py",
        (("    if s.request.adopts:\n        return _adopt(s, assessment)\n", ""),),
        STEP,
    ),
    Guard(
        "adoption: another decision about the request ends the adoption",
        "b2b/domain/request/record.py",
        (('        "adopts": False,\n', ""),),
        f"{ADOPTED}test_adopting_an_account_that_is_no_longer_pending_ends_blocked_and_sends_nothing",
    ),
)
