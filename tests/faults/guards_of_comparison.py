"""Guards that keep `verified` true, and that prevent a person from being asked for needless decisions."""

from tests.faults.guard import RECORD, Guard

VERIFICATION, SNAPSHOT = "b2b/domain/lifecycle/verification.py", "b2b/domain/lifecycle/snapshot.py"
REDEEMER = "b2b/domain/conversion/redeemer.py"
TESTS, REDEEMERS = "tests/unit/test_verification.py::", "tests/unit/test_redeemer.py::"
COMPARISON: tuple[Guard, ...] = (
    Guard(
        "comparison: two equal readings are a window apart",
        VERIFICATION,
        (("    if look.sighting.at - row.equal_since < window:\n", "    if look.sighting.at < row.equal_since:\n"),),
        f"{TESTS}test_a_second_equal_reading_within_the_window_does_not_verify",
    ),
    Guard(
        "comparison: one equal reading proves nothing",
        VERIFICATION,
        (("    if row.equal_since is None:\n", "    if row.equal_since is None and row.absence is not None:\n"),),
        f"{TESTS}test_one_equal_reading_does_not_verify",
    ),
    Guard(
        "comparison: a difference in between begins anew",
        VERIFICATION,
        (("sentence(differences), equal_since=None)", "sentence(differences))"),),
        f"{TESTS}test_a_difference_restarts_the_wait_for_two_equal_readings",
    ),
    Guard(
        "comparison: what was seen while the person waited is confirmed by a later reading",
        VERIFICATION,
        (
            (
                "        if look.sighting.at - row.access_seen_at < limits.window:\n",
                "        if look.sighting.at < row.access_seen_at:\n",
            ),
        ),
        f"{TESTS}test_a_change_before_redemption_counts_once_a_reading_a_window_later_confirms_it",
    ),
    Guard(
        "comparison: what was seen is dropped once the redemption shows",
        VERIFICATION,
        (("or account.accepted or kept.before is None:\n", "or kept.before is None:\n"),),
        f"{TESTS}test_a_seen_change_is_not_kept_if_the_next_reading_shows_a_redemption",
    ),
    Guard(
        "comparison: only facts that were read decide whether an account is worth a snapshot",
        "b2b/domain/eligibility/judge.py",
        (("(rule for rule in RULES if all(fact in case.facts for fact in rule.needs))", "iter(RULES)"),),
        "tests/workflows/test_snapshot.py::test_an_account_in_the_scope_group_has_a_snapshot_however_it_is_named",
    ),
    Guard(
        "comparison: what cannot be read any more is no equality",
        SNAPSHOT,
        (("    if after is None or after.unread:\n", "    if after is None:\n"),),
        "tests/unit/test_snapshot.py::test_an_unreadable_kind_is_not_compared_and_has_a_reason",
    ),
    Guard(
        "comparison: a row does not go back to what its conversion was before",
        "b2b/domain/request/record.py",
        (("or conversion.sequence >= record.shown\n", "or conversion.sequence >= 0\n"),),
        f"{RECORD}test_a_request_does_not_show_an_older_state_of_its_conversion",
    ),
    Guard(
        "redeemer: another person is found before the account is verified",
        VERIFICATION,
        (("    if _by_other(row, look, terms) or (differences", "    if (differences"),),
        f"{TESTS}test_another_redeemer_is_a_finding_after_the_replication_window",
    ),
    Guard(
        "redeemer: after a correction, an administrator decides if the app cannot tell who redeemed",
        REDEEMER,
        (
            (
                "found.matches is Matches.NO or (corrected and found.matches is Matches.CANNOT_TELL)",
                "found.matches is Matches.NO",
            ),
        ),
        f"{REDEEMERS}test_another_possible_redeemer_needs_a_decision",
    ),
    Guard(
        "redeemer: the audit log never says that the invited person redeemed",
        REDEEMER,
        (
            (
                "    return replace(judged, said=said)\n",
                "    return replace(judged, matches=Matches.YES) if name.casefold() == invited else judged\n",
            ),
        ),
        f"{REDEEMERS}test_if_identities_cannot_tell_the_log_can_only_show_another_person",
    ),
    Guard(
        "redeemer: the account's own name in the log is no sign of another person",
        REDEEMER,
        (("name.casefold() != own and GUEST not in name.casefold()", "GUEST not in name.casefold()"),),
        f"{REDEEMERS}test_if_identities_cannot_tell_the_log_can_only_show_another_person",
    ),
    Guard(
        "redeemer: a domain that could not be looked up is no sign of another person",
        REDEEMER,
        ((" or not all(domain in homes for domain in domains):\n", ":\n"),),
        f"{REDEEMERS}test_if_a_domain_could_not_be_looked_up_the_log_cannot_tell",
    ),
    Guard(
        "redeemer: an earlier address is remembered by later generations",
        "b2b/domain/conversion/records.py",
        (("    return before.corrected or bool(sent and other)\n", "    return bool(sent and other)\n"),),
        "tests/unit/test_records.py::test_a_generation_remembers_that_an_earlier_one_invited_another_address",
    ),
)
