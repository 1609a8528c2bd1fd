"""Oracles for the mails that a person asks for while an account is invited."""

from collections import defaultdict
from collections.abc import Iterator
from http import HTTPStatus
from itertools import pairwise

from tests.simulation.invitation_oracles import MAILING, REOPENING
from tests.simulation.scene import Scene
from tests.simulation.world import Act, Sent

APART = 3600.0
"""Seconds within which a second call for the same person does not count as a second decision."""


def one_mail_a_decision(scene: Scene) -> Iterator[str]:
    """A decision sends at most one mail, even if its call is repeated."""
    mails = defaultdict[str, list[Sent]](list)
    for act in _acts(scene):
        sent = _sent(scene, act)
        if len(sent) > 1:
            yield f"{act.action} {act.subject} at {act.at:.0f} called Graph {len(sent)} times"
        if act.action == "resend":
            mails[act.subject] += [each for each in sent if each.mailed]
    for person, found in mails.items():
        for first, second in pairwise(sorted(found, key=lambda each: each.at)):
            if second.at - first.at < APART:
                yield f"{person} got a mail at {first.at:.0f} and, for the same decision, at {second.at:.0f}"


def mails_told(scene: Scene) -> Iterator[str]:
    """The answer to a decision to send another mail says what Graph did, or that the app does not know."""
    for act in _acts(scene):
        if act.reply is None:
            continue
        done = [each for each in _sent(scene, act) if each.status == HTTPStatus.CREATED]
        said = _outcome(act)
        if said == "sent" and not done:
            yield f"{act.action} {act.subject} at {act.at:.0f} is said to be sent, but Graph accepted nothing"
        if said in {"refused", "notSent"} and done:
            yield f"{act.action} {act.subject} at {act.at:.0f} is answered {act.reply.status}, but Graph sent the mail"


def corrected(scene: Scene) -> Iterator[str]:
    """After a mail to a corrected address, the row still names the first address, whose link may still work."""
    for act in _acts(scene):
        if act.action == "correct" and act.reply is not None and _outcome(act) in {"sent", "unknown"}:
            earlier, now = act.reply.body["earlierAddresses"], act.reply.body["invitedUserEmailAddress"]
            if not earlier or (now in earlier and len(earlier) < 2):
                yield f"{act.subject} was corrected at {act.at:.0f}, but its first address is not named"


def adopted_quietly(scene: Scene) -> Iterator[str]:
    """The app sends nothing for a request that adopts an invitation, until another decision reopens the request."""
    for act in scene.world.acts:
        if act.action != "adopt" or act.reply is None or act.reply.status != HTTPStatus.ACCEPTED:
            continue
        person = next((body.ask.person for body in scene.bodies if body.request == act.subject), "")
        if {body.request for body in scene.requests_of(person)} != {act.subject}:
            continue
        for sent in scene.world.sent:
            later = sent.person == person and sent.at > act.at and not sent.decided
            if later and not scene.since(REOPENING, act.subject, act.at, sent.at):
                yield f"{person} was adopted at {act.at:.0f} and invited at {sent.at:.0f}"


def _acts(scene: Scene) -> list[Act]:
    return [act for act in scene.world.acts if act.action in MAILING]


def _sent(scene: Scene, act: Act) -> list[Sent]:
    """Return the invitations that the call of a decision sent."""
    return [each for each in scene.world.sent if each.source is act.work]


def _outcome(act: Act) -> str:
    """Return the outcome of a decision's mail as the caller was told it; `notSent` for an error."""
    if act.reply.status != HTTPStatus.OK:
        return "notSent"
    return str(act.reply.body["mails"][-1]["outcome"])
