"""The end of a history as the oracles see it: what was sent, what people did, and what callers are shown."""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from http import HTTPStatus
from typing import Any

from rehearsal.history import history as history_of
from tests.simulation.actions import body_of
from tests.simulation.app import rows_of
from tests.simulation.history import Ask
from tests.simulation.people import BY_NAME
from tests.simulation.reading import Shown
from tests.simulation.world import START, Activity, World


@dataclass(frozen=True)
class Body:
    """A request that was sent, by queue or by HTTP, or that a campaign's owner released."""

    at: float
    ask: Ask
    raw: bytes
    request: str | None
    """The id by which its caller knows it; None if the app is to make one."""
    allowed: bool
    """Whether the mode was convert when it was sent, or when its request's row was first written."""
    lost: bool
    taken: bool
    """Whether the app surely accepted it: it came by queue, or was answered 202. If not, it may still have been
    accepted."""
    campaign: str = ""
    """The campaign whose owner released it; empty if it belongs to no campaign."""
    until: float = 0.0
    """When its release was last processed, in seconds; without a campaign, when it was sent."""


@dataclass
class Scene:
    """Everything that an oracle may look at, once the world has come to rest."""

    world: World
    answers: dict[str, dict[str, Any]]
    """What GET returns for each request, by id."""
    campaigns: dict[str, Shown] = field(default_factory=dict)
    """What is shown of each campaign, by name."""

    @property
    def seen_to_show(self) -> bool:
        """Whether the app's warm-up invitation succeeded, from which it learns that this tenant shows invitations."""
        return any(sent.person == "jack" and sent.status == HTTPStatus.CREATED for sent in self.world.sent)

    @cached_property
    def bodies(self) -> list[Body]:
        """Every request that was sent, in order."""
        world, found = self.world, list[Body]()
        accepted = [
            (at, reply.body["requestId"])
            for at, action, _, reply in world.replies
            if action == "post" and reply.status == 202
        ]
        for act in world.acts:
            if act.action in {"send", "send base64", "post"}:
                raw = body_of(act.value)
                request = act.value.request
                answers = [told for at, told in accepted if at >= act.at and request in {None, told}]
                taken = act.action != "post" or bool(answers)
                if taken and act.action == "post":
                    request = answers[0]
                lost = any(
                    later.action in {"lose", "crash"} and later.at >= act.at and later.subject in {"", request}
                    for later in world.acts
                    if later.action == "lose"
                )
                allowed = self._converts(act.at, request)
                found.append(Body(act.at, act.value, raw, request, allowed, lost, taken, until=act.at))
        return found

    @cached_property
    def asked(self) -> list[Body]:
        """Everything that may ask for an invitation: requests that were sent, and members that owners released."""
        return [*self.bodies, *released(self)]

    def _converts(self, sent_at: float, request: str | None) -> bool:
        """Tell whether the mode was convert at `sent_at`, or when the first row of the request was written."""
        begun = self.world.tables.begun.get(("requests", request or ""))
        moments = [sent_at] if begun is None else [sent_at, seconds_of(begun)]
        return any(self._mode(moment) == "convert" for moment in moments)

    def _mode(self, at: float) -> str:
        modes = [dict(self.world.history.settings).get("B2B_MODE", "convert")]
        modes += [
            act.value for act in self.world.acts if act.action == "set" and act.subject == "B2B_MODE" and act.at <= at
        ]
        return str(modes[-1])

    @cached_property
    def holders(self) -> list[Body]:
        """The body that each request id belongs to, if several used it: the one whose row was written first."""
        found: dict[str | None, Body] = {}
        for body in self.asked:
            row = self.rows.get(body.request or "")
            own = row is not None and (bool(body.campaign) or canonical(row.get("body")) == canonical(body.raw))
            if body.taken and not body.ask.broken and own:
                found.setdefault(body.request, body)
        return list(found.values())

    @cached_property
    def rows(self) -> dict[str, dict[str, Any]]:
        """The rows of requests, by id."""
        tables = rows_of(self.world.tables, "requests")
        return {key: row for key, rows in tables.items() for row in rows if row["RowKey"] == "request"}

    def history(self, request: str) -> list[dict[str, Any]]:
        """Return the history of a request, in order."""
        return history_of(self.world.tables.rows("requests", request))

    def since(self, action: frozenset[str], subject: str, first: float, last: float) -> bool:
        """Tell whether one of these actions was done to a subject after `first` and no later than `last`."""
        return any(
            act.action in action and act.subject == subject and first < act.at <= last for act in self.world.acts
        )

    def requests_of(self, person: str) -> list[Body]:
        """Return the requests that may name a person, including by a name that the person once had."""
        return [body for body in self.asked if person in self.names(body.ask)]

    def names(self, ask: Ask) -> set[str]:
        """Return the people whom a request may mean at any time of the history."""
        found = {ask.person}
        if ask.by == "mail":
            found |= {name for name in self.world.people if BY_NAME[name].mail == BY_NAME[ask.person].mail}
        for act in self.world.acts:
            if act.action == "move name" and act.subject == ask.person and ask.by == "userPrincipalName":
                found.add(act.value)
        return found

    def turned(self, campaign: str) -> str:
        """Return the last state of a campaign that its owner was told: `open`, `paused` or `ended`."""
        words = {"pause list": "paused", "resume list": "open", "end list": "ended"}
        told = [
            words[action]
            for _, action, subject, reply in self.world.replies
            if action in words and subject == campaign and reply.status < HTTPStatus.BAD_REQUEST
        ]
        return "ended" if "ended" in told else next(reversed(told), "open")

    def state(self, person: str) -> str | None:
        """Return the account's externalUserState at the end; `gone` if the account is not in the directory."""
        user = self.world.directory.truth(BY_NAME[person].id)
        return user.get("externalUserState") if user is not None else "gone"


def released(scene: Scene) -> list[Body]:
    """Return the members that owners of campaigns released, as far as an outsider can know: one body for each row and
    release.

    A release whose answer was lost may have begun. The app chooses its members while it processes the release, so rows
    of lists that arrive later count as well.
    """
    found = list[Body]()
    for act in scene.world.acts:
        refused = act.reply is not None and act.reply.status == HTTPStatus.CONFLICT
        if act.action != "release list" or refused:
            continue
        known = scene.campaigns.get(act.subject)
        ids = {each["reference"]: each["requestId"] for each in known.members} if known is not None else {}
        until = max((each.ended or scene.world.loop.now for each in deliveries(scene.world, act.subject)), default=0.0)
        for row in rows_in(scene.world, act.subject):
            if act.value is None or row.person in act.value:
                request = ids.get(row.request or "") or f"{act.subject}/{row.request}"
                found.append(
                    Body(
                        act.at,
                        replace(row, request=request),
                        raw=b"",
                        request=request,
                        allowed=True,
                        lost=False,
                        taken=act.reply is not None and act.reply.status == HTTPStatus.ACCEPTED,
                        campaign=act.subject,
                        until=max(until, act.at),
                    )
                )
    return found


def rows_in(world: World, campaign: str) -> list[Ask]:
    """Return every row that was ever sent to a campaign, each once."""
    sent = (act.value for act in world.acts if act.action == "list in" and act.subject == campaign)
    return list(dict.fromkeys(row for rows in sent for row in rows))


def deliveries(world: World, campaign: str, but: frozenset[str] = frozenset()) -> list[Activity]:
    """Return the deliveries of a campaign's parts, except those of the runs in `but`."""
    found = list[Activity]()
    for delivery in world.deliveries:
        part = _part(delivery.content)
        if part.get("campaignId") == campaign and part.get("runId") not in but:
            found.append(delivery)
    return found


def _part(content: str) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except ValueError:
        return {}
    part = document.get("campaign") if isinstance(document, dict) else None
    return part if isinstance(part, dict) else {}


def moment_of(text: str | None, default: float) -> float:
    """Return a time from an answer as seconds since the history began; `default` if there is none."""
    return seconds_of(datetime.fromisoformat(text)) if text else default


def seconds_of(moment: datetime) -> float:
    """Return a time as seconds since the history began."""
    return (moment - START).total_seconds()


def canonical(body: bytes | None) -> str:
    """Return a request's body without its id and in a fixed spelling, so that two copies of a request are equal."""
    if not body:
        return ""
    found = json.loads(body)
    return json.dumps({name: value for name, value in found.items() if name != "requestId"}, sort_keys=True)
