"""The structs of the evidence of an account."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from b2b.api.answers import (
    AccessReport,
    ActorShown,
    Answer,
    ConversionStatus,
    HistoryEvent,
)
from b2b.domain.conversion.records import Source
from b2b.domain.conversion.stages import Stage
from b2b.domain.findings import Finding, Verdict
from b2b.domain.lifecycle.credentials import Opens
from b2b.domain.request.approval import Waived


class ApprovalShown(Answer, frozen=True, kw_only=True):
    """The approval of a request: who, why, when, and which findings it waives."""

    by: Annotated[str, Meta(description="Who approved the request.")]
    reason: Annotated[str, Meta(description="The reason that the approver gave.")]
    at: Annotated[datetime, Meta(description="When the request was approved.")]
    waived: Annotated[list[Waived], Meta(description="The findings that the approval waives.")]


class RequestTold(Answer, frozen=True, kw_only=True):
    """One request for the account."""

    request_id: Annotated[str, Meta(description="The id of the request.")]
    kept: Annotated[
        bool, Meta(description="False if the request was deleted, or a newer version of the app wrote its row.")
    ]
    source: Annotated[Source | None, Meta(description="How the request reached the app.")] = None
    requested_at: Annotated[datetime | None, Meta(description="When the app accepted the request.")] = None
    asked_by: Annotated[ActorShown | None, Meta(description="Who submitted the request.")] = None
    campaign_id: Annotated[str | None, Meta(description="The campaign that the request belongs to.")] = None
    stage: Annotated[Stage | None, Meta(description="The stage of the request.")] = None
    verdict: Annotated[Verdict | None, Meta(description="The overall result of its findings.")] = None
    findings: Annotated[list[Finding], Meta(description="The findings of its last judgement.")]
    approval: Annotated[ApprovalShown | None, Meta(description="The approval of the request; null if none.")] = None
    events: Annotated[list[HistoryEvent], Meta(description="The history of the request, with every judgement.")]
    events_left_out: Annotated[bool, Meta(description="Whether the history has more events than these.")]


class BeliefShown(Answer, frozen=True, kw_only=True):
    """Whether a credential still works, and how well that is supported."""

    opens: Annotated[
        Opens,
        Meta(description="Whether the credential still works: yes, no, notKnown, or nothing if it has no use there."),
    ]
    grade: Annotated[str, Meta(description="Documented, Recorded, Relied-on, Inferred, or not documented.")]
    belief: Annotated[str | None, Meta(description="The belief in docs/evidence.md that supports this.")] = None


class CredentialShown(Answer, frozen=True, kw_only=True):
    """Whether a credential from before the conversion still works."""

    name: Annotated[str, Meta(description="The credential.")]
    cloud: Annotated[BeliefShown, Meta(description="Whether it works in the cloud.")]
    on_premises: Annotated[BeliefShown, Meta(description="Whether it works on-premises.")]
    advice: Annotated[str, Meta(description="What an administrator can do about it.")]


class Evidence(Answer, frozen=True, kw_only=True):
    """All that the app knows of the conversion of an account, for a person who must prove what happened."""

    title: Annotated[str, Meta(description="The title of the document.")]
    given_at: Annotated[datetime, Meta(description="When the app gave out the evidence.")]
    given_to: Annotated[ActorShown, Meta(description="Who asked for the evidence.")]
    conversion: Annotated[ConversionStatus, Meta(description="The state of the conversion.")]
    requests: Annotated[list[RequestTold], Meta(description="The requests for the account.")]
    requests_left_out: Annotated[int, Meta(description="How many requests the evidence leaves out; it holds 100.")]
    events: Annotated[list[HistoryEvent], Meta(description="The history of the account's conversions.")]
    events_left_out: Annotated[bool, Meta(description="Whether that history has more events than these.")]
    access: Annotated[AccessReport, Meta(description="What the account had and has, and how that differs.")]
    internal_credential: Annotated[
        list[CredentialShown], Meta(description="Whether the account's earlier credentials still work.")
    ]
    not_proven: Annotated[list[str], Meta(description="What the evidence does not prove.")]
