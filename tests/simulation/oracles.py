"""What must hold, seen from outside: the bodies as they were sent, the invitations and mails, and the directory.

No oracle asks a column of the ledger in order to judge that same column. What callers are shown (a request's answer by
HTTP) is compared with what happened.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from itertools import pairwise
from typing import Any

from b2b.domain.rate import CATCH_UP
from tests.simulation.app import POISON, WINDOW, WORK, rows_of
from tests.simulation.people import BY_ID, BY_NAME
from tests.simulation.reading import ask_all
from tests.simulation.scene import Body, Scene, canonical, seconds_of
from tests.simulation.sweep_oracles import listed, on_the_lists, told
from tests.simulation.truths import truth
from tests.simulation.world import World

WORKING = frozenset({"requested", "inviting", "accepted"})
ENDED = frozenset({"rejected", "assessed", "blocked", "completed", "failed", "cancelled"})
REOPENING = frozenset({"retry", "approve", "release"})
"""What a person does to a request that has ended or waits."""
ASKED_AGAIN = frozenset({"outcome-unknown", "not-visible", "another-account"})
"""Findings whose approval asks for another invitation."""
LATE = frozenset({"hold", "late", "freeze", "slow"})
"""Faults by which a call arrives later than it was allowed."""
RATE = "1200"
"""Invitations per minute, where a history does not say."""


@dataclass(frozen=True)
class Violation:
    """One promise that was broken."""

    oracle: str
    said: str

    def __str__(self) -> str:
        return f"{self.oracle}: {self.said}"


def second_mail(scene: Scene) -> Iterator[str]:
    """No mailbox gets a second mail from the app, unless a person asked for it or the first account is gone."""
    by_mailbox = defaultdict(list)
    for sent in scene.world.sent:
        if sent.mailed:
            by_mailbox[sent.mailed].append(sent)
    for mailbox, mails in by_mailbox.items():
        for first, second in pairwise(mails):
            lost = first.for_another and not first.recorded  # the account named will never show it: nobody can know
            if not lost and not _asked(scene, first, second):
                yield f"{mailbox}: for {first.person} at {first.at:.0f} and for {second.person} at {second.at:.0f}"


def _asked(scene: Scene, first: Any, second: Any) -> bool:
    """Undone in the directory and requested anew, approved as an unknown outcome, or the first account is gone.

    Where the app never heard of the first one, and it was undone before it was read, nothing shows that it was.
    """
    world = scene.world
    if scene.since(frozenset({"purge", "delete"}), first.person, first.at, second.at - WINDOW):
        return True  # two reads a window apart did not find it, so that its address is free
    for body in scene.requests_of(second.person):
        for at, action, request, reply in world.replies:
            shown = reply.body.get("findings") or () if isinstance(reply.body, dict) else ()
            rules = {finding["rule"] for finding in shown}
            asks = action == "shown" and request == body.request and rules & ASKED_AGAIN
            if asks and first.at < at <= second.at and _judged_at(scene, request, at) > first.at:
                return True
    undone = frozenset({"convert back"})
    back = [act.at for act in world.acts if act.action in undone and act.subject == first.person and first.at < act.at]
    if not first.recorded and any(moment <= second.at for moment in back):
        return True
    asked = [body.at for body in scene.requests_of(second.person)]
    asked += [act.at for act in world.acts if act.action in REOPENING]
    return any(moment < asking <= second.at for moment in back for asking in asked)


def _judged_at(scene: Scene, request: str, before: float) -> float:
    """Return when a request was last sent to a person: what it shows is about nothing that came later."""
    sent = [seconds_of(row["at"]) for row in scene.history(request) if row.get("kind") == "needsReview"]
    return max((at for at in sent if at <= before), default=-1.0) + abs(scene.world.history.skew)


def unasked_invitation(scene: Scene) -> Iterator[str]:
    """An invitation needs a request that is no dry run, taken in while the mode was convert, and a process that may."""
    for sent in scene.world.sent:
        if not sent.allowed:
            yield f"{sent.person} was invited at {sent.at:.0f} by a process that was paused or only assesses"
        lawful = [
            body
            for body in scene.requests_of(sent.person)
            if body.at <= sent.at and not body.ask.broken and _to_invite(scene, body, sent.at)
        ]
        if not lawful and sent.person in BY_NAME and not (sent.person == "jack" and scene.world.history.known):
            yield f"{sent.person} was invited at {sent.at:.0f}, and only dry runs asked for it"


def _to_invite(scene: Scene, body: Body, moment: float) -> bool:
    """Whether a request was to invite by then: from the beginning, or since it was released."""
    real = body.allowed and not body.ask.dry_run
    return real or scene.since(frozenset({"release"}), body.request or "", body.at, moment)


def addressed(scene: Scene) -> Iterator[str]:
    """An invitation goes to an address that a request means which nobody had called off."""
    for post in scene.world.directory.posts:
        person, at = BY_ID.get(post.user_id.lower()), seconds_of(post.time)
        if person is None or person.name == "jack":
            continue
        changes = [act.value.get("mail") for act in scene.world.acts if act.action == "change"]
        meant = set[str | None]()
        for body in scene.requests_of(person.name):
            off = any(
                action == "cancel" and request == body.request and reply.status == HTTPStatus.ACCEPTED and when < at
                for when, action, request, reply in scene.world.replies
            )
            if not off:
                meant |= {body.ask.address.lower()} if body.ask.address else {person.mail, *changes}
        if post.address.lower() not in meant:
            yield f"{person.name} was invited with {post.address} at {at:.0f}, and only a called off request meant that"


def protected(scene: Scene) -> Iterator[str]:
    """Nobody is invited whom a protecting rule blocks, or sends to a person who has not approved."""
    for sent in scene.world.sent:
        person = BY_NAME.get(sent.person)
        if person is None:
            continue
        if person.never:
            yield f"{sent.person} was invited"
        approved = any(
            act.action == "approve"
            and act.at <= sent.at
            and act.subject in {b.request for b in scene.requests_of(sent.person)}
            for act in scene.world.acts
        )
        eased = any(act.action == "enable" and act.subject == sent.person for act in scene.world.acts)
        if person.reviewed and not approved and not eased:
            yield f"{sent.person} was invited and nobody had approved it"


def answered_again(scene: Scene) -> Iterator[str]:
    """What Graph answered, and the app wrote down, is not asked again until a person or another request wants it."""
    by_person = defaultdict(list)
    for sent in scene.world.sent:
        by_person[sent.person].append(sent)
    for person, calls in by_person.items():
        spent = 0
        for first, second in pairwise(calls):
            if not first.recorded or first.status not in {201, 400}:
                continue
            spent += 1
            bodies = scene.requests_of(person)
            began: dict[str | None, float] = {}
            for body in bodies:
                began.setdefault(body.request, body.at)
            others = [at for at in began.values() if first.at - 120 < at <= second.at]
            unspent = len([at for at in began.values() if at <= second.at]) > spent
            wanted = (
                (len(began) > 1 and others)
                or unspent
                or any(scene.since(REOPENING, body.request or "", first.at, second.at) for body in bodies)
            )
            if not wanted and not scene.since(frozenset({"convert back", "purge"}), person, first.at, second.at):
                yield f"{person}: {first.status} at {first.at:.0f}, and sent again at {second.at:.0f}"


def lost(scene: Scene) -> Iterator[str]:
    """Every body that was taken in has a row, and one that was understood is no draft in the end."""
    by_body = Counter(canonical(row.get("body")) for row in scene.rows.values())
    for body in scene.bodies:
        if body.lost or not body.taken:
            continue
        row = scene.rows.get(body.request) if body.request else None
        if body.request and row is None:
            yield f"request {body.request} has no row"
        refusable = body.ask.broken or (body.ask.redirect is not None and _hosts_changed(scene))
        if body.request is None and not by_body[canonical(body.raw)] and not refusable:
            yield f"the request for {body.ask.person} without an id has no row"
        if row is not None and row.get("stage") == "rejected" and not refusable:
            yield f"request {body.request} is well-formed and rejected"


def _hosts_changed(scene: Scene) -> bool:
    """Whether the partners' redirect host was ever not allowed."""
    told = [dict(scene.world.history.settings).get("B2B_ALLOWED_REDIRECT_HOSTS", "")]
    told += [
        act.value for act in scene.world.acts if act.action == "set" and act.subject == "B2B_ALLOWED_REDIRECT_HOSTS"
    ]
    return any("partners" not in hosts for hosts in told)


def _called_off(scene: Scene, request: str) -> bool:
    return any(act.action in {"cancel", "refuse"} and act.subject == request for act in scene.world.acts)


def at_rest(scene: Scene) -> Iterator[str]:
    """In the end every request has ended, waits for a person, or waits for a reason that holds."""
    if not scene.world.breakages and scene.world.queues.stored(POISON):
        yield f"{len(scene.world.queues.stored(POISON))} messages lie in poison"
    for request, answer in scene.answers.items():
        if request in scene.world.foreign or "stage" not in answer:
            continue
        stage, waiting = answer.get("stage"), answer.get("waiting")
        if stage in WORKING and not _waits_truly(scene, request, waiting):
            yield f"request {request} is {stage} and does not come to rest: {waiting or answer.get('lastError')}"
        patient = "B2B_GIVE_UP_SECONDS" not in dict(scene.world.history.settings)
        if stage == "failed" and patient and "given up" in str(answer.get("lastError")).lower():
            yield f"request {request} was given up: {answer.get('lastError')}"


def _waits_truly(scene: Scene, request: str, waiting: Any) -> bool:
    """Tell whether the reason of a wait is true of the world: a reason that nobody here knows is not."""
    reason = waiting.get("reason") if isinstance(waiting, dict) else None
    settings = scene.world.settings
    if not any(each.app.sends for each in scene.world.instances if each.alive and not each.retired):
        return reason is None or reason in {"paused", "mode-assess"}
    person = next((body.ask.person for body in scene.bodies if body.request == request), None)
    if reason == "account-deleted" and person:
        return scene.state(person) == "gone"
    if reason == "outcome-unknown":
        return not scene.seen_to_show
    return reason in {"paused", "mode-assess"} and settings.get("B2B_PAUSED") == "true"


def void_approval(scene: Scene) -> Iterator[str]:
    """An approval of exactly what was shown lets the request go on, unless something changed meanwhile."""
    meddling = {"change", "give role", "rename", "move name", "disable", "enable", "set"}
    for at, action, request, reply in scene.world.replies:
        if action != "approve" or reply.status != 202:
            continue
        answer = scene.answers.get(request, {})
        since = max(_judged_at(scene, request, at), 0.0)
        changed = any(act.action in meddling and act.at > since - WINDOW for act in scene.world.acts)
        shown = [
            r.body
            for when, what, whose, r in scene.world.replies
            if what == "shown" and whose == request and when <= at
        ]
        before = {finding["rule"] for finding in (shown[-1].get("findings") or ())} if shown else set()
        now = {finding["rule"] for finding in answer.get("findings") or ()}
        if answer.get("stage") == "needsReview" and not changed and now <= before:
            yield f"request {request} was approved as shown, and waits for an approval of the same"


def decided(scene: Scene) -> Iterator[str]:
    """A decision that was answered 202 stands in the history of its request: of two that contradict, one is refused."""
    for at, action, request, reply in scene.world.replies:
        bodies = [body for body in scene.bodies if body.request == request]
        others = {
            other.request for body in bodies for name in scene.names(body.ask) for other in scene.requests_of(name)
        }
        if action != "cancel" or reply.status != HTTPStatus.ACCEPTED or others != {request}:
            continue
        late = [
            sent.person
            for sent in scene.world.sent
            if bodies[0].at <= sent.at and sent.person == bodies[0].ask.person and sent.status == HTTPStatus.CREATED
        ]
        if late and not scene.since(REOPENING, request, -1.0, scene.world.loop.now):
            yield f"request {request} was cancelled at {at:.0f} with a 202, and {late[0]} was invited"
    for decision, kind in (("approve", "approved"), ("refuse", "cancelled")):
        answered = Counter(
            request for _, action, request, reply in scene.world.replies if action == decision and reply.status == 202
        )
        for request, times in answered.items():
            found = [row for row in scene.history(request) if row.get("kind") == kind]
            if request not in scene.world.foreign and len(found) < times:
                yield f"request {request}: {decision} was answered 202 {times} times and happened {len(found)} times"


def left_behind(scene: Scene) -> Iterator[str]:
    """A request that joined another one's review waits no longer than that review: only its leader can be decided."""
    accounts = rows_of(scene.world.tables, "conversions")
    for request, answer in scene.answers.items():
        rows = accounts.get(answer.get("userId") or "", [])
        joined = any(row.get("kind") == "joined" and row.get("requestId") == request for row in rows)
        over = any(row["RowKey"] == "current" and row["stage"] != "needsReview" for row in rows)
        if answer.get("stage") == "needsReview" and joined and over:
            yield f"request {request} waits for a person, and the review that it joined is over"


def ended(scene: Scene) -> Iterator[str]:
    """What has ended does not move by itself, and shows no trouble of a time after its end."""
    for request, rows in rows_of(scene.world.tables, "requests").items():
        history = [row for row in rows if row["RowKey"].startswith("history-")]
        stages = [row.get("stage") for row in history]
        kinds = [row.get("kind") for row in history]
        for number, (before, after) in enumerate(pairwise(stages)):
            moved = before in ENDED and after != before
            if moved and not _reopened(scene, request, kinds[number + 1]):
                yield f"request {request} ended {before} and went on to {after}"
        for number, kind in enumerate(kinds):
            if kind == "waits" and stages[number] in ENDED:
                yield f"request {request} waits after it ended {stages[number]}"


def _reopened(scene: Scene, request: str, kind: str | None) -> bool:
    if kind in {"retried", "approved", "released"}:
        return True
    bodies = [body for body in scene.bodies if body.request == request]
    return kind in {"requested", "failed"} and len(bodies) > 1


def dead_twin(scene: Scene) -> Iterator[str]:
    """Nobody is blocked by an account that is gone for good."""
    for request, answer in scene.answers.items():
        rules = {finding["rule"] for finding in answer.get("findings") or ()}
        if answer.get("stage") != "blocked" or "address-requested-twice" not in rules:
            continue
        person = next((body.ask.person for body in scene.bodies if body.request == request), "")
        others = [name for name in scene.world.people if name != person and BY_NAME[name].mail == BY_NAME[person].mail]
        asked = max(body.at for body in scene.bodies if body.request == request)
        if all(scene.since(frozenset({"purge"}), other, -1.0, asked - 3 * WINDOW) for other in others):
            yield f"request {request} is blocked by the address of an account that is gone for good"


def repeated_in_vain(scene: Scene) -> Iterator[str]:
    """A message that the app asked its caller to send again does something."""
    for body in scene.bodies:
        row = scene.rows.get(body.request or "")
        copies = [each for each in scene.bodies if each.request == body.request]
        if row is None or len(copies) < 2 or row.get("stage") != "failed":
            continue
        poisoned = [act.at for act in scene.world.acts if act.action == "poison" and act.subject == body.request]
        again = [each for each in copies if poisoned and each.at > max(poisoned) + 1200]
        if again and "again" in str(row.get("lastError")):
            yield f"request {body.request} was sent again, as its row asks, and nothing came of it"
            return


def histories(scene: Scene) -> Iterator[str]:
    """The history of a row has no gap."""
    for table in ("conversions", "requests"):
        for key, rows in rows_of(scene.world.tables, table).items():
            numbers = [row["RowKey"] for row in rows if row["RowKey"].startswith("history-")]
            if numbers != [f"history-{number:010d}" for number in range(1, len(numbers) + 1)]:
                yield f"{table}/{key} has the history {numbers}"


def bounded(scene: Scene) -> Iterator[str]:
    """Rows, copies and calls grow with what happened, not with how long it took."""
    world = scene.world
    happened = len(world.acts) + len(world.history.faults)
    for request, rows in rows_of(world.tables, "requests").items():
        if len(rows) > 30 + 10 * happened:
            yield f"request {request} has {len(rows)} rows after {happened} things that happened"
    copies: Counter[str] = Counter()
    for message in world.queues.stored(WORK):
        for request in scene.rows:
            copies[request] += f'"{request}"' in message.content
    yield from (f"{number} messages of request {request}" for request, number in copies.items() if number > 2)


def paced(scene: Scene) -> Iterator[str]:
    """No window has more invitations than the rate grants, and one for each instance and each call that was late."""
    world = scene.world
    rate = int(dict(world.history.settings).get("B2B_INVITATIONS_PER_MINUTE", RATE)) / 60
    late = sum(fault.outcome in LATE for fault in world.history.faults)
    for first, began in enumerate(world.sent):
        for last, ended in enumerate(world.sent[first:], start=first):
            number, instances = last - first + 1, len({each.instance for each in world.sent[first : last + 1]})
            if number > rate * (ended.at - began.at + CATCH_UP) + instances + late:
                yield f"{number} invitations from {began.at:.2f} to {ended.at:.2f}"


def sound(scene: Scene) -> Iterator[str]:
    """No workflow raises what it may not, and HTTP never answers 500."""
    yield from scene.world.breakages


ORACLES: tuple[Callable[[Scene], Iterator[str]], ...] = (
    second_mail,
    unasked_invitation,
    addressed,
    protected,
    answered_again,
    lost,
    at_rest,
    truth,
    void_approval,
    decided,
    left_behind,
    ended,
    repeated_in_vain,
    dead_twin,
    histories,
    bounded,
    on_the_lists,
    told,
    listed,
    paced,
    sound,
)


def judge(world: World) -> list[Violation]:
    """Ask every oracle about a world at rest."""
    scene = Scene(world, ask_all(world))
    return [Violation(oracle.__name__, said) for oracle in ORACLES for said in oracle(scene)]
