"""What callers over HTTP are told at every stage."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from b2b.api.answers import Reply
from b2b.api.problems import problem, refused
from b2b.api.show import accepted, operation_status, request_status
from b2b.domain.conversion.records import Conversion, Source
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.waits import Waiting, WaitReason
from b2b.domain.error_codes import ErrorCode
from b2b.domain.errors import MalformedRequest, RequestIdInUse
from b2b.domain.findings import Finding, Severity, Verdict
from b2b.domain.request.record import RequestRecord
from b2b.domain.request.standing import as_it_stands, joined
from tests.unit.cases import ANNA, BORIS

BASE = "https://app.contoso.com"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HTTP_STATUS = {
    "requested": 202,
    "inviting": 202,
    "accepted": 202,
    "verified": 202,
    "unverified": 200,
    "rejected": 200,
    "assessed": 200,
    "blocked": 200,
    "needsReview": 200,
    "invited": 200,
    "completed": 200,
    "failed": 200,
    "cancelled": 200,
}
"""202 while the service works on it, 200 once it waits for a person or has ended."""
OPERATION = {
    "requested": "NotStarted",
    "inviting": "Running",
    "needsReview": "Running",
    "invited": "Running",
    "accepted": "Running",
    "verified": "Running",
    "unverified": "Running",
    "assessed": "Succeeded",
    "completed": "Succeeded",
    "rejected": "Failed",
    "blocked": "Failed",
    "failed": "Failed",
    "cancelled": "Canceled",
}
RETRY_AFTER = {
    **dict.fromkeys(("requested", "inviting", "accepted", "verified"), "10"),
    **dict.fromkeys(("needsReview", "invited", "unverified"), "3600"),
}
"""Soon while the service works, an hour while a person is awaited, never once it has ended."""


def record(stage: Stage, **changes: Any) -> RequestRecord:
    fields = {"request_id": "r-1", "body_hash": "h", "source": Source.HTTP, "requested_at": NOW, **changes}
    return RequestRecord(stage=stage, **fields)


def finding(rule: str, severity: str = "block") -> Finding:
    return Finding(rule, Severity(severity), f"about {rule}", "fix", "https://learn.microsoft.com/")


def test_an_accepted_request_gets_202_with_links_to_its_status() -> None:
    reply = accepted(record(Stage.REQUESTED, dry_run=True), BASE, "assess")
    assert reply.status == 202
    assert reply.body == {"requestId": "r-1", "stage": "requested", "mode": "assess", "dryRun": True}
    assert reply.headers == {
        "Location": f"{BASE}/api/requests/r-1",
        "Operation-Location": f"{BASE}/api/operations/r-1",
        "Retry-After": "10",
    }


def test_the_tables_of_expectations_cover_every_stage() -> None:
    assert set(HTTP_STATUS) == set(OPERATION) == {stage.value for stage in Stage}


@pytest.mark.parametrize("stage", list(Stage))
def test_a_request_is_answered_with_202_while_the_service_works(stage: Stage) -> None:
    reply = request_status(record(stage), None, BASE, None)
    assert reply.status == HTTP_STATUS[stage.value]
    assert reply.body["stage"] == stage.value
    waiting = {"Location": f"{BASE}/api/requests/r-1", "Retry-After": "10"}
    assert reply.headers == (waiting if reply.status == 202 else {})


@pytest.mark.parametrize("stage", list(Stage))
def test_a_status_monitor_answers_200_with_the_state_of_the_operation(stage: Stage) -> None:
    reply = operation_status(record(stage), None, BASE)
    assert reply.status == 200
    assert reply.body["status"] == OPERATION[stage.value]
    assert reply.body["id"] == "r-1"
    assert reply.body["resourceLocation"] == f"{BASE}/api/requests/r-1"
    assert reply.body["createdDateTime"] == "2026-11-22T12:00:00Z"
    assert ("error" in reply.body) is (reply.body["status"] == "Failed")
    assert reply.headers == ({"Retry-After": RETRY_AFTER[stage.value]} if stage.value in RETRY_AFTER else {})


@pytest.mark.parametrize("rule", ["already-external", "invitation-pending"])
def test_an_operation_succeeds_if_the_account_was_already_converted(rule: str) -> None:
    blocked = record(Stage.BLOCKED, verdict=Verdict.BLOCKED, findings=(finding(rule), finding("x", "warn")))
    assert operation_status(blocked, None, BASE).body["status"] == "Succeeded"
    assert "error" not in operation_status(blocked, None, BASE).body
    assert request_status(blocked, None, BASE, None).body["error"] is None


def test_an_already_converted_account_succeeds_despite_other_blocks() -> None:
    blocked = record(Stage.BLOCKED, findings=(finding("already-external"), finding("exchange-mailbox")))
    assert operation_status(blocked, None, BASE).body["status"] == "Succeeded"


def test_a_blocked_request_fails_with_the_first_rule_that_blocks_or_could_be_fixed() -> None:
    found = (finding("on-premises-synced", "warn"), finding("no-external-address", "fix"), finding("directory-role"))
    error = request_status(record(Stage.BLOCKED, findings=found), None, BASE, None).body["error"]
    assert error["code"] == "no-external-address"
    assert error["details"] == [
        {"code": "no-external-address", "message": "about no-external-address", "target": None},
        {"code": "directory-role", "message": "about directory-role", "target": None},
    ]


def test_a_rejected_request_shows_the_code_and_field_of_its_error() -> None:
    rejected = record(Stage.REJECTED, error_code="UnknownField", error_target="x", last_error="x: not a field")
    assert request_status(rejected, None, BASE, None).body["error"] == {
        "code": "UnknownField",
        "message": "x: not a field",
        "target": "x",
        "details": [],
    }


def test_an_error_without_a_code_has_the_stage_as_its_code() -> None:
    error = operation_status(record(Stage.FAILED, last_error="why"), None, BASE).body["error"]
    assert (error["code"], error["message"]) == ("failed", "why")


@pytest.mark.parametrize("until", [None, NOW + timedelta(minutes=5)])
def test_a_wait_shows_its_reason_text_and_times(until: datetime | None) -> None:
    waiting = Waiting(WaitReason.THROTTLED, NOW, until)
    body = request_status(record(Stage.REQUESTED, waiting=waiting), None, BASE, None).body
    assert body["waiting"] == {
        "reason": "throttled",
        "text": "Graph asked the app to wait.",
        "since": "2026-11-22T12:00:00Z",
        "until": "2026-11-22T12:05:00Z" if until else None,
    }
    assert body["lastError"] is None


def test_the_status_of_a_completed_request_has_every_field() -> None:
    done = record(
        Stage.COMPLETED,
        user_id=ANNA,
        user_principal_name="anna@contoso.com",
        verdict=Verdict.READY,
        findings=(finding("message-suppressed", "info"),),
        invited_at=NOW,
        accepted_at=datetime(2026, 11, 22, 14, 30, 15, 250_000, tzinfo=timezone(timedelta(hours=2))),
        completed_at=NOW + timedelta(seconds=1),
        dry_run=False,
    )
    reply = request_status(done, None, BASE, "https://myapps.microsoft.com?tenantId=t")
    assert json.loads(json.dumps(reply.body)) == {
        "requestId": "r-1",
        "stage": "completed",
        "dryRun": False,
        "userId": ANNA,
        "userPrincipalName": "anna@contoso.com",
        "invitedUserEmailAddress": None,
        "verdict": "ready",
        "findings": [
            {
                "rule": "message-suppressed",
                "severity": "info",
                "message": "about message-suppressed",
                "fix": "fix",
                "source": "https://learn.microsoft.com/",
            }
        ],
        "requestedAt": "2026-11-22T12:00:00Z",
        "invitedAt": "2026-11-22T12:00:00Z",
        "acceptedAt": "2026-11-22T12:30:15.250000Z",
        "completedAt": "2026-11-22T12:00:01Z",
        "waiting": None,
        "lastError": None,
        "error": None,
        "links": {
            "self": f"{BASE}/api/requests/r-1",
            "operation": f"{BASE}/api/operations/r-1",
            "signIn": "https://myapps.microsoft.com?tenantId=t",
        },
    }


def test_unknown_values_are_null_and_missing_links_are_left_out() -> None:
    body = request_status(record(Stage.REQUESTED), None, BASE, None).body
    assert [body[name] for name in ("userId", "verdict", "invitedAt", "acceptedAt", "completedAt")] == [None] * 5
    assert set(body["links"]) == {"self", "operation"}


def test_an_error_follows_the_rest_guidelines_and_has_its_code_in_a_header() -> None:
    reply = refused(MalformedRequest("UnknownField", "x: not a known field", "x"))
    assert reply.status == 400
    assert reply.headers == {"x-ms-error-code": "UnknownField"}
    assert reply.body == {
        "error": {"code": "UnknownField", "message": "x: not a known field", "target": "x", "details": []}
    }


def test_each_error_is_answered_with_its_own_status() -> None:
    assert refused(RequestIdInUse("r-1")).status == 409
    assert refused(MalformedRequest("RequestTooLarge", "large")).status == 413


def test_an_error_lists_all_faults_of_a_body_in_its_details() -> None:
    first = MalformedRequest("InvalidValue", "a: wrong", "a").with_others([MalformedRequest("WrongType", "b: no", "b")])
    error = refused(first).body["error"]
    assert (error["code"], error["target"]) == ("InvalidValue", "a")
    assert error["details"] == [
        {"code": "InvalidValue", "message": "a: wrong", "target": "a"},
        {"code": "WrongType", "message": "b: no", "target": "b"},
    ]


def test_a_temporary_error_has_a_retry_after_header() -> None:
    reply = problem(ErrorCode.SERVICE_UNAVAILABLE, "Graph: throttled", retry_after=7)
    assert reply.headers == {"x-ms-error-code": "ServiceUnavailable", "Retry-After": "7"}
    assert reply.body["error"]["target"] is None


def conversion(stage: Stage, generation: int = 1, **columns: Any) -> Conversion:
    return Conversion(user_id=ANNA, stage=stage, request_id="r-1", generation=generation, invited_at=NOW, **columns)


def member(stage: Stage, **changes: Any) -> RequestRecord:
    return record(stage, user_id=ANNA, **{"generation": 1, **changes})


def test_a_request_shows_the_stage_of_its_conversion() -> None:
    shown = as_it_stands(member(Stage.REQUESTED), conversion(Stage.INVITED))
    assert (shown.stage, shown.invited_at, shown.user_id) == (Stage.INVITED, NOW, ANNA)


def test_a_claimed_conversion_shows_before_the_row_of_its_request_does() -> None:
    assert as_it_stands(member(Stage.REQUESTED, generation=0), conversion(Stage.INVITING)).stage is Stage.INVITING


def test_an_ended_conversion_shows_its_time_before_the_row_of_its_request_does() -> None:
    shown = as_it_stands(member(Stage.INVITED), conversion(Stage.COMPLETED, completed_at=NOW))
    assert (shown.stage, shown.completed_at) == (Stage.COMPLETED, NOW)


@pytest.mark.parametrize(
    ("row", "led"),
    [
        (member(Stage.REQUESTED), None),
        (member(Stage.REQUESTED), conversion(Stage.INVITED, generation=2)),
        (record(Stage.REQUESTED, user_id=BORIS, generation=1), conversion(Stage.INVITED)),
        (member(Stage.REQUESTED, generation=0, left_generation=1), conversion(Stage.FAILED)),
        (member(Stage.REQUESTED, generation=0, request_id="r-2"), conversion(Stage.INVITED)),
        (member(Stage.BLOCKED), conversion(Stage.INVITED)),
        (member(Stage.COMPLETED), conversion(Stage.INVITED)),
    ],
    ids=[
        "no conversion",
        "a later generation",
        "another account",
        "the end that it left",
        "another leader, not joined yet",
        "an end",
        "the last end",
    ],
)
def test_an_ended_request_or_a_foreign_conversion_changes_nothing_shown(
    row: RequestRecord, led: Conversion | None
) -> None:
    assert as_it_stands(row, led) is row


def test_the_wait_shown_is_the_requests_while_inviting_then_the_conversions() -> None:
    throttled, hidden = Waiting(WaitReason.THROTTLED, NOW), Waiting(WaitReason.NOT_VISIBLE, NOW)
    waits = member(Stage.REQUESTED, waiting=throttled)
    assert as_it_stands(waits, conversion(Stage.INVITING)).waiting is throttled
    assert as_it_stands(waits, conversion(Stage.INVITED, waiting=hidden)).waiting is hidden
    assert as_it_stands(waits, conversion(Stage.INVITED)).waiting is None


def test_only_a_request_that_joined_names_its_leader() -> None:
    assert joined(member(Stage.INVITED, request_id="r-2"), conversion(Stage.INVITED)) == "r-1"
    assert joined(member(Stage.INVITED), conversion(Stage.INVITED)) is None
    assert joined(member(Stage.INVITED, request_id="r-2"), conversion(Stage.INVITED, generation=2)) is None
    assert joined(record(Stage.BLOCKED), None) is None
    assert joined(member(Stage.REQUESTED, request_id="r-2", generation=0), conversion(Stage.INVITED)) is None


@pytest.mark.parametrize("tell", [lambda row, leader, base: request_status(row, leader, base, None), operation_status])
def test_an_answer_names_the_leader_only_if_the_request_joined(tell: Callable[..., Reply]) -> None:
    assert tell(record(Stage.INVITED), "r-2", BASE).body["joinedRequestId"] == "r-2"
    assert "joinedRequestId" not in tell(record(Stage.INVITED), None, BASE).body
