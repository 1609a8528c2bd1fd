"""A world at rest, and what oracles may look at: what was sent in, what people did, what callers are shown."""

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
    """A request that was taken in: from the queue, or by HTTP with 202."""

    at: float
    ask: Ask
    raw: bytes
    request: str | None
    """The id by which its caller knows it; None: the app makes one."""
    allowed: bool
    """Whether the app was to convert when it was sent, or when the row of its request was first written."""
    lost: bool
    taken: bool
    """The app said 202, or it came by the queue. Without that answer it may have been taken in, or not."""
    campaign: str = ""
    """The campaign whose owner released it; empty: it came without one."""
    until: float = 0.0
    """When its release was last worked on; of a body that came without a campaign, when it came."""


@dataclass
class Scene:
    """A world at rest, and everything that an oracle may look at."""

    world: World
    answers: dict[str, dict[str, Any]]
    """What GET says about each request."""
    campaigns: dict[str, Shown] = field(default_factory=dict)
    """What is shown of each campaign."""

    @property
    def seen_to_show(self) -> bool:
        """Whether the app's warm-up invitation left: from then on it has seen that this tenant shows invitations."""
        return any(sent.person == "jack" and sent.status == HTTPStatus.CREATED for sent in self.world.sent)

    @cached_property
    def bodies(self) -> list[Body]:
        """Everything that was taken in, in order."""
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
        """Everything that may ask for an invitation: what came, and what the owner of a campaign released."""
        return [*self.bodies, *released(self)]

    def _converts(self, sent_at: float, request: str | None) -> bool:
        """Whether the mode said so: a message that waits on the queue is taken in under the mode of its first row."""
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
        """Of the bodies that came with one id, the one that the id belongs to: the one whose row was written first."""
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
        """The history of a request, in order."""
        return history_of(self.world.tables.rows("requests", request))

    def since(self, action: frozenset[str], subject: str, first: float, last: float) -> bool:
        """Tell whether one of these was done to a subject between two moments."""
        return any(
            act.action in action and act.subject == subject and first < act.at <= last for act in self.world.acts
        )

    def requests_of(self, person: str) -> list[Body]:
        """The requests that name a person, now or by a name that it had."""
        return [body for body in self.asked if person in self.names(body.ask)]

    def names(self, ask: Ask) -> set[str]:
        """The people whom a request can mean, over all the time."""
        found = {ask.person}
        if ask.by == "mail":
            found |= {name for name in self.world.people if BY_NAME[name].mail == BY_NAME[ask.person].mail}
        for act in self.world.acts:
            if act.action == "move name" and act.subject == ask.person and ask.by == "userPrincipalName":
                found.add(act.value)
        return found

    def turned(self, campaign: str) -> str:
        """How a campaign was turned last, as far as its owner was told: `open`, `paused` or `ended`."""
        words = {"pause list": "paused", "resume list": "open", "end list": "ended"}
        told = [
            words[action]
            for _, action, subject, reply in self.world.replies
            if action in words and subject == campaign and reply.status < HTTPStatus.BAD_REQUEST
        ]
        return "ended" if "ended" in told else next(reversed(told), "open")

    def state(self, person: str) -> str | None:
        """The account's externalUserState now; `gone` for one that is not in the directory."""
        user = self.world.directory.truth(BY_NAME[person].id)
        return user.get("externalUserState") if user is not None else "gone"


def released(scene: Scene) -> list[Body]:
    """Return what owners of campaigns released, as far as anybody outside can know: a row for each release of it.

    A release whose answer was lost may have begun. Whom it is for is decided while it is worked on, so rows of lists
    that come later are among them.
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
    """Return the deliveries of a campaign's parts, without those of some runs."""
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
    """Return a time of an answer as seconds of the history."""
    return seconds_of(datetime.fromisoformat(text)) if text else default


def seconds_of(moment: datetime) -> float:
    """Return a time as seconds of the history."""
    return (moment - START).total_seconds()


def canonical(body: bytes | None) -> str:
    """Return a body without its id and in one spelling, so that two of the same request are equal."""
    if not body:
        return ""
    found = json.loads(body)
    return json.dumps({name: value for name, value in found.items() if name != "requestId"}, sort_keys=True)
