"""Read the campaign, the ledger, the API, the directory, the outbox and the log at the end of a run."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rehearsal.history import history
from rehearsal.rig import HostedRig, Row
from rehearsal.run.administrator import USER_AGENT, touched
from rehearsal.run.campaign import Campaign
from rehearsal.run.play import CAMPAIGN, Played, users
from rehearsal.sample import Profile, Sample
from rehearsal.storage import QUEUES

JSONObject = Mapping[str, Any]
MOVED_ON = frozenset({"invited", "accepted", "unverified", "completed"})
"""Stages of an account that got an invitation."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a request according to the ledger or the API."""

    stage: str
    verdict: str | None
    rules: tuple[str, ...]

    @classmethod
    def of(cls, told: Row | JSONObject) -> "Ending":
        """Read a row of the ledger or an answer of the API."""
        rules = {finding["rule"] for finding in findings(told)}
        return cls(str(told["stage"]), told.get("verdict"), tuple(sorted(rules)))

    def __str__(self) -> str:
        return f"{self.stage}, {self.verdict or 'no verdict'}, {' + '.join(self.rules) or 'no findings'}"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything that the checks read."""

    sample: Sample
    profile: Profile
    played: Played
    requests: tuple[Row, ...]
    """All rows of the table `requests`: state rows, history and others."""
    conversions: tuple[Row, ...]
    campaigns: tuple[Row, ...]
    members: tuple[JSONObject, ...]
    """The members on the campaign's list."""
    statuses: Mapping[str, JSONObject]
    """The API's answer for each single member, by its key."""
    answers: Mapping[str, tuple[int, JSONObject]]
    """Status and body of `GET /api/requests/{id}`, by request id."""
    after: Mapping[str, JSONObject]
    """Every user, by object id."""
    journal: tuple[JSONObject, ...]
    """The app's Graph calls."""
    mails: tuple[JSONObject, ...]
    violations: tuple[JSONObject, ...]
    log: str
    left_in_queues: int
    switches: Mapping[str, str]
    """The positions of the tenant's switches."""

    @cached_property
    def states(self) -> dict[str, Row]:
        """The state row of each request, by request id."""
        return {row["PartitionKey"]: row for row in self.requests if row["RowKey"] == "request"}

    @cached_property
    def accounts(self) -> dict[str, Row]:
        """The state row of each account's conversion, by object id."""
        return {row["PartitionKey"]: row for row in self.conversions if row["RowKey"] == "current"}

    @cached_property
    def moved_on(self) -> dict[str, str]:
        """The expected stage of every account that must have got an invitation, by object id."""
        ends = self.sample.ends(self.profile)
        stages = ((account.user_id, ends[account.name].stage) for account in self.sample.accounts)
        return {user_id: stage for user_id, stage in stages if user_id and stage in MOVED_ON}

    @cached_property
    def by_reference(self) -> dict[str, JSONObject]:
        """The members by their references; these are the names of the sample's accounts."""
        return {str(member["reference"]): member for member in self.members}

    @cached_property
    def adopted(self) -> frozenset[str]:
        """The object ids of the accounts that others invited, and whose invitation the app follows."""
        adopted = {each.request for each in self.sample.decisions if each.action == "adopt"}
        return frozenset(str(account.user_id) for account in self.sample.accounts if account.name in adopted)

    def touched(self, user_id: str) -> frozenset[str]:
        """Return the properties of an account that an administrator changed in the directory."""
        names = {account.name for account in self.sample.accounts if account.user_id == user_id}
        return touched(change for change in self.sample.changes if change.account in names)

    def account_events(self, user_id: str) -> list[str]:
        """Return the kinds of the events in the history of an account's conversion, in order."""
        rows = (row for row in self.conversions if row["PartitionKey"] == user_id)
        return [event["kind"] for event in history(rows)]

    def events(self, request_id: str) -> list[str]:
        """Return the kinds of the events in a request's history, in order."""
        rows = (row for row in self.requests if row["PartitionKey"] == request_id)
        return [event["kind"] for event in history(rows)]

    def request_id(self, name: str) -> str | None:
        """Return the id under which the request of a sample entry is recorded, or None."""
        return self.played.receipts[name].request_id

    def invitations(self) -> list[JSONObject]:
        """Return the Graph calls that invite."""
        return [call for call in self.journal if call["method"] == "POST" and call["path"].endswith("/invitations")]

    def told(self) -> Iterable[tuple[str, str]]:
        """Yield every place that must not contain a secret, with its text."""
        yield "the host's log", self.log
        yield "table requests", _text(self.requests)
        yield "table conversions", _text(self.conversions)
        receipts = [*self.played.receipts.values(), *self.played.decided.values()]
        yield "table campaigns", _text(self.campaigns)
        yield (
            "HTTP answers",
            _text([*self.answers.values(), *self.members, *self.statuses.values(), *(each.body for each in receipts)]),
        )


def gathered(rig: HostedRig, sample: Sample, profile: Profile, played: Played) -> Evidence:
    """Read the evidence. Raises httpx.HTTPError or AzureError if the host, the tenant or storage no longer answers."""
    control = rig.tenant.control
    campaign = Campaign(rig.api, CAMPAIGN)
    members = tuple(campaign.members()) if sample.listed else ()
    recorded = {receipt.request_id for receipt in played.receipts.values() if receipt.request_id}
    answers = {}
    for request_id in sorted(recorded):
        answer = rig.api.get(f"/api/requests/{request_id}")
        answers[request_id] = (answer.status_code, answer.json() if answer.content else {})
    return Evidence(
        sample=sample,
        profile=profile,
        played=played,
        requests=tuple(rig.query("requests")),
        conversions=tuple(rig.query("conversions")),
        campaigns=tuple(rig.query("campaigns")),
        members=members,
        statuses={str(each["member"]): campaign.member(each["member"]) for each in members},
        answers=answers,
        after=users(rig),
        journal=tuple(call for call in control.journal() if call["headers"].get("user-agent") != USER_AGENT),
        mails=tuple(control.mails()),
        violations=tuple(control.violations()),
        log=rig.host.log(),
        left_in_queues=sum(map(rig.waiting, QUEUES)),
        switches=control.switches(),
    )


def findings(told: Row | JSONObject) -> list[JSONObject]:
    """Return the findings in a row of the ledger (where they are JSON text) or in an answer of the API."""
    found = told.get("findings") or []
    return json.loads(found) if isinstance(found, str) else list(found)


def _text(content: Any) -> str:
    return json.dumps(content, default=str, ensure_ascii=False)
