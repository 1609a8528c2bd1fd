"""Handlers of decisions about a request, and about an account that was invited.

A person who signs in decides in their own name. A caller with a function key, or an application that passes on a
person's decision, names the person in the body; the app cannot verify that name.
"""

from collections.abc import Awaitable, Callable

from b2b.api import bodies, show
from b2b.api.answers import Reply
from b2b.api.door import Call, Workflows
from b2b.domain.actors import Actor, ActorKind, acting_as
from b2b.domain.conversion.records import Conversion
from b2b.domain.error_codes import ErrorCode
from b2b.domain.errors import MalformedRequest, RequestRefused
from b2b.domain.request.decision import Decision
from b2b.domain.request.record import RequestRecord


async def approve(app: Workflows, call: Call) -> Reply:
    """Approve a request that needs review."""
    body = bodies.read(call.body, bodies.Approval, *named("approvedBy", app, call))
    decision = Decision(decider(call, "approvedBy", body.approved_by), body.reason)
    return await decided(app, call, app.decisions.approve, decision)


async def refuse(app: Workflows, call: Call) -> Reply:
    """Refuse a request that needs review, which ends it."""
    body = bodies.read(call.body, bodies.Refusal, *named("refusedBy", app, call))
    decision = Decision(decider(call, "refusedBy", body.refused_by), body.reason)
    return await decided(app, call, app.decisions.refuse, decision)


async def release(app: Workflows, call: Call) -> Reply:
    """Turn a dry run into a real conversion. Only an application must send a body, which names the person."""
    body = bodies.Release()
    if call.body.strip() or call.caller.actor.kind is ActorKind.APPLICATION:
        needed = named("releasedBy", app, call) if call.caller.actor.kind is ActorKind.APPLICATION else ()
        body = bodies.read(call.body, bodies.Release, *needed)
    decision = Decision(decider(call, "releasedBy", body.released_by), body.reason or "")
    return await decided(app, call, app.decisions.release, decision)


async def retry(app: Workflows, call: Call) -> Reply:
    """Start a failed or blocked request again."""
    return await decided(app, call, app.decisions.retry, Decision(call.caller.actor))


async def cancel(app: Workflows, call: Call) -> Reply:
    """Cancel a request whose account was not invited yet."""
    return await decided(app, call, app.decisions.cancel, Decision(call.caller.actor))


async def accept(app: Workflows, call: Call) -> Reply:
    """Accept the differences that the app found after the redemption, which completes the conversion."""
    body = bodies.read(call.body, bodies.Acceptance, *named("acceptedBy", app, call))
    decision = Decision(decider(call, "acceptedBy", body.accepted_by), body.reason)
    return await _decided_about_account(call, app.accounts.accept, decision)


async def compare(app: Workflows, call: Call) -> Reply:
    """Compare once more what an account has now with what it had before its invitation."""
    return await _decided_about_account(call, app.accounts.compare_anew, Decision(call.caller.actor))


async def _decided_about_account(
    call: Call, decide: Callable[[str, Decision], Awaitable[Conversion]], decision: Decision
) -> Reply:
    with acting_as(decision.actor):
        found = await decide(call.path["userId"], decision)
    return Reply(200, show.conversion(found))


async def decided(
    app: Workflows,
    call: Call,
    decide: Callable[[RequestRecord, Decision], Awaitable[RequestRecord]],
    decision: Decision,
) -> Reply:
    """Carry out a decision about a request, and answer with the request's new stage."""
    found = await app.enquiries.find(call.request_id)
    with acting_as(decision.actor):
        record = await decide(found.record, decision)
    return show.accepted(record, call.base_url, app.settings.mode)


def named(field: str, app: Workflows, call: Call) -> tuple[str, ...]:
    """Return the name of the required field in which this caller states who decides; empty if a person signed in.

    Raises:
        RequestRefused: the caller is an application, and `B2B_STATED_DECISIONS` is off.

    """
    kind = call.caller.actor.kind
    if kind is ActorKind.APPLICATION and not app.settings.stated_decisions:
        said = "A person has to sign in for this, or B2B_STATED_DECISIONS lets applications pass on their decisions."
        raise RequestRefused(ErrorCode.PERSON_REQUIRED, said)
    return () if kind is ActorKind.PERSON else (field,)


def decider(call: Call, field: str, stated: str | None) -> Actor:
    """Return the actor of a decision: the caller, or the person whose name the caller states.

    Raises:
        MalformedRequest: a person who signed in states a name.

    """
    actor = call.caller.actor
    if stated is None:
        return actor
    if actor.kind is ActorKind.PERSON:
        raise MalformedRequest(ErrorCode.INVALID_VALUE, f"{field}: left out: the person who signed in decides", field)
    return Actor(ActorKind.STATED, actor.id, stated)
