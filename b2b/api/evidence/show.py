"""Build the evidence answer from the stored rows."""

from typing import Final

from b2b.api import show
from b2b.api.evidence.answers import (
    ApprovalShown,
    BeliefShown,
    CredentialShown,
    Evidence,
    RequestTold,
)
from b2b.domain.actors import Actor
from b2b.domain.lifecycle.credentials import Belief, Credential, credentials
from b2b.domain.request.approval import Approval, approval_of
from b2b.workflows.lifecycle.evidence import Gathered, RequestFile

TITLE: Final = "Evidence of the conversion of an internal account to an external user"
NOT_PROVEN: Final = (
    "That the person can sign in: Conditional Access, the device and the person's home organisation decide that.",
    'That the invited person accepted, unless "Signs in with the invited address" is "yes".',
    "Which permissions there are inside SharePoint, Azure subscriptions, Exchange and other applications.",
    "That a change was harmless: the app compares lists, and does not judge what a group or a role allows.",
    "Whether the earlier credentials really work: the app tries none of them.",
)


def evidence(found: Gathered, asker: Actor) -> Evidence:
    """Return the evidence as an answer. The answer names the caller (``asker``)."""
    conversion = found.access.conversion
    return Evidence(
        title=TITLE,
        given_at=show.utc(found.at),
        given_to=show.actor(asker),
        conversion=show.conversion(conversion),
        requests=list(map(_request, found.requests)),
        requests_left_out=found.left_out,
        events=list(map(show.event, found.history.events)),
        events_left_out=found.history.cut,
        access=show.access(found.access),
        internal_credential=list(map(_credential, credentials(conversion))),
        not_proven=list(NOT_PROVEN),
    )


def _request(each: RequestFile) -> RequestTold:
    record = each.record
    if record is None:
        return RequestTold(request_id=each.request_id, kept=False, findings=[], events=[], events_left_out=False)
    approval = approval_of(record)
    return RequestTold(
        request_id=each.request_id,
        kept=True,
        source=record.source,
        requested_at=show.utc(record.requested_at),
        asked_by=show.actor(record.asked_by),
        campaign_id=record.campaign_id or None,
        stage=record.stage,
        verdict=record.verdict,
        findings=list(record.findings),
        approval=_approval(approval) if approval else None,
        events=list(map(show.event, each.history.events)),
        events_left_out=each.history.cut,
    )


def _approval(approval: Approval) -> ApprovalShown:
    waived = list(approval.waived)
    return ApprovalShown(by=approval.by, reason=approval.reason, at=show.utc(approval.at), waived=waived)


def _credential(each: Credential) -> CredentialShown:
    cloud, on_premises = _belief(each.cloud), _belief(each.on_premises)
    return CredentialShown(name=each.name, cloud=cloud, on_premises=on_premises, advice=each.advice)


def _belief(each: Belief) -> BeliefShown:
    return BeliefShown(opens=each.opens, grade=each.grade, belief=each.belief or None)
