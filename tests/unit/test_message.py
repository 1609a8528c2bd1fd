"""Messages on the work queue: a caller's request, or the app's own message that resumes a request."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2b.domain.campaign.runs import PartMessage
from b2b.domain.request import IntakePolicy
from b2b.domain.request.ids import REQUEST_ID
from b2b.domain.request.message import Asked, Refused, Resume, due_of, incoming
from tests.unit.cases import ANNA

POLICY = IntakePolicy(frozenset({"myapps.microsoft.com"}))
MESSAGE = "11111111-2222-4333-8444-555555555555"
DUE = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
RESUME = Resume("r-1", "t-1", DUE)
BODY = json.dumps({"invitedUser": {"id": ANNA}}).encode()


def read(raw: bytes, message_id: str = MESSAGE) -> Asked | Refused | Resume:
    found = incoming(raw, message_id, POLICY)
    assert not isinstance(found, PartMessage)
    return found


@given(st.from_regex(REQUEST_ID, fullmatch=True), st.text(), st.datetimes(timezones=st.just(UTC)))
def test_a_resume_message_is_read_as_it_was_written(request_id: str, token: str, due: datetime) -> None:
    resume = Resume(request_id, token, due)
    assert read(resume.message()) == resume
    assert due_of(resume.message()) == due


def test_a_resume_message_contains_no_request() -> None:
    assert json.loads(RESUME.message()) == {
        "resume": {"requestId": "r-1", "token": "t-1", "due": "2026-11-22T12:00:00Z"}
    }


def test_a_time_without_a_zone_is_utc() -> None:
    raw = b'{"resume": {"requestId": "r-1", "token": "t-1", "due": "2026-11-22T12:00:00"}}'
    assert read(raw) == RESUME


@pytest.mark.parametrize(
    "document",
    [
        {"resume": {"requestId": "r-1", "token": "t-1"}},
        {"resume": {"requestId": "r-1", "token": "t-1", "due": "soon"}},
        {"resume": {"requestId": 1, "token": "t-1", "due": "2026-11-22T12:00:00Z"}},
        {"resume": {"requestId": "r-1", "token": "t-1", "due": "2026-11-22T12:00:00Z", "more": 1}},
        {"resume": {"requestId": "r-1", "token": "t-1", "due": "2026-11-22T12:00:00Z"}, "dryRun": True},
        {"resume": None},
        *(
            {"resume": {"requestId": each, "token": "t-1", "due": "2026-11-22T12:00:00Z"}}
            for each in ("a/b", "a#b", "")
        ),
    ],
)
def test_a_malformed_resume_message_is_refused_like_a_request(document: object) -> None:
    raw = json.dumps(document).encode()
    found = read(raw)
    assert isinstance(found, Refused)
    assert found.error.code in {"UnknownField", "MissingField"}


def test_a_callers_request_keeps_its_own_id() -> None:
    found = read(json.dumps({"requestId": "r-9", "invitedUser": {"id": ANNA}}).encode())
    assert isinstance(found, Asked)
    assert (found.request_id, found.made, found.request.invited_user.id) == ("r-9", False, ANNA)


def test_a_request_without_an_id_gets_it_from_the_message_id() -> None:
    found = read(BODY)
    assert isinstance(found, Asked)
    assert (found.request_id, found.made) == (f"queue-{MESSAGE}", True)


@pytest.mark.parametrize(
    ("raw", "message_id"),
    [(b'{"id": "x", ' + BODY[1:], MESSAGE), (b'{"Id": "x"', MESSAGE)],
    ids=["a name that the host reads", "JSON that the host reads more leniently"],
)
def test_if_the_message_id_cannot_be_trusted_the_id_comes_from_the_body(raw: bytes, message_id: str) -> None:
    found = read(raw, message_id)
    assert not isinstance(found, Resume)
    assert found.request_id.startswith("body-")
    again = read(raw, "22222222-2222-4333-8444-555555555555")
    assert not isinstance(again, Resume)
    assert again.request_id == found.request_id


def test_a_malformed_message_id_is_not_used() -> None:
    found = read(BODY, "not a message id")
    assert isinstance(found, Asked)
    assert found.request_id.startswith("body-")


def test_a_second_delivery_has_the_same_request_id_even_if_refused() -> None:
    for raw in (BODY, b"not json", b'{"id": "x"}'):
        first, second = read(raw), read(raw)
        assert not isinstance(first, Resume)
        assert not isinstance(second, Resume)
        assert first.request_id == second.request_id


def test_a_refused_message_keeps_its_request_id() -> None:
    found = read(b'{"requestId": "r-9", "invitedUser": 5}')
    assert isinstance(found, Refused)
    assert (found.request_id, found.error.target) == ("r-9", "invitedUser")


def test_a_request_of_48_kib_can_be_sent_again_with_its_generated_id() -> None:
    room = 48 * 1024 - len(
        json.dumps({"invitedUser": {"id": ANNA}, "invitedUserMessageInfo": {"customizedMessageBody": ""}})
    )
    body = {"invitedUser": {"id": ANNA}, "invitedUserMessageInfo": {"customizedMessageBody": "x" * room}}
    found = read(json.dumps(body).encode())
    assert isinstance(found, Asked)
    again = read(found.request.message(found.request_id))
    assert isinstance(again, Asked)
    assert (again.request_id, again.request.body()) == (found.request_id, found.request.body())


@pytest.mark.parametrize(
    "raw", [BODY, b"not json", b'"resume"', b'{"resume": 1}', b'["resume"]', b'{"resume": {}}', b"\xff"]
)
def test_a_callers_message_has_no_due_time(raw: bytes) -> None:
    assert due_of(raw) is None
