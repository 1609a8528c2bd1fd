"""What keeps one invitation one, as a table: the guard, how it is taken out, and the test that then fails.

`python -m tests.faults.guards` (`make guards`) runs all these tests in a copy of the tree, where they must pass; then
it takes each guard out of a copy of its own, where its test must fail.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
COPIED = ("b2b", "rehearsal", "tests", "function_app.py", "host.json", "pyproject.toml", "docs", "README.md")
CONVERT = "tests/workflows/test_convert.py"
GUARDED = "tests/workflows/test_guarded.py"


class Guard(NamedTuple):
    """A guard, the lines that are it with what is left without them, and the test that notices."""

    name: str
    file: str
    edits: tuple[tuple[str, str], ...]
    test: str


class Outcome(NamedTuple):
    """How a run of tests ended: pytest's exit code, the tests that passed and that failed, and what it said."""

    code: int
    passed: set[str]
    failed: set[str]
    text: str


GUARDS: tuple[Guard, ...] = (
    Guard(
        "claim: the intent is written over the very row that was read, or not at all",
        "b2b/adapters/tables.py",
        (
            (
                '    return ("update", entity, options)',
                '    return ("upsert", entity, {"mode": UpdateMode.REPLACE} if options else {})',
            ),
            ('        return ("create", entity)', '        return ("upsert", entity)'),
            ('("create", event)', '("upsert", event)'),
        ),
        f"{CONVERT}::test_of_many_who_find_an_expired_claim_one_invites",
    ),
    Guard(
        "settle: an account that shows an invitation is not invited again",
        "b2b/workflows/invite.py",
        (
            (
                "        if account is None or not tried or not (account.pending or account.accepted):\n",
                "        if account is None or tried or not tried:\n",
            ),
        ),
        f"{CONVERT}::test_an_invitation_without_an_answer_is_settled_by_reading",
    ),
    Guard(
        "settle: an account that shows nothing is not invited before the replication window has passed",
        "b2b/workflows/invite.py",
        (("        if now < doubt_ends:", "        if now < conversion.intent_at:"),),
        f"{CONVERT}::test_an_invitation_that_never_arrived_waits_for_the_replication_window",
    ),
    Guard(
        "doubt: a call without an answer leaves its intent",
        "b2b/domain/outcome.py",
        (("_released(row, IN_DOUBT, reason, now, row.intent_at)", "_released(row, IN_DOUBT, reason, now, None)"),),
        f"{CONVERT}::test_an_invitation_that_never_arrived_waits_for_the_replication_window",
    ),
    Guard(
        "the SDK's own retries are off",
        "b2b/adapters/graph.py",
        (("RetryHandlerOption(max_retries=0)", "RetryHandlerOption(max_retries=1, delay=0)"),),
        "tests/adapters/test_graph_outcomes.py::test_every_outcome_is_told_apart_after_a_single_send",
    ),
    Guard(
        "redirects are off",
        "b2b/adapters/graph.py",
        (("RedirectHandlerOption(should_redirect=False)", "RedirectHandlerOption()"),),
        "tests/adapters/test_graph_outcomes.py::test_a_redirect_is_not_followed",
    ),
    Guard(
        "parking: a request that has to wait goes back on the queue",
        "b2b/workflows/park.py",
        (("        await self._queue.send(taken.request.message(request_id), delay)\n", ""),),
        f"{CONVERT}::test_without_the_permission_to_invite_the_request_waits",
    ),
    Guard(
        "pause: one throttled request keeps the others from Graph",
        "b2b/workflows/pacing.py",
        (("        if left > 0:\n", "        if left < 0:\n"),),
        "tests/workflows/test_pacing.py::test_one_throttled_request_keeps_the_others_from_graph",
    ),
    Guard(
        "transaction: a state and its history are written together",
        "b2b/adapters/tables.py",
        (
            (
                "                results = await self._table.submit_transaction(operations)\n",
                "                results = [(await self._table.submit_transaction([it]))[0] for it in operations]\n",
            ),
        ),
        "tests/adapters/test_ledger.py::test_an_event_that_storage_refuses_takes_the_state_and_the_members_with_it",
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
        "tests/adapters/test_ledger_outages.py::test_a_changed_row_whose_answer_was_lost_is_recognised_as_our_own",
    ),
    Guard(
        "joining: a request for an account under way does not start over",
        "b2b/workflows/convert.py",
        (("        if conversion.stage not in ACTIVE:\n            return False\n", "        return False\n"),),
        f"{CONVERT}::test_a_second_request_joins_and_ends_with_the_first",
    ),
    Guard(
        "poison: a request goes back a few times and no more",
        "b2b/workflows/drain.py",
        (("        elif record.poison_returns < MAX_RETURNS:", "        elif record.poison_returns >= 0:"),),
        "tests/workflows/test_drain.py::test_a_request_that_was_under_way_goes_back_a_few_times_and_then_fails",
    ),
    Guard(
        "repair: a request whose message is lost gets another",
        "b2b/workflows/repair.py",
        (("        await self._queue.send(stored_request(record).message(record.request_id))\n", ""),),
        "tests/workflows/test_repair.py::test_a_request_without_progress_is_put_back_once_in_a_while",
    ),
    Guard(
        "approval: only what was shown is waived",
        "b2b/domain/approval.py",
        ((" and Waived(item.rule, item.message) in waived\n", " and waived\n"),),
        "tests/workflows/test_review.py::test_only_what_was_shown_is_waived",
    ),
    Guard(
        "fence: a claim that has become too old sends nothing",
        "b2b/workflows/invite.py",
        (("self._clock() - claim.intent_at > FENCE:", "self._clock() < claim.intent_at:"),),
        f"{GUARDED}::test_a_claim_that_is_too_old_sends_nothing",
    ),
    Guard(
        "settle: the window begins when the call ends, not when it was meant to be made",
        "b2b/domain/redemption.py",
        (("max(conversion.intent_at, conversion.lease_until or conversion.intent_at)", "conversion.intent_at"),),
        f"{GUARDED}::test_the_window_begins_when_the_call_ends",
    ),
    Guard(
        "leader: who joins a conversion leaves the invitation to the request that leads it",
        "b2b/workflows/convert.py",
        (("        if leader is not None and leader.stage in WORKING:\n", "        if leader is None:\n"),),
        f"{GUARDED}::test_who_joins_waits_for_its_leader",
    ),
    Guard(
        "giving up: an invitation that may be out is settled first",
        "b2b/workflows/park.py",
        (("            if await self._inviter.settle(conversion):", "            if conversion.accepted_at:"),),
        f"{GUARDED}::test_giving_up_settles_first",
    ),
    Guard(
        "waiting: a request whose read was throttled waits as long as Graph asked",
        "b2b/workflows/park.py",
        (("max(error.retry_after or backoff, least)", "max(backoff, least)"),),
        f"{GUARDED}::test_a_request_waits_as_long_as_graph_asked",
    ),
    Guard(
        "waiting: a request whose invitation was throttled waits as long as Graph asked",
        "b2b/workflows/invite.py",
        (("max(error.retry_after or 0.0, SHORTEST_WAIT)", "SHORTEST_WAIT"),),
        f"{GUARDED}::test_a_request_waits_as_long_as_graph_asked",
    ),
)


def removed(guard: Guard, tree: Path) -> None:
    """Take a guard out of a tree."""
    file = tree / guard.file
    text = file.read_text("utf-8")
    for lines, without in guard.edits:
        if text.count(lines) != 1:
            raise ValueError(f"{guard.file} has a line of the guard '{guard.name}' {text.count(lines)} times")
        text = text.replace(lines, without)
    file.write_text(text, "utf-8")


@contextmanager
def copied() -> Iterator[Path]:
    """Make a copy of the tree, and remove it."""
    with tempfile.TemporaryDirectory(prefix="guard-") as directory:
        tree = Path(directory)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
            else:
                shutil.copy(source, tree / name)
        (tree / "rehearsal" / "node_modules").symlink_to(ROOT / "rehearsal" / "node_modules")
        yield tree


def tested(tree: Path, tests: Iterable[str]) -> Outcome:
    """Run tests in a tree."""
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", *sorted(set(tests))]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=300, check=False)  # noqa: S603
    told = [line.split(" ", 2) for line in done.stdout.splitlines()]
    ended = {kind: {line[1] for line in told if line[0] == kind} for kind in ("PASSED", "FAILED")}
    return Outcome(done.returncode, ended["PASSED"], ended["FAILED"], done.stdout)


def noticed(guard: Guard) -> bool:
    """Run the guard's test in a copy of the tree without the guard; True where the test itself fails."""
    with copied() as tree:
        removed(guard, tree)
        outcome = tested(tree, [guard.test])
    return outcome.code == pytest.ExitCode.TESTS_FAILED and any(_is_of(guard, name) for name in outcome.failed)


def _is_of(guard: Guard, name: str) -> bool:
    """A test with parameters has several names."""
    return name == guard.test or name.startswith(f"{guard.test}[")


def main(guards: Sequence[Guard] = GUARDS) -> int:
    """Show each guard by mutation; 0 where every one is noticed."""
    with copied() as tree:
        control = tested(tree, [guard.test for guard in guards])
    if control.code != pytest.ExitCode.OK:
        print(control.text)  # noqa: T201
        print("these tests fail with every guard in its place: they can show nothing")  # noqa: T201
        return 1
    missed = 0
    for guard in guards:
        shown = any(_is_of(guard, name) for name in control.passed) and noticed(guard)
        missed += not shown
        print(f"{'noticed' if shown else 'MISSED '}  {guard.name}  ({guard.test})", flush=True)  # noqa: T201
    print(f"{len(guards) - missed} of {len(guards)} guards are noticed when they are gone")  # noqa: T201
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
