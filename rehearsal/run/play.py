"""Play the sample: run a campaign, send other requests, let people redeem, and run the sweep."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from rehearsal.host.process import wait_until
from rehearsal.rig import HostedRig
from rehearsal.rig.rig import POISON, REQUESTS
from rehearsal.run.administrator import Administrator
from rehearsal.run.campaign import Campaign
from rehearsal.run.campaigning import Campaigned, Campaigning
from rehearsal.run.deciding import decide, hold, waits_for
from rehearsal.run.following import REST_SECONDS, let_redeem, sweep, until_healthy
from rehearsal.run.progress import Count, Progress
from rehearsal.run.sending import Receipt, send
from rehearsal.sample import Account, Decision, Malformed, Moment, Profile, Redemption, Sample
from rehearsal.sample.listing import as_csv

WAVE_SECONDS = 90.0
POISON_SECONDS = 60.0

CAMPAIGN = "suppliers"
"""The id of the sample's campaign."""
INVITED = frozenset({"invited", "completed", "unverified"})
"""The stages of an account that was invited, so that its person can redeem."""
WHILE = timedelta(minutes=15)
"""Longer than the replication window and the minute to which the app rounds: what is due after them is due."""
DEADLINE, REFRESH = timedelta(days=1), timedelta(days=7)
"""How long the app compares before a person decides, and how often it reads an account whose person waits."""
WHEN: dict[Redemption, str] = {"at-once": "at once", "soon": "within a day", "late": "after more than a week"}
UNDER_WAY = frozenset({"requested", "inviting"})
"""The stages of a request that the app is still processing."""


@dataclass(slots=True)
class Played:
    """What happened during the play."""

    campaign: Campaigned = field(default_factory=Campaigned)
    receipts: dict[str, Receipt] = field(default_factory=dict)
    """The answers to the requests outside the campaign, by the name of the sample's entry."""
    decided: dict[str, Receipt] = field(default_factory=dict)
    """The answers to the decisions, by the name of the sample's entry."""
    waited: dict[str, str | None] = field(default_factory=dict)
    """Why each request that had to wait was waiting when its decision was made, by the name of the sample's entry."""
    before: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Every user before the first request, by object id."""
    redeemed: int = 0
    """How many people redeemed."""
    poison: int = 0
    """The number of messages in the poison queue before the sweep."""
    swept: bool | None = None
    """Whether every sweep succeeded; None if none ran."""


class Play:
    """One run of the sample. If a wait takes too long, it notes that and continues; the checks name what is missing."""

    def __init__(self, rig: HostedRig, sample: Sample, profile: Profile, progress: Progress) -> None:
        self._rig = rig
        self._sample = sample
        self._ends = sample.ends(profile)
        self._progress = progress
        self._administrator = Administrator(rig)
        self.played = Played()

    def perform(self) -> Played:
        """Perform all acts in order.

        Raises:
            NotHealthyError: the app is not healthy at the start.
            HostError: the host exits by itself.
        """
        until_healthy(self._rig, self._progress)
        self._change("before")
        self.played.before = users(self._rig)
        # Requests that wait go first: their messages return only after the wait, and a message that the host cannot
        # pass to the app needs all its retries, which are seconds apart.
        listed = {account.name for account in self._sample.listed}
        alone = [each for each in self._sample.decisions if each.request not in listed]
        self._decide_while_waiting([each for each in alone if each.waits])
        if listed:
            self._carry_campaign_out([each for each in self._sample.decisions if each.request in listed])
        entries: list[Account | Malformed] = [*self._sample.malformed_alone, *self._sample.asked_for_alone]
        entries = [entry for entry in entries if entry.name not in self.played.receipts]
        for wave in sorted({_wave(entry) for entry in entries}):
            self._send(wave, [entry for entry in entries if _wave(entry) == wave])
        self._decide([each for each in alone if not each.waits])
        self._wait_for_poison()
        self._redeem("at-once")
        self._change("invited")
        self._redeem("soon")
        self._change("redeemed")
        self._sweep()
        self._change("accepted")
        self._let_time_pass()
        return self.played

    def _let_time_pass(self) -> None:
        """Let the app compare redeemed accounts, an administrator change accounts, and the last people redeem."""
        self._sweeps("two readings", WHILE, WHILE)
        self._change("compared")
        self._sweeps("the deadline of the comparison", DEADLINE, WHILE, WHILE)
        self._sweeps("those who wait are read again", REFRESH, WHILE)
        self._redeem("late")
        self._sweeps("two readings of those who redeemed late", timedelta(0), WHILE, WHILE)

    def _sweeps(self, why: str, *after: timedelta) -> None:
        """Run a sweep after each of these times."""
        for time in after:
            self._rig.advance(time.total_seconds())
            self._sweep(said=False)
        self._progress.say(f"{_longest(sum(after, timedelta(0)))} later: {why}")

    def _change(self, when: Moment) -> None:
        """Make the changes that the sample has for this moment."""
        for change in self._sample.changes:
            if change.when == when:
                self._administrator.does(change, self._sample.account(change.account).user_id or "")
                self._progress.note(f"an administrator: {change.act} {change.account}")

    def _carry_campaign_out(self, decisions: Sequence[Decision]) -> None:
        """Run the campaign as an administrator does, from the list to the invitations."""
        acts = Campaigning(Campaign(self._rig.api, CAMPAIGN), self._progress, self._rig.must_live)
        self.played.campaign = acts.done
        acts.campaign.create("Suppliers", "Accounts that belong to suppliers")
        acts.take_in(as_csv(self._sample))
        acts.judge()
        acts.decide(decisions)
        acts.release("all who are ready")
        acts.until_at_rest()

    def _send(self, wave: int, entries: list[Account | Malformed]) -> None:
        for number, entry in enumerate(entries, start=1):
            self.played.receipts[entry.name] = send(self._rig, entry)
            self._progress.now(f"outside the campaign, wave {wave}: {number} of {len(entries)} requests sent")
        by_http = sum(self.played.receipts[entry.name].status is not None for entry in entries)
        self._progress.say(
            f"outside the campaign, wave {wave}: sent {len(entries) - by_http} requests by queue, {by_http} by HTTP"
        )
        awaited = {
            request_id
            for entry in entries
            if (request_id := self.played.receipts[entry.name].request_id) and not _seen_by_sweep_alone(entry)
        }
        self._wait("requests processed", lambda: self._settled(awaited), WAVE_SECONDS)

    def _settled(self, request_ids: set[str]) -> tuple[int, int]:
        rows = self._rig.query("requests", "RowKey eq 'request'")
        settled = {row["PartitionKey"] for row in rows if row["stage"] not in UNDER_WAY}
        return len(settled & request_ids), len(request_ids)

    def _decide_while_waiting(self, decisions: Sequence[Decision]) -> None:
        """Send requests for accounts for which Graph fails, and decide about each once it is reported as waiting."""
        hold(self._rig, self._sample, decisions)
        for decision in decisions:
            receipt = send(self._rig, self._sample.account(decision.request))
            self.played.receipts[decision.request] = receipt
            self._until(f"the wait of {decision.request}", partial(self._waits, receipt.request_id))
            self.played.waited[decision.request] = waits_for(self._rig, receipt.request_id)
        self._decide(decisions)
        if decisions:
            self._rig.tenant.control.clear_faults()

    def _decide(self, decisions: Sequence[Decision]) -> None:
        """Send the decisions of an administrator, and wait until the app has processed them."""
        for decision in decisions:
            request_id = self.played.receipts[decision.request].request_id
            self.played.decided[decision.request] = decide(self._rig, decision, request_id)
        awaited = {each for one in decisions if (each := self.played.receipts[one.request].request_id)}
        if awaited:
            self._wait("decisions carried out", lambda: self._settled(awaited), WAVE_SECONDS)

    def _waits(self, request_id: str | None) -> bool:
        return waits_for(self._rig, request_id) is not None

    def _wait_for_poison(self) -> None:
        due = sum(_seen_by_sweep_alone(entry) for entry in self._sample.malformed)
        if due:
            self._wait("messages that the host gave up on", lambda: (self._rig.waiting(POISON), due), POISON_SECONDS)
        self._until("an empty queue of requests", lambda: self._rig.waiting(REQUESTS) == 0)
        self.played.poison = self._rig.waiting(POISON)

    def _redeem(self, when: Redemption) -> None:
        redeeming = [
            account
            for account in self._sample.accounts
            if account.user_id and account.redeem and account.redeem_on == when
            if self._ends[account.name].stage in INVITED
        ]
        people = {account.user_id or "": account.redeem or "" for account in redeeming}
        others = {account.user_id or "": account.redeem_as for account in redeeming if account.redeem_as}
        redeemed = len(let_redeem(self._rig, people, others))
        self.played.redeemed += redeemed
        self._progress.say(f"people who redeemed {WHEN[when]}: {redeemed} of {len(people)}")

    def _sweep(self, *, said: bool = True) -> None:
        succeeded = sweep(self._rig, self._progress)
        self.played.swept = succeeded and self.played.swept is not False
        if said or not succeeded:
            self._progress.say("the sweep ran" if succeeded else "the sweep FAILED")

    def _wait(self, what: str, count: Count, seconds: float) -> bool:
        def counted() -> tuple[int, int]:
            self._rig.must_live()
            return count()

        return self._progress.wait(what, counted, seconds)

    def _until(self, what: str, condition: Callable[[], bool]) -> None:
        try:
            wait_until(condition, REST_SECONDS, what)
        except TimeoutError as error:
            self._progress.late.append(str(error))


def _longest(time: timedelta) -> str:
    return f"{time.days} days" if time.days > 1 else f"{time.total_seconds() / 3600:.3g} hours"


def users(rig: HostedRig) -> dict[str, dict[str, Any]]:
    """Return every user by object id, also deleted ones, with groups, roles, app roles and redeem links."""
    control = rig.tenant.control
    return {user["id"]: control.user(user["id"]) for user in control.users()}


def _wave(entry: Account | Malformed) -> int:
    return entry.request.wave if isinstance(entry, Account) else entry.wave


def _seen_by_sweep_alone(entry: Account | Malformed) -> bool:
    return isinstance(entry, Malformed) and entry.poison
