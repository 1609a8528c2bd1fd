"""The structs of the HTTP answers. OpenAPI is generated from them, so each field has a description.

A field that is `| None` is always present and may be null. A field that may be `UNSET` is left out if it has no value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from b2b.domain.actors import ActorKind
from b2b.domain.conversion.redeemer import Matches
from b2b.domain.conversion.sendings import Fate, Purpose
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.findings import Finding, Verdict
from b2b.domain.lifecycle.snapshot import Kind

JSON = "application/json"


@dataclass(frozen=True)
class Reply:
    """An HTTP answer: status, content and headers."""

    status: int
    content: Any
    """An answer struct, or the bytes of a file."""
    headers: Mapping[str, str] = field(default_factory=dict)
    media: str = JSON

    @property
    def body(self) -> Any:
        """The content as plain JSON values."""
        return msgspec.to_builtins(self.content)

    @property
    def sent(self) -> bytes:
        """The content as it is sent."""
        return self.content if isinstance(self.content, bytes) else msgspec.json.encode(self.content)


class Answer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of all answers: camelCase names, and RFC 3339 times in UTC."""


class Fault(Answer, frozen=True, kw_only=True):
    """One thing that is wrong."""

    code: Annotated[str, Meta(description="What is wrong, as a code.")]
    message: Annotated[str, Meta(description="What is wrong and what to do, in one sentence.")]
    target: Annotated[str | None, Meta(description="The path of the field that is wrong.")] = None


class Failure(Fault, frozen=True, kw_only=True):
    """Why a request failed."""

    details: Annotated[list[Fault], Meta(description="All faults, if there are several.")] = []


class Problem(Answer, frozen=True, kw_only=True):
    """An error in the form of the Microsoft REST guidelines."""

    error: Annotated[Failure, Meta(description="What is wrong.")]


class Accepted(Answer, frozen=True, kw_only=True):
    """A request that the app has accepted."""

    request_id: Annotated[str, Meta(description="The id of the request.")]
    stage: Annotated[Stage, Meta(description="The stage of the request.")]
    mode: Annotated[str, Meta(description="The app's mode: assess or convert.")]
    dry_run: Annotated[bool, Meta(description="Whether the request changes nothing in the directory.")]


class Waits(Answer, frozen=True, kw_only=True):
    """Why a request waits."""

    reason: Annotated[WaitReason, Meta(description="The reason, as a code.")]
    text: Annotated[str, Meta(description="The reason in words.")]
    since: Annotated[datetime, Meta(description="Since when it waits for this reason.")]
    until: Annotated[datetime | None, Meta(description="When the app tries again; null: at the next sweep.")] = None


class Links(Answer, frozen=True, kw_only=True):
    """Addresses that belong to a request."""

    self: Annotated[str, Meta(description="The address of this request.")]
    operation: Annotated[str, Meta(description="The address of the request as a long-running operation.")]
    sign_in: Annotated[
        str | UnsetType,
        Meta(description="Where the person can redeem without the invitation's link; only while invited."),
    ] = UNSET


class ActorShown(Answer, frozen=True, kw_only=True):
    """Who caused something."""

    kind: Annotated[ActorKind, Meta(description="The kind of actor.")]
    id: Annotated[str | None, Meta(description="The object id of the person or application that signed in.")] = None
    name: Annotated[str | None, Meta(description="The name that the caller stated; the app cannot verify it.")] = None


class WaitsFor(Answer, frozen=True, kw_only=True):
    """Why a request in a list waits."""

    reason: Annotated[WaitReason, Meta(description="The reason, as a code.")]
    text: Annotated[str, Meta(description="The reason in words.")]
    since: Annotated[datetime, Meta(description="Since when it waits for this reason.")]


class RequestLine(Answer, frozen=True, kw_only=True):
    """A request as a list shows it."""

    request_id: Annotated[str, Meta(description="The id of the request.")]
    stage: Annotated[Stage, Meta(description="The stage of the request.")]
    dry_run: Annotated[bool, Meta(description="Whether the request changes nothing in the directory.")]
    user_id: Annotated[str | None, Meta(description="Object id of the account, once the app has found it.")] = None
    user_principal_name: Annotated[str | None, Meta(description="The user principal name of the account.")] = None
    invited_user_email_address: Annotated[str | None, Meta(description="The external address.")] = None
    asked_by: Annotated[ActorShown, Meta(description="Who submitted the request.")]
    requested_at: Annotated[datetime, Meta(description="When the app accepted the request.")]
    verdict: Annotated[Verdict | None, Meta(description="The overall result of the findings, once judged.")] = None
    rules: Annotated[list[str], Meta(description="The rules that block the request, or that a person must weigh.")]
    waiting: Annotated[WaitsFor | None, Meta(description="Why the request waits.")] = None


class RequestPage(Answer, frozen=True, kw_only=True):
    """A page of a list, oldest first. A page with a token has a next page, even if it is short or empty."""

    requests: Annotated[list[RequestLine], Meta(description="The requests of this page.")]
    continuation_token: Annotated[str | UnsetType, Meta(description="The token for the next page.")] = UNSET
    next_link: Annotated[str | UnsetType, Meta(description="The address of the next page.")] = UNSET


class Cost(Answer, frozen=True, kw_only=True):
    """What a search cost."""

    calls: Annotated[int, Meta(description="Calls to storage.")]
    lines: Annotated[int, Meta(description="Lines that were read.")]


class SearchResult(Answer, frozen=True, kw_only=True):
    """What a search found."""

    requests: Annotated[list[RequestLine], Meta(description="The requests that were found.")]
    cost: Annotated[Cost, Meta(description="What the search cost.")]
    continuation_token: Annotated[str | UnsetType, Meta(description="The token that continues the search.")] = UNSET


class HistoryEvent(Answer, frozen=True, kw_only=True):
    """An event in the history of a request or an account."""

    kind: Annotated[str, Meta(description="What happened.")]
    at: Annotated[datetime, Meta(description="When it happened.")]
    stage: Annotated[Stage | None, Meta(description="The stage after the event.")] = None
    request_id: Annotated[str | None, Meta(description="The request that the event concerns.")] = None
    detail: Annotated[str | None, Meta(description="Details of the event.")] = None
    actor: Annotated[ActorShown, Meta(description="Who caused the event.")]
    graph_request_id: Annotated[
        str | None, Meta(description="Graph's request-id of the call that caused the event, for Microsoft support.")
    ] = None


class History(Answer, frozen=True, kw_only=True):
    """The events of a request or an account, oldest first."""

    events: Annotated[list[HistoryEvent], Meta(description="The events.")]
    continuation_token: Annotated[str | UnsetType, Meta(description="The token for the next page.")] = UNSET
    next_link: Annotated[str | UnsetType, Meta(description="The address of the next page.")] = UNSET


class MailShown(Answer, frozen=True, kw_only=True):
    """A mail that a person asked for after the invitation."""

    purpose: Annotated[Purpose, Meta(description="Whether the mail repeats the invitation or corrects its address.")]
    outcome: Annotated[Fate, Meta(description="The outcome; unknown: the mail may have been sent. It is not repeated.")]
    at: Annotated[datetime, Meta(description="When the app began to send the mail.")]
    by: Annotated[str, Meta(description="Who asked for the mail.")]
    address: Annotated[str, Meta(description="The address to which the mail is sent.")]
    text: Annotated[str | None, Meta(description="Why the mail was not sent, or why that is not known.")] = None


class ConversionStatus(Answer, frozen=True, kw_only=True):
    """The state of an account's conversion."""

    user_id: Annotated[str, Meta(description="Object id of the account.")]
    stage: Annotated[Stage, Meta(description="The stage of the conversion.")]
    request_id: Annotated[str, Meta(description="The request that leads the conversion.")]
    generation: Annotated[int, Meta(description="How many conversions of this account have begun.")]
    joined: Annotated[int, Meta(description="How many other requests have joined the conversion.")]
    user_principal_name: Annotated[
        str | None, Meta(description="The user principal name that the account had when it was judged.")
    ] = None
    invited_user_email_address: Annotated[str | None, Meta(description="The external address.")] = None
    verdict: Annotated[Verdict | None, Meta(description="The overall result of the findings.")] = None
    findings: Annotated[list[Finding], Meta(description="What the rules found.")] = []
    invited_at: Annotated[datetime | None, Meta(description="When the account was invited.")] = None
    accepted_at: Annotated[datetime | None, Meta(description="When the person redeemed the invitation.")] = None
    completed_at: Annotated[datetime | None, Meta(description="When the conversion ended.")] = None
    waiting: Annotated[Waits | None, Meta(description="Why the conversion waits.")] = None
    sign_in_matches: Annotated[
        Matches | None, Meta(description="Whether the person who redeemed signs in with the invited address.")
    ] = None
    signs_in_with: Annotated[
        str | None, Meta(description="The issuer of the identity with which that person signs in.")
    ] = None
    open_doubts: Annotated[int, Meta(description="How many invitations have an unknown outcome.")]
    adopted: Annotated[bool, Meta(description="Whether someone else invited the account, and the app only follows it.")]
    mails: Annotated[list[MailShown], Meta(description="Mails that a person asked for after the invitation.")] = []
    earlier_addresses: Annotated[
        list[str],
        Meta(description="Addresses that were corrected. Until the redemption, the links sent to them may still work."),
    ] = []
    last_error: Annotated[str | None, Meta(description="The last error.")] = None


class Thing(Answer, frozen=True, kw_only=True):
    """An object that is granted to an account, for example a group, a role or a licence."""

    id: Annotated[str, Meta(description="The id; for an app role, the application's id and the role's id.")]
    name: Annotated[str | None, Meta(description="The name, if the app may read it.")] = None


class KindShown(Answer, frozen=True, kw_only=True):
    """The objects of one kind that are granted to an account, for example its groups."""

    kind: Annotated[Kind, Meta(description="The kind.")]
    count: Annotated[int, Meta(description="How many objects the account has.")]
    items: Annotated[list[Thing] | None, Meta(description="The objects; null if there are too many to store.")] = None
    unread: Annotated[str | None, Meta(description="Why the app could not read this kind.")] = None


class SnapshotShown(Answer, frozen=True, kw_only=True):
    """What the directory grants an account at one moment."""

    taken_at: Annotated[datetime, Meta(description="When the app read the directory.")]
    kinds: Annotated[list[KindShown], Meta(description="What the account has, by kind.")]


class DifferenceShown(Answer, frozen=True, kw_only=True):
    """How the objects of one kind differ between two snapshots."""

    kind: Annotated[Kind, Meta(description="The kind.")]
    text: Annotated[str, Meta(description="The difference in words.")]
    missing: Annotated[list[Thing], Meta(description="What the account had before and no longer has.")]
    new: Annotated[list[Thing], Meta(description="What the account has now and did not have before.")]
    unread: Annotated[str | None, Meta(description="Why the app can no longer read this kind.")] = None
    count_before: Annotated[int, Meta(description="How many objects the account had.")]
    count_after: Annotated[int, Meta(description="How many objects the account has now.")]


class NotCompared(Answer, frozen=True, kw_only=True):
    """A kind that the app does not compare, because it could not read it before the invitation."""

    kind: Annotated[Kind, Meta(description="The kind.")]
    why: Annotated[str, Meta(description="Why the app could not read it before the invitation.")]


class AccessReport(Answer, frozen=True, kw_only=True):
    """What the directory grants an account, before its invitation and after its redemption."""

    user_id: Annotated[str, Meta(description="Object id of the account.")]
    stage: Annotated[Stage, Meta(description="The stage of the account's conversion.")]
    before: Annotated[SnapshotShown | None, Meta(description="Before the invitation; null if the app took none.")]
    after: Annotated[SnapshotShown | None, Meta(description="After the redemption; null until the app has compared.")]
    differences: Annotated[list[DifferenceShown], Meta(description="How the two snapshots differ.")]
    not_compared: Annotated[list[NotCompared], Meta(description="What the app could not read before the invitation.")]


class RequestStatus(Answer, frozen=True, kw_only=True):
    """The state of a request."""

    request_id: Annotated[str, Meta(description="The id of the request.")]
    joined_request_id: Annotated[
        str | UnsetType, Meta(description="The request that leads the conversion, if this request joined another.")
    ] = UNSET
    stage: Annotated[Stage, Meta(description="The stage of the request.")]
    dry_run: Annotated[bool, Meta(description="Whether the request changes nothing in the directory.")]
    user_id: Annotated[str | None, Meta(description="Object id of the account, once the app has found it.")] = None
    user_principal_name: Annotated[
        str | None, Meta(description="The user principal name of the account: as requested, or as read from Graph.")
    ] = None
    invited_user_email_address: Annotated[str | None, Meta(description="The external address.")] = None
    verdict: Annotated[Verdict | None, Meta(description="The overall result of the findings, once judged.")] = None
    findings: Annotated[list[Finding], Meta(description="What the rules found.")] = []
    requested_at: Annotated[datetime, Meta(description="When the app accepted the request.")]
    invited_at: Annotated[datetime | None, Meta(description="When the account was invited.")] = None
    accepted_at: Annotated[datetime | None, Meta(description="When the person redeemed the invitation.")] = None
    completed_at: Annotated[datetime | None, Meta(description="When the request ended, with or without success.")] = (
        None
    )
    waiting: Annotated[Waits | None, Meta(description="Why the request waits.")] = None
    last_error: Annotated[
        str | None, Meta(description="The last error of a service, or the error that ended the request.")
    ] = None
    error: Annotated[Failure | None, Meta(description="Why the request failed; null if it did not.")] = None
    links: Annotated[Links, Meta(description="Addresses that belong to the request.")]


class OperationStatus(Answer, frozen=True, kw_only=True):
    """A request as a long-running operation."""

    id: Annotated[str, Meta(description="The id of the request.")]
    joined_request_id: Annotated[
        str | UnsetType, Meta(description="The request that leads the conversion, if this request joined another.")
    ] = UNSET
    status: Annotated[str, Meta(description="NotStarted, Running, Succeeded, Failed or Canceled.")]
    created_date_time: Annotated[datetime, Meta(description="When the app accepted the request.")]
    resource_location: Annotated[str, Meta(description="The address of the request.")]
    error: Annotated[Failure | UnsetType, Meta(description="Why the request failed; only if it did.")] = UNSET


class Assessed(Answer, frozen=True, kw_only=True):
    """The result of judging an account without changing anything."""

    user_id: Annotated[str | None, Meta(description="Object id of the account; null if the app did not find it.")] = (
        None
    )
    verdict: Annotated[Verdict, Meta(description="The overall result of the findings.")]
    findings: Annotated[list[Finding], Meta(description="What the rules found.")]


class Check(Answer, frozen=True, kw_only=True):
    """The result of one health check."""

    name: Annotated[str, Meta(description="The name of the check.")]
    status: Annotated[str, Meta(description="ok or failed.")]
    detail: Annotated[str, Meta(description="Details of the result; may be empty.")]


class HealthReport(Answer, frozen=True, kw_only=True):
    """The health of the app and of the services that it needs."""

    status: Annotated[str, Meta(description="healthy or unhealthy.")]
    checks: Annotated[list[Check], Meta(description="The results of all checks.")]
