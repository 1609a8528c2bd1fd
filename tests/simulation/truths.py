"""Oracles that compare what a request says at its end with the directory: one small check for each kind of untruth."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.simulation.app import WINDOW
from tests.simulation.people import BY_ID, BY_NAME
from tests.simulation.scene import Body, Scene, moment_of
from tests.simulation.world import Sent

REDEEMING = frozenset({"redeem", "redeem as"})
SHOWN = frozenset({"PendingAcceptance", "Accepted"})


@dataclass
class End:
    """A request at the end of a history, with the account that it shows."""

    scene: Scene
    body: Body
    answer: dict[str, Any]

    @property
    def stage(self) -> str:
        """The stage that the request shows."""
        return str(self.answer["stage"])

    @cached_property
    def person(self) -> str:
        """The account that the request shows; until an account is found, the one that its body names."""
        user_id = self.answer.get("userId") or ""
        return BY_ID[user_id].name if user_id in BY_ID else self.body.ask.person

    @cached_property
    def state(self) -> str | None:
        """The account's externalUserState; `gone` if the account is not in the directory."""
        return self.scene.state(self.person)

    @property
    def rules(self) -> set[str]:
        """The rules of the request's findings."""
        return {finding["rule"] for finding in self.answer.get("findings") or ()}

    def undone(self, action: str) -> bool:
        """Tell whether a redemption was undone early enough for the request to have seen it, given that reads lag."""
        world = self.scene.world
        lags = world.history.lag is not None or any(act.action == "lag" for act in world.acts)
        redeemed = [act.at for act in world.acts if act.action in REDEEMING and act.subject == self.person]
        last = self.body.at - (WINDOW if lags else 0.0)
        return bool(redeemed) and self.scene.since(frozenset({action}), self.person, min(redeemed), last)

    def happened(self, *actions: str) -> bool:
        """Tell whether one of these actions was done to the account."""
        return self.scene.since(frozenset(actions), self.person, -1.0, self.scene.world.loop.now)


def _another(end: End) -> str | None:
    if end.answer.get("userId") and end.person not in end.scene.names(end.body.ask):
        return f"names {end.body.ask.person} and shows {end.person}"
    return None


def _completed(end: End) -> str | None:
    if end.stage != "completed":
        return None
    if not end.happened(*REDEEMING):
        return "is completed, and nobody redeemed"
    if end.state is None and end.undone("convert back"):
        return f"is completed, and {end.person} had been made internal again before it came"
    if end.state == "PendingAcceptance" and end.undone("reset"):
        return f"is completed, and the redemption of {end.person} had been reset before it came"
    return None


def _invited(end: End) -> str | None:
    if end.stage != "invited":
        return None
    if end.state == "Accepted":
        return f"is invited, and {end.person} has redeemed"
    if end.state == "gone" and not end.answer.get("waiting"):
        return f"is invited without a word, and {end.person} is not in the directory"
    return None


def _cancelled(end: End) -> str | None:
    mine = {body.request for body in end.scene.requests_of(end.person)}
    called_off = any(
        (act.action == "cancel" and act.subject == end.body.request) or (act.action == "refuse" and act.subject in mine)
        for act in end.scene.world.acts
    )
    campaigns = {body.campaign for body in end.scene.requests_of(end.person)} - {""}
    called_off = called_off or any(
        (act.action == "end list" and act.subject == end.body.campaign)
        or (act.action == "decide list" and act.value == "refuse" and act.subject in campaigns)
        for act in end.scene.world.acts
    )
    undone = end.happened("convert back", "purge") or called_off
    return (
        f"is cancelled, and {end.person} is there"
        if end.stage == "cancelled" and end.state != "gone" and not undone
        else None
    )


def _invited_after_all(end: End) -> str | None:
    """Report a request that ended blocked or failed although the app had invited its account before."""
    if end.stage not in {"blocked", "failed"} or end.happened("convert back", "purge", "invite by hand"):
        return None
    if "account-ambiguous" in end.rules:
        return None
    world = end.scene.world
    ended = moment_of(end.answer.get("completedAt"), world.loop.now) - abs(world.history.skew)
    never_ran = (end.answer.get("error") or {}).get("code") == "NeverRan"
    unnaming = {"delete", "rename"} if end.body.ask.by == "userPrincipalName" else {"delete", "change"}
    unnamed = end.scene.since(frozenset(unnaming), end.person, -1.0, ended)
    if unnamed and "account-not-found" in end.rules and end.body.ask.by != "id":
        return None  # nobody had the name, or the mail, when the app looked it up
    ours = [
        sent
        for sent in world.sent
        if sent.status == 201
        and (_alone(end, sent) if never_ran else _meant(end, sent))
        and not sent.for_another
        and not sent.decided
        and end.body.at <= sent.at <= ended
        and end.scene.state(sent.person) in SHOWN
    ]
    return f"is {end.stage}, and the app invited {ours[0].person} after it came" if ours else None


def _meant(end: End, sent: Sent) -> bool:
    """Tell whether an invitation is for the account that the request shows, or for one that had the requested name.

    The latter counts only if no other request named that account before, because the invitation might be that
    request's.
    """
    return sent.person == end.person or (end.body.ask.by == "userPrincipalName" and _alone(end, sent))


def _alone(end: End, sent: Sent) -> bool:
    """Tell whether no other request can have asked for this invitation."""
    named = {body.request for body in end.scene.requests_of(sent.person) if body.at <= sent.at}
    return named == {end.body.request}


def _one_account(end: End) -> str | None:
    """Report a request that invited several accounts, which is wrong even if its name moved to another account."""
    sent = [sent for sent in end.scene.world.sent if sent.status == 201 and not sent.for_another]
    people = sorted({each.person for each in sent if _alone(end, each)})
    return f"invited {' and '.join(people)}" if len(people) > 1 else None


def _not_found(end: End) -> str | None:
    away = end.happened("convert back", "purge", "delete")
    lies = "account-not-found" in end.rules and end.stage == "blocked" and end.body.ask.by == "id"
    if lies and end.state != "gone" and not away and end.person == end.body.ask.person:
        return f"did not find {end.person}, who was there all the time"
    return None


def _doubt_of_what_shows(end: End) -> str | None:
    if end.stage in {"invited", "completed"} and "outcome-unknown" in end.rules:
        return f"is {end.stage}, and says that the outcome is unknown"
    return None


def _doubtful_review(end: End) -> str | None:
    history = end.scene.world.history
    synced = BY_NAME[end.person].properties.get("onPremisesSyncEnabled") is True
    shows = end.scene.seen_to_show and not synced and "unset" not in dict(history.switches).values()
    if end.stage == "needsReview" and "outcome-unknown" in end.rules and shows:
        return "waits in a review with a doubt, and the tenant shows invitations"
    return None


TRUTHS: tuple[Callable[[End], str | None], ...] = (
    _another,
    _one_account,
    _completed,
    _invited,
    _cancelled,
    _invited_after_all,
    _not_found,
    _doubt_of_what_shows,
    _doubtful_review,
)


def truth(scene: Scene) -> Iterator[str]:
    """What a request says at its end is true of the directory."""
    for body in scene.holders:
        answer = scene.answers.get(body.request or "")
        unreadable = body.request in scene.world.foreign or answer is None or "stage" not in answer
        if answer is None or unreadable or body.ask.dry_run or not body.allowed:
            continue
        for check in TRUTHS:
            if said := check(End(scene, body, answer)):
                yield f"request {body.request} {said}"
