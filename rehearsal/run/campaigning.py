"""Run the acts of a campaign (send the list, judge, decide, release) and print a line for each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rehearsal.run.campaign import JSON, Campaign, Done, Fault, ListTaken
from rehearsal.run.progress import Progress
from rehearsal.sample import Action, Decision

ACT_SECONDS = 120.0
LOOK_SECONDS = 0.2
AT_WORK = "requested"
"""The stage that a campaign's list shows for members whose request is being processed."""
REASONS: Mapping[Action, str] = {"approve": "known to us", "refuse": "nobody knows this address"}
_MOST_FAULTS = 5
"""How many refused rows are printed."""


@dataclass(slots=True)
class Campaigned:
    """The app's answers to the acts."""

    taken: ListTaken | None = None
    released: Done | None = None
    decided: dict[str, str | None] = field(default_factory=dict)
    """The error code of each decision about a member (None: it succeeded), by the member's reference."""


class Campaigning:
    """Runs a campaign. If a wait takes too long, it notes that and continues."""

    def __init__(
        self, campaign: Campaign, progress: Progress, must_live: Callable[[], None], every: float = LOOK_SECONDS
    ) -> None:
        """`every` is the time in seconds between two reads of a run."""
        self.campaign, self._progress, self._must_live, self._every = campaign, progress, must_live, every
        self.done = Campaigned()

    def take_in(self, raw: bytes, keep: Sequence[str] = (), charset: str = "", address: str = "") -> ListTaken:
        """Send the list, and print which rows are refused."""
        taken = self.campaign.send(raw, keep, charset, address)
        self.done.taken = taken
        refused = len({fault.line for fault in taken.faults})
        self._progress.say(f"the list is in: {len(taken.members)} people; rows refused: {refused}")
        for fault in taken.faults[:_MOST_FAULTS]:
            self._progress.note(told(fault))
        if len(taken.faults) > _MOST_FAULTS:
            self._progress.note(f"and {len(taken.faults) - _MOST_FAULTS} more")
        return taken

    def judge(self, seconds: float = ACT_SECONDS) -> Done:
        """Judge all members, and wait up to `seconds` for the end."""
        return self._carried_out("members judged", self.campaign.judge(), seconds)

    def decide(self, decisions: Sequence[Decision]) -> None:
        """Make the decisions about members. One call decides for all members with the same finding and action, but a
        finding that must be decided member by member gets a call for each.
        """
        for (action, what), shown in self._batches(decisions).items():
            errors = self.campaign.decide(action, shown, REASONS[action])
            by_key = {each["member"]: each["reference"] for each in shown}
            self.done.decided |= {by_key[key]: code for key, code in errors.items()}
            self._progress.say(f"decided: {action} {len(shown)} that wait because of {what}")

    def release(self, reason: str, seconds: float = ACT_SECONDS, **wanted: Any) -> Done:
        """Release all ready members, or those that `wanted` selects, and wait up to `seconds` for the end."""
        run = self.campaign.release(reason, **wanted)
        self.done.released = self._carried_out("members released", run, seconds)
        return self.done.released

    def until_at_rest(self, seconds: float = ACT_SECONDS) -> bool:
        """Wait until the app has processed the requests of all released members."""
        released = self.done.released.outcomes.get("released", 0) if self.done.released else 0

        def at_rest() -> tuple[int, int]:
            self._must_live()
            return released - sum(1 for _ in self.campaign.members(stage=AT_WORK)), released

        return self._progress.wait("released members processed", at_rest, seconds)

    def _batches(self, decisions: Sequence[Decision]) -> dict[tuple[Action, str], list[JSON]]:
        actions = {decision.request: decision.action for decision in decisions}
        found: dict[tuple[Action, str], list[JSON]] = {}
        seen: set[str] = set()
        for group in self.campaign.waiting():
            for each in group["members"]:
                reference = each["reference"]
                if reference not in actions or reference in seen:
                    continue
                seen.add(reference)
                what = f"{group['rule']}: {reference}" if group["alone"] else group["rule"]
                found.setdefault((actions[reference], what), []).append(each)
        return found

    def _carried_out(self, what: str, run: str, seconds: float) -> Done:
        looks: list[Done] = []

        def counted() -> tuple[int, int]:
            self._must_live()
            looks[:] = [self.campaign.look(run)]
            return looks[0].counted

        self._progress.wait(what, counted, seconds, self._every)
        (done,) = looks
        outcomes = ", ".join(
            f"{count} {name}" for name, count in sorted(done.outcomes.items(), key=lambda item: -item[1])
        )
        self._progress.note(outcomes or "nobody")
        return done


def told(fault: Fault) -> str:
    """Return a refused row as one line of text."""
    return f"line {fault.line}{', ' if fault.column else ''}{fault.column}: {fault.code}: {fault.message}"
