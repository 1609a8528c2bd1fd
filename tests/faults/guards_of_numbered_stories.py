"""The code that fixed each numbered story of the simulator. Without that code, the story fails again."""

from tests.faults.guard import Mended, Place

NEXT_STEP, PROCESS = "b2b/domain/conversion/next_step.py", "b2b/workflows/conversion/process.py"
RECORD, RESERVATIONS = "b2b/domain/request/record.py", "b2b/workflows/conversion/reservations.py"
INTAKE, FOLLOWED = "b2b/workflows/intake/intake.py", "b2b/domain/lifecycle/followed.py"
NOT_INVITING = "    if conversion.stage is not Stage.INVITING or conversion.request_id"
NEVER_RAN = "            self._clock(),\n            dry_run=request.dry_run is True or self._assess_only,"
RACES = "        for _ in range(RACES):\n            try:\n"
REPAIR = "b2b/workflows/sweep/repair.py"
STALE = "        if resume.token == record.token:\n            return record\n"
COMPLETED = (
    "        return _open(s)\n"
    "    if account.accepted:\n"
    "        return Join() if conversion.internal_since is None else Record(undone.refuted(conversion, s.now))\n"
)
"""Of what another request does where the conversion is completed."""

NUMBERED: tuple[Mended, ...] = (
    Mended(
        "A1",
        "that nothing shows is no proof where the tenant is not known to show",
        (Place(NEXT_STEP, "if provable and s.shows is Shows.YES:", "if provable and s.shows is not Shows.NO:"),),
    ),
    Mended(
        "A2",
        "a reservation is renewed under its ETag before each claim",
        (
            Place(
                RESERVATIONS,
                RACES,
                (
                    "        held = await self._ledger.reservation(key)\n"
                    "        if held is not None and held.user_id == user_id:\n            return\n"
                    f"{RACES}"
                ),
            ),
        ),
    ),
    Mended(
        "A3a",
        "a review stays a review when the message comes again",
        (
            Place(
                NEXT_STEP,
                NOT_INVITING,
                f"    if conversion.stage is Stage.NEEDS_REVIEW:\n        return _open(s)\n{NOT_INVITING}",
            ),
        ),
    ),
    Mended(
        "A3b",
        "an end stays an end when the message comes again",
        (
            Place(
                NEXT_STEP,
                NOT_INVITING,
                f"    if conversion.stage in {{Stage.BLOCKED, Stage.FAILED}}:\n        return _open(s)\n{NOT_INVITING}",
            ),
        ),
    ),
    Mended(
        "A4",
        "a request that never ran keeps that it was a dry run",
        (Place(INTAKE, NEVER_RAN, NEVER_RAN.replace("request.dry_run is True or ", "")),),
    ),
    Mended(
        "A4b",
        "a request that never ran is a dry run where the mode is assess",
        (Place(INTAKE, NEVER_RAN, NEVER_RAN.replace(" or self._assess_only", "")),),
    ),
    Mended(
        "A5",
        "the app's own message is not judged by the policy of today",
        (
            Place(
                INTAKE,
                STALE,
                (
                    "        if resume.token == record.token:\n"
                    "            with suppress(RequestRefused):\n"
                    "                parse(record.body, self.policy)\n"
                    "                return record\n"
                    '            await self.note(record.request_id, "refused-repeat", "")\n'
                    "            return None\n"
                ),
            ),
            Place(INTAKE, "MalformedRequest, RequestIdInUse\n", "MalformedRequest, RequestIdInUse, RequestRefused\n"),
        ),
    ),
    Mended(
        "A6",
        "a row that cannot be read is passed over",
        (Place(REPAIR, "                turn.passed_over()\n", "                raise\n"),),
    ),
    Mended(
        "A7",
        "the time of an administrator's pause does not count towards giving up",
        (Place("b2b/domain/conversion/waits.py", "Row(_R.PAUSED, _W,", "Row(_R.PAUSED, _H,"),),
    ),
    Mended(
        "A8",
        "a request that never ran makes room for the same one sent again",
        (Place(RECORD, " or (self.stage is Stage.FAILED and self.error_code == NEVER_RAN)", ""),),
    ),
    Mended(
        "A9a",
        "a draft makes room for the corrected request",
        (Place(RECORD, "self.stage is Stage.REJECTED or (self.stage", "(self.stage"),),
    ),
    Mended(
        "A9b",
        "a row that others write at the same time is read and written anew",
        (
            Place(
                INTAKE,
                "        for _ in range(TRIES):\n            with suppress(LedgerConflict):\n                return",
                "        for _ in range(1):\n            with suppress(LedgerConflict):\n                return",
            ),
        ),
    ),
    Mended(
        "A10",
        "a try in doubt is not forgotten before the replication window has passed",
        (
            Place(
                NEXT_STEP,
                "_until(doubts.window_ends(conversion, s.limits.window), s.now)",
                "_until(conversion.open_doubts[0].since, s.now)",
            ),
        ),
    ),
    Mended(
        "A11",
        "a request is bound to the account that was first found",
        (
            Place(
                PROCESS,
                "_Round(record, stored_request(record), await self._conversions.get(record.user_id))",
                '_Round(replace(record, user_id=""), stored_request(record), None)',
            ),
        ),
    ),
    Mended(
        "A12",
        "an account that is away settles no doubt",
        (Place(NEXT_STEP, "        return _absent(s, conversion, s.sighting)\n", "        return _open(s)\n"),),
    ),
    Mended(
        "A13",
        "a review shows the address that was judged",
        (
            Place(
                PROCESS,
                "                columns |= judged(assessment, assessment.account)\n",
                "                pass\n",
            ),
        ),
    ),
    Mended(
        "A14",
        "a request that has ended is not put off",
        (
            Place(
                "b2b/workflows/conversion/parking.py",
                "if latest is None or not latest.at_work or latest.token != record.token:",
                "if latest is None:",
            ),
        ),
    ),
    Mended(
        "case 4",
        "a completed conversion is held against the directory",
        (
            Place(
                NEXT_STEP,
                COMPLETED,
                COMPLETED.replace("account.accepted", "not account.pending"),
            ),
        ),
    ),
    Mended(
        "case 5",
        "a redemption that was reset begins a new generation",
        (
            Place(
                NEXT_STEP,
                "        return Record(undone.reset(conversion, account, s.request.request_id, s.now))",
                "        return Join()",
            ),
        ),
    ),
    Mended(
        "case 6",
        "the sweep notices that an invited account is away",
        (Place(FOLLOWED, "        return _away(conversion, sighting, limits, now)\n", "        return None\n"),),
    ),
    Mended(
        "case 7",
        "an account that is gone gives its address back: the sweep ends it, and a claim looks for it",
        (
            Place(FOLLOWED, "        return _away(conversion, sighting, limits, now)\n", "        return None\n"),
            Place(
                RESERVATIONS,
                "            await self._look_for(held, now)\n",
                "            raise AddressTaken(held.user_id)\n",
            ),
        ),
    ),
    Mended(
        "A15",
        "an approval is for the generation that was shown",
        (Place("b2b/domain/request/approval.py", " or approval.generation != conversion.generation", ""),),
    ),
)
