"""Oracles about invitations and mails: who gets one, at which address, how often and how fast."""

from collections import defaultdict
from collections.abc import Iterator
from http import HTTPStatus
from itertools import pairwise
from typing import Any

from b2b.domain.rate import CATCH_UP
from tests.simulation.app import WINDOW
from tests.simulation.campaign_oracles import judged_addresses
from tests.simulation.people import BY_ID, BY_NAME
from tests.simulation.scene import Body, Scene, seconds_of

REOPENING = frozenset({"retry", "approve", "release"})
"""What a person does to reopen a request that has ended or waits."""


MAILING = frozenset({"resend", "correct"})
"""What a person does to send a waiting account another mail."""


ASKED_AGAIN = frozenset({"outcome-unknown", "not-visible", "another-account"})
"""Findings whose approval asks for another invitation."""


LATE = frozenset({"hold", "late", "freeze", "slow"})
"""Faults that let a call arrive later than the rate allowed."""


CLAIMING = 1.0
"""Most seconds between an invitation's turn and its call; the app reserves the address and writes the claim
meanwhile."""


RATE = "1200"
"""Invitations per minute, if a history does not set them."""


def second_mail(scene: Scene) -> Iterator[str]:
    """No mailbox gets a second mail from the app, unless a person asked for it or the first account is gone."""
    by_mailbox = defaultdict(list)
    for sent in scene.world.sent:
        if sent.mailed:
            by_mailbox[sent.mailed].append(sent)
    for mailbox, mails in by_mailbox.items():
        for first, second in pairwise(mails):
            # The account that the mail was for never shows it, so the app cannot know.
            lost = first.for_another and not first.recorded
            if not lost and not _asked(scene, first, second):
                yield f"{mailbox}: for {first.person} at {first.at:.0f} and for {second.person} at {second.at:.0f}"


def _asked(scene: Scene, first: Any, second: Any) -> bool:
    """Tell whether a second mail was asked for: the first invitation was undone and requested again, or its unknown
    outcome was approved, or the first account is gone.

    If the app never got the answer to the first invitation, and the invitation was undone before the app read the
    account, nothing shows that it was sent.
    """
    world = scene.world
    if second.decided:
        return scene.since(MAILING, second.person, first.at, second.at)
    if scene.since(frozenset({"purge", "delete"}), first.person, first.at, second.at - WINDOW):
        return True  # two reads a window apart found no account, so its address is free
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
    asked = [moment for body in scene.requests_of(second.person) for moment in (body.at, body.until)]
    asked += [act.at for act in world.acts if act.action in REOPENING]
    return any(moment < asking <= second.at for moment in back for asking in asked)


def _judged_at(scene: Scene, request: str, before: float) -> float:
    """Return when the request's current review began, in seconds: its findings cannot be about anything later.

    The clock of the instance that wrote the history may be wrong by the skew, in either direction.
    """
    skew = abs(scene.world.history.skew)
    began = [seconds_of(row["at"]) for row in scene.history(request) if row.get("kind") == "needsReview"]
    return max((at for at in began if at - skew <= before), default=-1.0) + skew


def unasked_invitation(scene: Scene) -> Iterator[str]:
    """An invitation needs a request that is no dry run, accepted in mode convert, and a process that may send."""
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
    """Tell whether a request asked for an invitation at `moment`: from the start, or because it was released before."""
    real = body.allowed and not body.ask.dry_run
    return real or scene.since(frozenset({"release"}), body.request or "", body.at, moment)


def addressed(scene: Scene) -> Iterator[str]:
    """An invitation goes to an address that some request named, if that request was not cancelled before."""
    for post in scene.world.directory.posts:
        person, at = BY_ID.get(post.user_id.lower()), seconds_of(post.time)
        if person is None or person.name == "jack":
            continue
        changes = [act.value.get("mail") for act in scene.world.acts if act.action == "change"]
        meant: set[str | None] = {
            act.value for act in scene.world.acts if (act.action, act.subject) == ("correct", person.name)
        }
        for body in scene.requests_of(person.name):
            off = any(
                action == "cancel" and request == body.request and reply.status == HTTPStatus.ACCEPTED and when < at
                for when, action, request, reply in scene.world.replies
            )
            if body.campaign and not off:
                meant |= {body.ask.address.lower()} if body.ask.address else set()
                meant |= judged_addresses(scene, body.campaign, person.name, at)
            elif not off:
                meant |= {body.ask.address.lower()} if body.ask.address else {person.mail, *changes}
        if post.address.lower() not in meant:
            yield f"{person.name} was invited with {post.address} at {at:.0f}, and only a called off request meant that"


def protected(scene: Scene) -> Iterator[str]:
    """Nobody is invited if a protecting rule blocks the account, or requires a review that nobody approved."""
    for sent in scene.world.sent:
        person = BY_NAME.get(sent.person)
        if person is None:
            continue
        if person.never:
            yield f"{sent.person} was invited"
        bodies = scene.requests_of(sent.person)
        subjects = {body.request for body in bodies} | {body.campaign for body in bodies if body.campaign}
        approved = any(
            act.action in {"approve", "decide list"} and act.at <= sent.at and act.subject in subjects
            for act in scene.world.acts
        )
        eased = any(act.action == "enable" and act.subject == sent.person for act in scene.world.acts)
        if person.reviewed and not approved and not eased:
            yield f"{sent.person} was invited and nobody had approved it"


def answered_again(scene: Scene) -> Iterator[str]:
    """An account for which the app recorded Graph's answer is invited again only if a person or another request asks
    for it.
    """
    by_person = defaultdict(list)
    for sent in scene.world.sent:
        by_person[sent.person].append(sent)
    for person, calls in by_person.items():
        spent = 0
        for first, second in pairwise(calls):
            if not first.recorded or first.status not in {201, 400} or second.decided:
                continue
            spent += 1
            bodies = scene.requests_of(person)
            began: dict[str | None, float] = {}
            for body in bodies:
                began.setdefault(body.request, body.at)
            others = [at for at in began.values() if first.at - 120 < at <= second.at]
            others += [body.at for body in bodies if body.campaign and first.at - 120 < body.until]
            asks = [at for at in began.values() if at <= second.at]
            asks += [act.at for act in scene.world.acts if act.action in REOPENING and act.subject in began]
            unspent = len([at for at in asks if at <= second.at]) > spent
            wanted = (
                ((len(began) > 1 or _decided_again(scene, bodies, first.at, second.at)) and others)
                or unspent
                or any(scene.since(REOPENING, body.request or "", first.at, second.at) for body in bodies)
            )
            if not wanted and not scene.since(frozenset({"convert back", "purge"}), person, first.at, second.at):
                yield f"{person}: {first.status} at {first.at:.0f}, and sent again at {second.at:.0f}"


def _decided_again(scene: Scene, bodies: list[Body], first: float, last: float) -> bool:
    """Tell whether the owner of a campaign released or approved members between two invitations."""
    names = {body.campaign for body in bodies} - {""}
    again = frozenset({"release list", "decide list"})
    return any(scene.since(again, name, first - 120, last) for name in names)


def paced(scene: Scene) -> Iterator[str]:
    """No period has more invitations than the rate allows, plus one for each instance and each delayed call."""
    world = scene.world
    rate = int(dict(world.history.settings).get("B2B_INVITATIONS_PER_MINUTE", RATE)) / 60
    late = sum(fault.outcome in LATE for fault in world.history.faults)
    for first, began in enumerate(world.sent):
        for last, ended in enumerate(world.sent[first:], start=first):
            number, instances = last - first + 1, len({each.instance for each in world.sent[first : last + 1]})
            if number > rate * (ended.at - began.at + CATCH_UP + CLAIMING) + instances + late:
                yield f"{number} invitations from {began.at:.2f} to {ended.at:.2f}"
