"""A member of a campaign as the ledger stores it, and the functions that list and judge it."""

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from b2b.domain.actors import BY_QUEUE, Actor, acting
from b2b.domain.campaign.columns import Column
from b2b.domain.campaign.reading import Entry
from b2b.domain.conversion.assessment import Assessment
from b2b.domain.conversion.records import SCHEMA_VERSION
from b2b.domain.conversion.waits import Waiting
from b2b.domain.findings import Finding, Severity, Verdict, verdict_of
from b2b.domain.hashing import digest
from b2b.domain.request import ConversionRequest

KEY = re.compile("[0-9a-f]{32}")
"""Matches the key of a member, and the id of a run."""
LISTED_TWICE = "listed-twice"


class MemberStage(StrEnum):
    """The stage of a member: listed, judged, or the stage of its request."""

    LISTED = "listed"
    JUDGED = "judged"
    REQUESTED = "requested"
    BLOCKED = "blocked"
    NEEDS_REVIEW = "needsReview"
    INVITING = "inviting"
    INVITED = "invited"
    ACCEPTED = "accepted"
    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def on_the_list(self) -> bool:
        """Whether the member was listed or judged last, so that it shows no request."""
        return self in {MemberStage.LISTED, MemberStage.JUDGED}

    @property
    def judged_again(self) -> bool:
        """Whether the member may be judged: it has no open request, was not invited and was not refused."""
        return self in {MemberStage.LISTED, MemberStage.JUDGED, MemberStage.BLOCKED, MemberStage.FAILED}

    @property
    def listed_again(self) -> bool:
        """Whether a later list may replace the member's row."""
        return self.judged_again or self is MemberStage.CANCELLED


@dataclass(frozen=True, kw_only=True)
class Member:
    """A person on the list of a campaign."""

    campaign_id: str
    key: str
    """Identifies the member within its campaign. Made from the account's name in the first list."""
    import_id: str
    """The import of the latest list that added or changed the member."""
    listed_at: datetime
    listed_by: Actor = BY_QUEUE
    """Who sent the list of ``import_id``."""
    replaced: bool = False
    """Whether an earlier list had another row for the member."""
    stage: MemberStage
    names: tuple[str, ...] = ()
    """Every known name of the account, normalized for comparison: from the list, and from the directory."""
    body: bytes = b""
    """The request of the list's row as canonical JSON, without the campaign's defaults."""
    content: str
    """Hash of the member's row in the list. If a later list changes the row, the hash differs."""
    address: str = ""
    """The address in the list; empty if the list names none, so that the account's own address is invited."""
    reference: str = ""
    """The caller's own name for the member."""
    kept: tuple[tuple[str, str], ...] = ()
    """Other columns of the list that reports repeat, as name and value."""
    user_id: str = ""
    user_principal_name: str = ""
    """From the list until the member is judged, then from the directory."""
    invited_address: str = ""
    """The address to invite: as the member was judged, then as its request was judged."""
    mail: str = ""
    """The account's `mail`, or its `otherMails` with the profile `2020`, when it was judged. Worklists say how to
    change it."""
    synced: bool = False
    verdict: Verdict | None = None
    findings: tuple[Finding, ...] = ()
    judged_at: datetime | None = None
    judged_in: str = ""
    """The run that judged the member last. If a part of this run is delivered again, it skips the member."""
    judged_as: str = ""
    """The account and the address that were judged, as one key; empty if no account was found."""
    waived: tuple[Finding, ...] = ()
    """Findings that a person approved, before or after the release."""
    decided_by: str = ""
    decided_because: str = ""
    decided_at: datetime | None = None
    request_id: str = ""
    """The id of the member's request; empty until the member is released."""
    waiting: Waiting | None = None
    invited_at: datetime | None = None
    accepted_at: datetime | None = None
    last_error: str = ""
    shown: int = 0
    """The number of the last event of its request that the member reflects."""
    schema_version: int = SCHEMA_VERSION
    sequence: int = 0
    etag: str = ""

    @property
    def domain(self) -> str:
        """The domain of the address, in lower case."""
        return (self.invited_address or self.address).rpartition("@")[2].lower()

    @property
    def person(self) -> str:
        """Identifies the person: the account's object id if it is known, else the member's key."""
        return self.user_id or self.key

    @property
    def approved(self) -> bool:
        """Whether a person approved findings of the member."""
        return bool(self.waived)


def key_from(name: str) -> str:
    """Return the key that a member's normalized name gives."""
    return digest(name.encode())[:32]


def key_of(entry: Entry, taken: Container[str]) -> str:
    """Return the key of a new member, made from its most reliable name. If the key is taken, it is hashed again."""
    column, name = next(iter(entry.names.items()))
    key = key_from(f"{column}={name.lower()}")
    while key in taken:
        key = digest(key.encode())[:32]
    return key


def listed(campaign_id: str, key: str, entry: Entry, import_id: str, now: datetime) -> Member:
    """Return a new member from its row in the list."""
    return Member(campaign_id=campaign_id, key=key, **_of_list(entry, import_id, now))


def relisted(member: Member, entry: Entry, import_id: str, now: datetime) -> Member:
    """Return a member that is not released, with a new row of the list. Its judgement is void."""
    return Member(
        campaign_id=member.campaign_id,
        key=member.key,
        replaced=True,
        request_id=member.request_id,
        shown=member.shown,
        sequence=member.sequence,
        etag=member.etag,
        **_of_list(entry, import_id, now),
    )


def content_of(entry: Entry) -> str:
    """Return a hash of a row of the list."""
    kept = msgspec.json.encode([sorted(entry.keys), entry.reference, entry.kept])
    return digest(kept + entry.request.body())


def _of_list(entry: Entry, import_id: str, now: datetime) -> dict[str, Any]:
    return {
        "import_id": import_id,
        "listed_at": now,
        "listed_by": acting(),
        "stage": MemberStage.LISTED,
        "names": tuple(sorted(entry.keys)),
        "body": entry.request.body(),
        "content": content_of(entry),
        "address": entry.address,
        "reference": entry.reference,
        "kept": entry.kept,
        "user_principal_name": entry.names.get(Column.UPN, ""),
    }


def request_of(member: Member, defaults: bytes) -> ConversionRequest:
    """Return the request of a member: its row in the list, completed with the campaign's defaults."""
    own = msgspec.json.decode(member.body)
    return msgspec.convert(_over(msgspec.json.decode(defaults) if defaults else {}, own), ConversionRequest)


def _over(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**defaults, **own}
    for name, value in defaults.items():
        if isinstance(value, Mapping) and isinstance(own.get(name), Mapping):
            merged[name] = {**value, **own[name]}
    return merged


def judged(member: Member, assessment: Assessment, mail: str, run_id: str = "") -> Member:
    """Return the member with the findings of an assessment. ``mail``: the property in which the profile looks."""
    account = assessment.account
    names = set(member.names)
    columns: dict[str, Any] = {"user_id": "", "mail": "", "synced": False}
    if account is not None:
        user_id, upn = account.id.lower(), account.user_principal_name
        names |= {f"{Column.ID}={user_id}", f"{Column.UPN}={upn.lower()}"}
        columns = {"user_id": user_id, "user_principal_name": upn, "mail": mail, "synced": account.synced}
    subject = assessment.subject if account is not None else ""
    # An approval is spent with a request that ended blocked, because Graph, or a rule since, refused what was approved.
    spent = member.stage is MemberStage.BLOCKED
    kept = member.waived if subject and subject == member.judged_as and not spent else ()
    findings = tuple(_weighed(finding, kept) for finding in assessment.findings)
    return replace(
        member,
        **columns,
        stage=MemberStage.JUDGED,
        names=tuple(sorted(names)),
        invited_address=assessment.address or "",
        verdict=verdict_of(findings),
        findings=findings,
        waiting=None,
        last_error="",
        waived=tuple(waived for waived in kept if any(_same(waived, finding) for finding in assessment.findings)),
        judged_at=assessment.at,
        judged_in=run_id,
        judged_as=subject,
    )


def _weighed(finding: Finding, waived: tuple[Finding, ...]) -> Finding:
    covered = finding.severity is Severity.REVIEW and any(_same(each, finding) for each in waived)
    return msgspec.structs.replace(finding, severity=Severity.WARN) if covered else finding


def _same(one: Finding, other: Finding) -> bool:
    return (one.rule, one.message) == (other.rule, other.message)


def twice(member: Member, other_key: str) -> Member:
    """Return the member with a blocking finding: another member of the campaign is the same account."""
    finding = Finding(
        LISTED_TWICE,
        Severity.BLOCK,
        f"Member {other_key} of this campaign is the same account.",
        "Keep the row that is right and refuse the other one.",
        "",
    )
    return replace(member, findings=(*member.findings, finding), verdict=Verdict.BLOCKED)
