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
    """Who approved a request, and exactly what."""

    by: Annotated[str, Meta(description="Who approved it.")]
    reason: Annotated[str, Meta(description="Why.")]
    at: Annotated[datetime, Meta(description="When.")]
    waived: Annotated[list[Waived], Meta(description="What was waived.")]


class RequestTold(Answer, frozen=True, kw_only=True):
    """One request for the account."""

    request_id: Annotated[str, Meta(description="The id of the request.")]
    kept: Annotated[bool, Meta(description="False: its row was deleted by now, or a newer version wrote it.")]
    source: Annotated[Source | None, Meta(description="By which way it came.")] = None
    requested_at: Annotated[datetime | None, Meta(description="When it came.")] = None
    asked_by: Annotated[ActorShown | None, Meta(description="Who asked.")] = None
    campaign_id: Annotated[str | None, Meta(description="The campaign that it belongs to.")] = None
    stage: Annotated[Stage | None, Meta(description="Where it stands.")] = None
    verdict: Annotated[Verdict | None, Meta(description="What its findings add up to.")] = None
    findings: Annotated[list[Finding], Meta(description="What it shows of the last judgement.")]
    approval: Annotated[ApprovalShown | None, Meta(description="Under which approval it ran.")] = None
    events: Annotated[list[HistoryEvent], Meta(description="What happened to it, with every judgement.")]
    events_left_out: Annotated[bool, Meta(description="Whether its history has more events than these.")]


class BeliefShown(Answer, frozen=True, kw_only=True):
    """Whether a credential opens something, and how well that is founded."""

    opens: Annotated[Opens, Meta(description="yes, no, notKnown, or nothing: there is nothing that it could open.")]
    grade: Annotated[str, Meta(description="Documented, Recorded, Relied-on, Inferred, or not documented.")]
    belief: Annotated[str | None, Meta(description="The belief in docs/evidence.md.")] = None


class CredentialShown(Answer, frozen=True, kw_only=True):
    """What a credential that the account had before still opens."""

    name: Annotated[str, Meta(description="The credential.")]
    cloud: Annotated[BeliefShown, Meta(description="What it opens in the cloud.")]
    on_premises: Annotated[BeliefShown, Meta(description="What it opens on-premises.")]
    advice: Annotated[str, Meta(description="What to do about it.")]


class Evidence(Answer, frozen=True, kw_only=True):
    """What the app knows of the conversion of an account, for a person who has to prove it."""

    title: Annotated[str, Meta(description="What this is.")]
    given_at: Annotated[datetime, Meta(description="When it was given out.")]
    given_to: Annotated[ActorShown, Meta(description="Who asked for it.")]
    conversion: Annotated[ConversionStatus, Meta(description="Where the conversion stands.")]
    requests: Annotated[list[RequestTold], Meta(description="Every request for the account.")]
    requests_left_out: Annotated[int, Meta(description="How many requests the evidence leaves out, beyond 100.")]
    events: Annotated[list[HistoryEvent], Meta(description="What happened to the account's conversions.")]
    events_left_out: Annotated[bool, Meta(description="Whether that history has more events than these.")]
    access: Annotated[AccessReport, Meta(description="Both snapshots, and how they differ.")]
    internal_credential: Annotated[
        list[CredentialShown], Meta(description="What the account's earlier credentials still open.")
    ]
    not_proven: Annotated[list[str], Meta(description="What this does not prove.")]
