"""Oracles for campaigns: their lists, runs, pauses and ends, and the states that members show."""

from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from tests.simulation.app import WINDOW, rows_of
from tests.simulation.campaign_actions import list_of
from tests.simulation.office import STALE
from tests.simulation.people import BY_ID, BY_NAME
from tests.simulation.scene import Body, Scene, deliveries, rows_in
from tests.simulation.world import Act

ON_ITS_WAY = 60.0
"""Seconds that a delivery may take from its decision to the invitation if no fault delays a call."""
SLOWING = frozenset({"hold", "late", "freeze", "slow"})
ON_THE_ROW = frozenset({"campaign-paused", "campaign-ended", "paused", "mode-assess"})
"""Wait reasons that are stored in the request's own row. Others may be found only when the request is read."""
GIVEN_UP = 4
"""How often the host gives up on a part before the app does."""
SHOWN = frozenset({"PendingAcceptance", "Accepted"})
UNSENT = frozenset({"listed", "judged", "requested", "inviting"})


def judged_addresses(scene: Scene, campaign: str, person: str, before: float) -> set[str]:
    """Return the addresses of a person's account that judging may have read or a person may have approved."""
    world = scene.world
    others = {
        act.reply.body["runId"]
        for act in world.acts
        if act.subject == campaign and act.action in {"release list", "end list"} and "runId" in _body(act)
    }
    spans = [(each.began - WINDOW, each.ended or before) for each in deliveries(world, campaign, frozenset(others))]
    approved = [act.at for act in world.acts if act.action in {"approve", "decide list"} and act.at <= before]
    spans += [(-WINDOW, moment) for moment in approved]
    held = _held(scene, person)
    return {address for since, until, address in held if any(since <= last and first < until for first, last in spans)}


def _held(scene: Scene, person: str) -> list[tuple[float, float, str]]:
    """Return the addresses that an account had, each with its first and last second."""
    found, since, address = list[tuple[float, float, str]](), -WINDOW, BY_NAME[person].mail
    for act in scene.world.acts:
        if act.action == "change" and act.subject == person and "mail" in act.value:
            found.append((since, act.at, address.lower()))
            since, address = act.at, str(act.value["mail"])
    return [*found, (since, scene.world.loop.now + 1, address.lower())]


def kept(scene: Scene) -> Iterator[str]:
    """Every accepted row is a member. Sending the same list again makes nobody a member twice."""
    for name, shown in scene.campaigns.items():
        sends = [act for act in scene.world.acts if act.action == "list in" and act.subject == name]
        members = Counter(each["reference"] for each in shown.members)
        people = {person for each in shown.members for person in _people(scene, name, each)}
        for act in sends:
            if act.reply is None or act.reply.status != HTTPStatus.OK:
                continue
            faulty = {fault["line"] for fault in act.reply.body["faults"]}
            for line, row in enumerate(act.value, start=2):
                if line not in faulty and row.person not in people:
                    yield f"{name}: the row of {row.request} was taken in, and {row.person} is no member"
        if len({list_of(act.value) for act in sends}) == 1:
            yield from (f"{name}: {each} is a member {times} times" for each, times in members.items() if times > 1)


def parts_send_nothing(scene: Scene) -> Iterator[str]:
    """The parts of a run invite nobody. Only the message of a request leads to an invitation."""
    parts = {(each.label, each.began) for name in scene.campaigns for each in deliveries(scene.world, name)}
    for sent in scene.world.sent:
        if (sent.activity, sent.began) in parts:
            yield f"{sent.person} was invited at {sent.at:.0f} by a part of a campaign's run"


def run_ends(scene: Scene) -> Iterator[str]:
    """A run that was answered with 202 finishes, and has an outcome for each of its members."""
    for name, shown in scene.campaigns.items():
        if scene.world.foreign:
            continue
        for run_id, told in shown.runs.items():
            if not told.get("finished"):
                yield f"{name}: run {run_id[-4:]} does not end: {told}"
            elif "gaveUp" in told["counts"] and sum(act.action == "poison" for act in scene.world.acts) < GIVEN_UP:
                yield f"{name}: run {run_id[-4:]} was given up, and nothing ever went wrong four times"
            elif sum(told["counts"].values()) != told["members"]:
                yield f"{name}: run {run_id[-4:]} was for {told['members']} members, and says {told['counts']}"


def member_rests(scene: Scene) -> Iterator[str]:
    """At the end, each member waits for the next step of its campaign or shows the state of its request."""
    for name, shown in scene.campaigns.items():
        for member in shown.members:
            answer = scene.answers.get(member["requestId"])
            waits = member["stage"] in {"listed", "judged"} or (member["stage"] == "cancelled" and answer is None)
            if waits or member["requestId"] in scene.world.foreign:
                continue
            if answer is None or "stage" not in answer:
                yield f"{name}: {member['reference']} is {member['stage']}, and has no request"
                continue
            stage = answer["stage"]
            alike = member["stage"] == stage or (member["stage"], stage) == ("requested", "inviting")
            over = scene.turned(name) == "ended" and stage in {"blocked", "failed"}
            called_off = over or _decided(scene, name, member["reference"], "refuse")
            if not alike and not (member["stage"] == "cancelled" and called_off):
                yield f"{name}: {member['reference']} shows {member['stage']}, and its request is {stage}"
            wait, own = (answer.get("waiting") or {}).get("reason"), (member["waiting"] or {}).get("reason")
            alone = len({body.request for body in _beside(scene, member)}) < 2
            if alone and member["stage"] == stage and own != wait and {own, wait} & ON_THE_ROW:
                yield f"{name}: {member['reference']} waits for {own}, and its request for {wait}"


def _beside(scene: Scene, member: dict[str, Any]) -> list[Body]:
    """Return all requests for a member's account, because a joined request shows the wait reason of its leader."""
    account = BY_ID.get(member["userId"])
    return scene.requests_of(account.name) if account is not None else []


def released_all(scene: Scene) -> Iterator[str]:
    """A release of all members leaves no ready member behind, unless something happened to the campaign since."""
    for name, shown in scene.campaigns.items():
        acts = [act for act in scene.world.acts if act.subject == name]
        whole = [act for act in acts if act.action == "release list" and act.value is None and _said(act) == 202]
        if not whole or any(act.action in {"lose", "pause list", "end list"} for act in acts):
            continue
        last = whole[-1]
        ours = deliveries(scene.world, name, frozenset({last.reply.body["runId"]}))
        later = any(act.at >= last.at and act is not last for act in acts) or any(
            at >= last.at and subject == name and reply is not last.reply
            for at, _, subject, reply in scene.world.replies
        )
        if later or any((each.ended or last.at + 1) > last.at for each in ours) or scene.world.foreign:
            continue
        for member in shown.members:
            if (member["stage"], member["verdict"]) == ("judged", "ready"):
                yield f"{name}: {member['reference']} is ready, and the release of all passed it over"


def asked_as_listed(scene: Scene) -> Iterator[str]:
    """A released member's request has the same body as the member's row.

    Sending another list must not change a member who is already released.
    """
    requests, campaigns = (rows_of(scene.world.tables, table) for table in ("requests", "campaigns"))
    for name in scene.campaigns:
        for row in campaigns.get(name, ()):
            if not row["RowKey"].startswith("member~") or row["stage"] in {"listed", "judged", "cancelled"}:
                continue
            for request in requests.get(row["requestId"], ()):
                if request["RowKey"] == "request" and request["body"] != row["body"]:
                    yield f"{name}: {row['reference']} is listed as {row['body']!r}, and asked as {request['body']!r}"


def released_told(scene: Scene) -> Iterator[str]:
    """A release counts every member that it has released."""
    for name, shown in scene.campaigns.items():
        acts = [act for act in scene.world.acts if act.action == "release list" and act.subject == name]
        ordered = [act for act in acts if _said(act) == 202]
        broken = any(_said(act) == 0 or _said(act) >= HTTPStatus.INTERNAL_SERVER_ERROR for act in acts)
        if len(ordered) != 1 or broken or scene.turned(name) == "ended":
            continue
        told = shown.runs[ordered[0].reply.body["runId"]]
        released = sum(bool(member["requestId"]) for member in shown.members)
        if told.get("finished") and "gaveUp" not in told["counts"] and told["counts"].get("released", 0) < released:
            yield f"{name}: {released} members were released, and the release says {told['counts']}"


def held_back(scene: Scene) -> Iterator[str]:
    """After a pause or an end is answered, the campaign starts no invitation once the documented delay is over."""
    world = scene.world
    faults = sum(fault.seconds for fault in world.history.faults if fault.outcome in SLOWING)
    slow = any(act.action in {"slow", "outage"} for act in world.acts)
    for act, told, until in _pauses(scene):
        for sent in world.sent:
            begun = sent.began > told + STALE
            late = sent.at > told + STALE + ON_ITS_WAY + faults and not slow
            if not (begun or late) or not told < sent.at <= until:
                continue
            if _only_asked_by(scene, act.subject, sent.person, sent.at):
                said = f"{act.action} {act.subject} was answered at {told:.0f}"
                yield f"{said}, and {sent.person} invited at {sent.at:.0f}"


def _pauses(scene: Scene) -> Iterator[tuple[Act, float, float]]:
    """Yield each pause and end that succeeded: the act, when it was answered, and until when it holds (seconds)."""
    for at, action, subject, reply in scene.world.replies:
        if action in {"pause list", "end list"} and reply.status < HTTPStatus.BAD_REQUEST:
            act = next(act for act in scene.world.acts if act.reply is reply)
            resumed = [
                each.at
                for each in scene.world.acts
                if each.action == "resume list" and each.subject == subject and each.at >= act.at
            ]
            yield act, at, float("inf") if action == "end list" else min(resumed, default=float("inf"))


def _only_asked_by(scene: Scene, campaign: str, person: str, before: float) -> bool:
    """Tell whether nobody but the owner of this campaign asked for the invitation."""
    asked = [body for body in scene.requests_of(person) if body.at <= before and not body.ask.broken]
    dry = {body.request for body in asked if body.ask.dry_run or not body.allowed}
    opened = {act.subject for act in scene.world.acts if act.action == "release"}
    return {body.campaign for body in asked if body.request not in dry - opened} == {campaign}


def ended_for_good(scene: Scene) -> Iterator[str]:
    """Once the run that ends a campaign is finished, no member still waits for judging, release or invitation."""
    for name, shown in scene.campaigns.items():
        ends = [
            act for act in scene.world.acts if act.action == "end list" and act.subject == name and _said(act) == 202
        ]
        if not any(shown.runs[act.reply.body["runId"]].get("finished") for act in ends) or scene.world.foreign:
            continue
        for member in shown.members:
            free = any(
                not body.campaign or body.campaign != name
                for person in _people(scene, name, member)
                for body in scene.requests_of(person)
            )
            stage = "listed" if _cut_off(scene, name) and member["stage"] == "listed" else ""
            doubt = (member["waiting"] or {}).get("reason") in {"outcome-pending", "outcome-unknown", "account-deleted"}
            judging = member["stage"] == "judged" and _judging_at(scene, name, ends)
            if member["stage"] in UNSENT - {stage} and not free and not doubt and not judging:
                yield f"{name} has ended, and {member['reference']} is {member['stage']}: {member['waiting']}"


def followed_on(scene: Scene) -> Iterator[str]:
    """The end of a campaign cancels no member that was invited. The app follows such a member until the redemption."""
    world = scene.world
    for name, shown in scene.campaigns.items():
        if scene.turned(name) != "ended" or any(act.action in {"refuse", "cancel"} for act in world.acts):
            continue
        for member in shown.members:
            account = BY_ID.get(member["userId"])
            if (
                member["stage"] != "cancelled"
                or account is None
                or _decided(scene, name, member["reference"], "refuse")
            ):
                continue
            invited = [sent for sent in world.sent if sent.person == account.name and sent.status == HTTPStatus.CREATED]
            ours = bool(invited) and _only_asked_by(scene, name, account.name, invited[0].at)
            undone = scene.since(frozenset({"convert back", "purge"}), account.name, -1.0, world.loop.now)
            alone = len([row for row in rows_in(world, name) if account.name in scene.names(row)]) == 1
            if ours and alone and not undone and scene.state(account.name) in SHOWN:
                yield f"{name} has cancelled {member['reference']}, and the app has invited {account.name}"


def _cut_off(scene: Scene, name: str) -> bool:
    """Tell whether a list was cut off. The members that it stored may stay listed; another end would cancel them."""
    lists = [act for act in scene.world.acts if act.action == "list in" and act.subject == name]
    return any(_said(act) == 0 or _said(act) >= HTTPStatus.INTERNAL_SERVER_ERROR for act in lists)


def _judging_at(scene: Scene, name: str, ends: list[Act]) -> bool:
    """Tell whether a part was being processed when the campaign ended, because such a part may not know of the end."""
    moment, own = ends[0].at, frozenset(str(_body(act).get("runId")) for act in ends)
    return any(each.began <= moment + 1 <= (each.ended or moment) + 1 for each in deliveries(scene.world, name, own))


def refused_member(scene: Scene) -> Iterator[str]:
    """A member that the owner refused is not invited, unless a list names the member again."""
    world = scene.world
    for at, action, name, reply in world.replies:
        if action != "decide list" or reply.status != HTTPStatus.OK:
            continue
        act = next(act for act in world.acts if act.reply is reply)
        if act.value != "refuse":
            continue
        for each in reply.body["decided"]:
            person = each["reference"].partition("-")[0]
            alone = len([row for row in rows_in(world, name) if person in scene.names(row)]) == 1
            again = any(
                later.action == "list in" and later.subject == name and later.at > at - WINDOW for later in world.acts
            )
            if each["refused"] or not alone or again:
                continue
            if any(body.request == each["requestId"] and not body.campaign for body in scene.asked):
                continue
            for sent in world.sent:
                if sent.person == person and sent.at > at and _only_asked_by(scene, name, person, sent.at):
                    yield f"{name}: {each['reference']} was refused at {at:.0f}, and invited at {sent.at:.0f}"


def judged_truly(scene: Scene) -> Iterator[str]:
    """A judged member is matched to the account that its row names."""
    for name, shown in scene.campaigns.items():
        for member in shown.members:
            account = BY_ID.get(member["userId"])
            if account is not None and account.name not in _people(scene, name, member):
                yield f"{name}: {member['reference']} shows {account.name}"


def _people(scene: Scene, name: str, member: dict[str, Any]) -> set[str]:
    """Return the people that the rows with a member's reference can name."""
    rows = [row for row in rows_in(scene.world, name) if row.request == member["reference"]]
    return {person for row in rows for person in scene.names(row)}


def _decided(scene: Scene, name: str, reference: str, answer: str) -> bool:
    return any(
        each["reference"] == reference
        for act in scene.world.acts
        if act.action == "decide list" and act.subject == name and act.value == answer and _said(act) == HTTPStatus.OK
        for each in act.reply.body["decided"]
    )


def _said(act: Act) -> int:
    return int(act.reply.status) if act.reply is not None else 0


def _body(act: Act) -> dict[str, Any]:
    return act.reply.body if act.reply is not None else {}


CAMPAIGN_ORACLES = (
    kept,
    parts_send_nothing,
    run_ends,
    member_rests,
    released_all,
    released_told,
    asked_as_listed,
    held_back,
    ended_for_good,
    followed_on,
    refused_member,
    judged_truly,
)
