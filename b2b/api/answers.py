"""What callers over HTTP are told, one struct for each answer. OpenAPI is made from these: each field has its text.

A field that is `| None` is always there and may be null; one with `UNSET` is left out where there is nothing to say.
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
    """An HTTP answer: status, what it holds, and headers."""

    status: int
    content: Any
    """A struct of the contract, or the bytes of a file."""
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
    """A part of an answer: camelCase names, RFC 3339 times in UTC."""


class Fault(Answer, frozen=True, kw_only=True):
    """One thing that is wrong."""

    code: Annotated[str, Meta(description="What is wrong, as a code of the contract.")]
    message: Annotated[str, Meta(description="What is wrong and what to do, in one sentence.")]
    target: Annotated[str | None, Meta(description="The path of the field that it is about.")] = None


class Failure(Fault, frozen=True, kw_only=True):
    """Why something did not come about."""

    details: Annotated[list[Fault], Meta(description="Every fault, where there are several.")] = []


class Problem(Answer, frozen=True, kw_only=True):
    """An error in the form of the Microsoft REST guidelines."""

    error: Annotated[Failure, Meta(description="What is wrong.")]


class Accepted(Answer, frozen=True, kw_only=True):
    """A request that was taken in."""

    request_id: Annotated[str, Meta(description="The id to ask for the request with.")]
    stage: Annotated[Stage, Meta(description="Where the request stands.")]
    mode: Annotated[str, Meta(description="The app's mode: assess or convert.")]
    dry_run: Annotated[bool, Meta(description="Whether the request changes nothing in the directory.")]


class Waits(Answer, frozen=True, kw_only=True):
    """Why a request cannot go on yet."""

    reason: Annotated[WaitReason, Meta(description="The reason, as a code.")]
    text: Annotated[str, Meta(description="The reason in words.")]
    since: Annotated[datetime, Meta(description="Since when it waits for this reason.")]
    until: Annotated[datetime | None, Meta(description="When the app looks again; null: at the next sweep.")] = None


class Links(Answer, frozen=True, kw_only=True):
    """Where to go from here."""

    self: Annotated[str, Meta(description="The address of this request.")]
    operation: Annotated[str, Meta(description="The address of the request as a long-running operation.")]
    sign_in: Annotated[
        str | UnsetType, Meta(description="Where the person redeems without the secret link; only while invited.")
    ] = UNSET


class ActorShown(Answer, frozen=True, kw_only=True):
    """Who brings something about."""

    kind: Annotated[ActorKind, Meta(description="A person, an application, key, stated, queue or timer.")]
    id: Annotated[str | None, Meta(description="The object id of who signed in.")] = None
    name: Annotated[str | None, Meta(description="The name that was stated; the app cannot know if it is true.")] = None


class WaitsFor(Answer, frozen=True, kw_only=True):
    """What a request of a list waits for."""

    reason: Annotated[WaitReason, Meta(description="The reason, as a code.")]
    text: Annotated[str, Meta(description="The reason in words.")]
    since: Annotated[datetime, Meta(description="Since when it waits for this reason.")]


class RequestLine(Answer, frozen=True, kw_only=True):
    """A request as a list shows it."""

    request_id: Annotated[str, Meta(description="The id of the request.")]
    stage: Annotated[Stage, Meta(description="Where the request stands.")]
    dry_run: Annotated[bool, Meta(description="Whether the request changes nothing in the directory.")]
    user_id: Annotated[str | None, Meta(description="Object id of the account, once it was found.")] = None
    user_principal_name: Annotated[str | None, Meta(description="The user principal name of the account.")] = None
    invited_user_email_address: Annotated[str | None, Meta(description="The external address.")] = None
    asked_by: Annotated[ActorShown, Meta(description="Who submitted the request.")]
    requested_at: Annotated[datetime, Meta(description="When the request was taken in.")]
    verdict: Annotated[Verdict | None, Meta(description="What the findings add up to, once it was judged.")] = None
    rules: Annotated[list[str], Meta(description="The rules that hold it up, or that a person must weigh.")]
    waiting: Annotated[WaitsFor | None, Meta(description="What the request waits for.")] = None


class RequestPage(Answer, frozen=True, kw_only=True):
    """A page of a list, oldest first. It may be short or even empty; there is more while it has a token."""

    requests: Annotated[list[RequestLine], Meta(description="The requests of this page.")]
    continuation_token: Annotated[str | UnsetType, Meta(description="Asks for the next page.")] = UNSET
    next_link: Annotated[str | UnsetType, Meta(description="The address of the next page.")] = UNSET


class Cost(Answer, frozen=True, kw_only=True):
    """What a search cost."""

    calls: Annotated[int, Meta(description="Calls to storage.")]
    lines: Annotated[int, Meta(description="Lines that were read.")]


class SearchResult(Answer, frozen=True, kw_only=True):
    """What a search found."""

    requests: Annotated[list[RequestLine], Meta(description="The requests that were found.")]
    cost: Annotated[Cost, Meta(description="What the search cost.")]
    continuation_token: Annotated[str | UnsetType, Meta(description="Goes on with the search.")] = UNSET


class HistoryEvent(Answer, frozen=True, kw_only=True):
    """Something that happened."""

    kind: Annotated[str, Meta(description="What happened.")]
    at: Annotated[datetime, Meta(description="When it happened.")]
    stage: Annotated[Stage | None, Meta(description="The stage after it.")] = None
    request_id: Annotated[str | None, Meta(description="The request that it was about.")] = None
    detail: Annotated[str | None, Meta(description="What else there is to say.")] = None
    actor: Annotated[ActorShown, Meta(description="Who brought it about.")]
    graph_request_id: Annotated[
        str | None, Meta(description="Graph's id of the call that brought it about, for support at Microsoft.")
    ] = None


class History(Answer, frozen=True, kw_only=True):
    """What happened, oldest first."""

    events: Annotated[list[HistoryEvent], Meta(description="What happened.")]
    continuation_token: Annotated[str | UnsetType, Meta(description="Asks for the next page.")] = UNSET
    next_link: Annotated[str | UnsetType, Meta(description="The address of the next page.")] = UNSET


class MailShown(Answer, frozen=True, kw_only=True):
    """A mail that a person asked for after the invitation."""

    purpose: Annotated[Purpose, Meta(description="To send the invitation again, or to a corrected address.")]
    outcome: Annotated[Fate, Meta(description="What came of it; unknown: it may be out, and is not sent again.")]
    at: Annotated[datetime, Meta(description="When it was sent, or was to be.")]
    by: Annotated[str, Meta(description="Who decided it.")]
    address: Annotated[str, Meta(description="The address that it went to.")]
    text: Annotated[str | None, Meta(description="Why it was not sent, or why that is not known.")] = None


class ConversionStatus(Answer, frozen=True, kw_only=True):
    """Where the conversion of an account stands."""

    user_id: Annotated[str, Meta(description="Object id of the account.")]
    stage: Annotated[Stage, Meta(description="Where the conversion stands.")]
    request_id: Annotated[str, Meta(description="The request that leads it.")]
    generation: Annotated[int, Meta(description="How many conversions of this account were begun.")]
    joined: Annotated[int, Meta(description="How many other requests joined it.")]
    user_principal_name: Annotated[str | None, Meta(description="The user principal name, as it was judged.")] = None
    invited_user_email_address: Annotated[str | None, Meta(description="The external address.")] = None
    verdict: Annotated[Verdict | None, Meta(description="What the findings add up to.")] = None
    findings: Annotated[list[Finding], Meta(description="What the rules say about the account.")] = []
    invited_at: Annotated[datetime | None, Meta(description="When the account was invited.")] = None
    accepted_at: Annotated[datetime | None, Meta(description="When the person redeemed the invitation.")] = None
    completed_at: Annotated[datetime | None, Meta(description="When the conversion ended.")] = None
    waiting: Annotated[Waits | None, Meta(description="Why it cannot go on yet.")] = None
    sign_in_matches: Annotated[
        Matches | None, Meta(description="Whether the person who redeemed signs in with the invited address.")
    ] = None
    signs_in_with: Annotated[str | None, Meta(description="The issuer by which that person signs in.")] = None
    open_doubts: Annotated[int, Meta(description="Tries to invite whose outcome is not known.")]
    adopted: Annotated[bool, Meta(description="Whether others invited the account, and the app only follows it.")]
    mails: Annotated[list[MailShown], Meta(description="Mails that were asked for after the invitation.")] = []
    earlier_addresses: Annotated[
        list[str], Meta(description="Addresses that were corrected: until the redemption their links may be alive.")
    ] = []
    last_error: Annotated[str | None, Meta(description="The last error.")] = None


class Thing(Answer, frozen=True, kw_only=True):
    """Something that an account has."""

    id: Annotated[str, Meta(description="Its id; of an app role the application and the role.")]
    name: Annotated[str | None, Meta(description="Its name, where the app may read it.")] = None


class KindShown(Answer, frozen=True, kw_only=True):
    """What an account has of one kind."""

    kind: Annotated[Kind, Meta(description="What it is.")]
    count: Annotated[int, Meta(description="How many there are.")]
    items: Annotated[list[Thing] | None, Meta(description="All of them; null where they are too many to keep.")] = None
    unread: Annotated[str | None, Meta(description="Why it could not be read.")] = None


class SnapshotShown(Answer, frozen=True, kw_only=True):
    """What the directory grants an account at one moment."""

    taken_at: Annotated[datetime, Meta(description="When it was read.")]
    kinds: Annotated[list[KindShown], Meta(description="What the account has.")]


class DifferenceShown(Answer, frozen=True, kw_only=True):
    """How one kind differs."""

    kind: Annotated[Kind, Meta(description="What differs.")]
    text: Annotated[str, Meta(description="The same in words.")]
    missing: Annotated[list[Thing], Meta(description="What was there before.")]
    new: Annotated[list[Thing], Meta(description="What was not there before.")]
    unread: Annotated[str | None, Meta(description="Why it cannot be read any more.")] = None
    count_before: Annotated[int, Meta(description="How many there were.")]
    count_after: Annotated[int, Meta(description="How many there are.")]


class NotCompared(Answer, frozen=True, kw_only=True):
    """A kind that is not compared."""

    kind: Annotated[Kind, Meta(description="What is not compared.")]
    why: Annotated[str, Meta(description="Why it could not be read before the invitation.")]


class AccessReport(Answer, frozen=True, kw_only=True):
    """What the directory grants an account, before its invitation and after its redemption."""

    user_id: Annotated[str, Meta(description="Object id of the account.")]
    stage: Annotated[Stage, Meta(description="Where its conversion stands.")]
    before: Annotated[SnapshotShown | None, Meta(description="Before the invitation; null where it was not read.")]
    after: Annotated[SnapshotShown | None, Meta(description="After the redemption; null until that was decided about.")]
    differences: Annotated[list[DifferenceShown], Meta(description="How both differ.")]
    not_compared: Annotated[list[NotCompared], Meta(description="What could not be read before the invitation.")]


class RequestStatus(Answer, frozen=True, kw_only=True):
    """Where a request stands."""

    request_id: Annotated[str, Meta(description="The id of the request.")]
    joined_request_id: Annotated[
        str | UnsetType, Meta(description="The request that leads the conversion which this one joined.")
    ] = UNSET
    stage: Annotated[Stage, Meta(description="Where the request stands.")]
    dry_run: Annotated[bool, Meta(description="Whether the request changes nothing in the directory.")]
    user_id: Annotated[str | None, Meta(description="Object id of the account, once it was found.")] = None
    user_principal_name: Annotated[
        str | None, Meta(description="The user principal name of the account, as it was asked for or read.")
    ] = None
    invited_user_email_address: Annotated[str | None, Meta(description="The external address.")] = None
    verdict: Annotated[Verdict | None, Meta(description="What the findings add up to, once it was judged.")] = None
    findings: Annotated[list[Finding], Meta(description="What the rules say about the account.")] = []
    requested_at: Annotated[datetime, Meta(description="When the request was taken in.")]
    invited_at: Annotated[datetime | None, Meta(description="When the account was invited.")] = None
    accepted_at: Annotated[datetime | None, Meta(description="When the person redeemed the invitation.")] = None
    completed_at: Annotated[datetime | None, Meta(description="When the request ended, however it ended.")] = None
    waiting: Annotated[Waits | None, Meta(description="Why the request cannot go on yet.")] = None
    last_error: Annotated[str | None, Meta(description="The last error of a service, or the one that ended it.")] = None
    error: Annotated[Failure | None, Meta(description="Why it ended without what it asked for.")] = None
    links: Annotated[Links, Meta(description="Where to go from here.")]


class OperationStatus(Answer, frozen=True, kw_only=True):
    """A request as a long-running operation."""

    id: Annotated[str, Meta(description="The id of the request.")]
    joined_request_id: Annotated[
        str | UnsetType, Meta(description="The request that leads the conversion which this one joined.")
    ] = UNSET
    status: Annotated[str, Meta(description="NotStarted, Running, Succeeded, Failed or Canceled.")]
    created_date_time: Annotated[datetime, Meta(description="When the request was taken in.")]
    resource_location: Annotated[str, Meta(description="The address of the request.")]
    error: Annotated[Failure | UnsetType, Meta(description="Why it failed; only where it did.")] = UNSET


class Assessed(Answer, frozen=True, kw_only=True):
    """What the rules say about an account; nothing was changed."""

    user_id: Annotated[str | None, Meta(description="Object id of the account, where it was found.")] = None
    verdict: Annotated[Verdict, Meta(description="What the findings add up to.")]
    findings: Annotated[list[Finding], Meta(description="What the rules say about the account.")]


class Check(Answer, frozen=True, kw_only=True):
    """One thing that health looks at."""

    name: Annotated[str, Meta(description="What was looked at.")]
    status: Annotated[str, Meta(description="ok or failed.")]
    detail: Annotated[str, Meta(description="What there is to say about it; may be empty.")]


class HealthReport(Answer, frozen=True, kw_only=True):
    """Whether everything that the app needs does its part."""

    status: Annotated[str, Meta(description="healthy or unhealthy.")]
    checks: Annotated[list[Check], Meta(description="One line for each thing that was looked at.")]
