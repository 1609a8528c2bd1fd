"""Guards that limit a decision to what the person was shown."""

from tests.faults.guard import REVIEW, STEP, Guard

DECISIONS: tuple[Guard, ...] = (
    Guard(
        "approval: only what was shown is waived",
        "b2b/domain/request/approval.py",
        ((" and Waived(finding.rule, finding.message) in self.waived", " and bool(self.waived)"),),
        f"{REVIEW}test_an_approval_does_not_waive_a_finding_that_was_not_shown",
    ),
    Guard(
        "approval: it is for the account and the address that were shown",
        "b2b/domain/request/review.py",
        (("    if approval is None or approval.subject != assessment.subject:\n", "    if approval is None:\n"),),
        f"{REVIEW}test_an_approval_applies_to_one_account_and_address_only",
    ),
    Guard(
        "approval: another invitation is asked for the address that was shown",
        "b2b/domain/request/approval.py",
        (
            (
                "    return approval.subject == subject_of(conversion.user_id, conversion.invited_user_email_address)",
                "    return True",
            ),
        ),
        f"{REVIEW}test_another_invitation_is_asked_only_for_the_address_that_was_shown",
    ),
    Guard(
        "release: it invites only the account and the address that were judged",
        "b2b/domain/request/review.py",
        (("        if assessment.subject != record.judged_as:\n", "        if not record.judged_as:\n"),),
        f"{REVIEW}test_a_release_invites_no_other_account_or_address",
    ),
    Guard(
        "release: what is new since the dry run is a review",
        "b2b/domain/request/review.py",
        (("if rule not in record.judged_rules]:", "if not rule]:"),),
        f"{REVIEW}test_a_finding_that_is_new_since_the_dry_run_requires_review",
    ),
    Guard(
        "cancellation: a delivery that finds it on the account's row does not claim",
        "b2b/domain/conversion/next_step.py",
        (("    if s.request.request_id in s.conversion.called_off:\n        return CallOff()\n", ""),),
        STEP,
    ),
)
