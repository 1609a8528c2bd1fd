"""The outcomes of an invitation call: it is sent only once, and each outcome has its own error."""

import json
import logging
import traceback
from dataclasses import dataclass

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError

from b2b.domain.errors import AccessDenied, B2BError, InvitationRefused, OutcomeUnknown, Transient
from tests.adapters.graph_support import (
    ACCEPTED,
    INVITATION,
    LATER,
    OTHER,
    REDEEM_URL,
    Credential,
    Outcome,
    Wire,
    graph_over,
    json_response,
    noon,
    refusal,
)

HTML = b"<html><body><h1>503 Service Unavailable</h1></body></html>"
EXISTS = "The invited user already exists in the directory as object ID: 0a000000-0000-4000-8000-000000000009."
NO_MATCH = "The invitedUserEmailAddress property does not match any emails on the user object."


async def outcome_of(outcome: Outcome, credential: Credential | None = None) -> tuple[B2BError, Wire]:
    """Return the error of one invitation with this outcome, and the transport."""
    wire = Wire(outcome)
    async with graph_over(wire, credential=credential, clock=noon) as graph:
        with pytest.raises(B2BError) as caught:
            await graph.invite(INVITATION, LATER)
    return caught.value, wire


def html(status: int) -> httpx.Response:
    return httpx.Response(status, content=HTML, headers={"content-type": "text/html"})


def raw(status: int, content: bytes) -> httpx.Response:
    return httpx.Response(status, content=content, headers={"content-type": "application/json"})


@dataclass(frozen=True)
class Row:
    """What Graph does with the invitation, the error that must follow, and a text that it must contain."""

    outcome: Outcome
    error: type[B2BError]
    says: str = ""


DENIED = "Authorization_RequestDenied"
OUTCOMES: dict[str, Row] = {
    # Graph refuses.
    "400": Row(refusal(400), InvitationRefused, "400 BadRequest"),
    "400 in HTML": Row(html(400), OutcomeUnknown, "400"),
    "400 without a body": Row(httpx.Response(400), OutcomeUnknown, "400"),
    "400 with broken JSON": Row(raw(400, b'{"error": {'), OutcomeUnknown, "400"),
    "403 for a reason": Row(refusal(403, "Forbidden", "Guest invitations not allowed"), InvitationRefused, "403"),
    "413": Row(refusal(413), InvitationRefused, "413"),
    "422": Row(refusal(422), InvitationRefused, "422"),
    # It was certainly not sent; the next token may be accepted.
    "401": Row(refusal(401, "InvalidAuthenticationToken"), Transient, "401 InvalidAuthenticationToken"),
    "401 without a body": Row(httpx.Response(401), Transient, "401"),
    # A permission is missing.
    "403 denied": Row(
        refusal(403, DENIED, "Insufficient privileges"),
        AccessDenied,
        "needs User.Invite.All or, where that is not enough, User.ReadWrite.All",
    ),
    # The outcome is unknown.
    "404": Row(refusal(404, "Request_ResourceNotFound"), OutcomeUnknown, "404 Request_ResourceNotFound"),
    "408": Row(refusal(408), OutcomeUnknown, "408"),
    "409": Row(refusal(409), OutcomeUnknown, "409"),
    "429": Row(refusal(429, "TooManyRequests"), OutcomeUnknown, "429 TooManyRequests"),
    "429 without a body": Row(httpx.Response(429), OutcomeUnknown, "429"),
    "500": Row(refusal(500, "InternalServerError"), OutcomeUnknown, "500 InternalServerError"),
    "500 with broken JSON": Row(raw(500, b'{"error"'), OutcomeUnknown, "500"),
    "500 with an odd error": Row(raw(500, b'{"error": "unlucky"}'), OutcomeUnknown, "500"),
    "502 in HTML": Row(html(502), OutcomeUnknown, "502"),
    "503": Row(refusal(503), OutcomeUnknown, "503"),
    "503 in HTML": Row(html(503), OutcomeUnknown, "503"),
    "504": Row(refusal(504), OutcomeUnknown, "504"),
    "307 to nowhere": Row(httpx.Response(307), OutcomeUnknown, "307"),
    "reset": Row(httpx.ReadError("reset by peer"), OutcomeUnknown, "ReadError"),
    "broken pipe": Row(httpx.WriteError("broken pipe"), OutcomeUnknown, "WriteError"),
    "answer never came": Row(httpx.ReadTimeout("timed out"), OutcomeUnknown, "ReadTimeout"),
    "request never went": Row(httpx.WriteTimeout("timed out"), OutcomeUnknown, "WriteTimeout"),
    "closed without an answer": Row(httpx.RemoteProtocolError("disconnected"), OutcomeUnknown, "RemoteProtocolError"),
    "201 in HTML": Row(html(201), OutcomeUnknown, "cannot be read"),
    "201 with broken JSON": Row(raw(201, b'{"id": "7d'), OutcomeUnknown, "cannot be read"),
    "201 with a list": Row(json_response([ACCEPTED], 201), OutcomeUnknown, "cannot be read"),
    "201 without a body": Row(httpx.Response(201), OutcomeUnknown, "cannot be read"),
    "204": Row(httpx.Response(204), OutcomeUnknown, "cannot be read"),
    "201 without a user": Row(json_response({**ACCEPTED, "invitedUser": None}, 201), OutcomeUnknown, "cannot be read"),
    "201 for nobody": Row(
        json_response({**ACCEPTED, "invitedUser": {"id": None}}, 201), OutcomeUnknown, "cannot be read"
    ),
    "201 for another": Row(
        json_response({**ACCEPTED, "invitedUser": {"id": OTHER}}, 201), InvitationRefused, "201 AnotherObject"
    ),
    "201 with status Error": Row(json_response({**ACCEPTED, "status": "Error"}, 201), OutcomeUnknown, "status Error"),
    # It was certainly not sent.
    "connection refused": Row(httpx.ConnectError("refused"), Transient, "not reached: ConnectError"),
    "connecting took too long": Row(httpx.ConnectTimeout("timed out"), Transient, "not reached: ConnectTimeout"),
    "no free connection": Row(httpx.PoolTimeout("timed out"), Transient, "not reached: PoolTimeout"),
}


@pytest.mark.parametrize("name", OUTCOMES)
async def test_every_outcome_has_its_error_after_a_single_send(name: str) -> None:
    row = OUTCOMES[name]
    error, wire = await outcome_of(row.outcome)
    assert type(error) is row.error
    assert row.says in str(error)
    assert len(wire.sent) == 1


@pytest.mark.parametrize(
    ("message", "rule"),
    [(EXISTS, "address-in-use"), (NO_MATCH, "address-not-on-account"), ("Invalid request input.", None)],
)
async def test_a_refusal_has_status_code_and_the_rule_that_explains_it(message: str, rule: str | None) -> None:
    error, _ = await outcome_of(refusal(400, "BadRequest", message))
    assert isinstance(error, InvitationRefused)
    assert (error.refusal.status, error.refusal.code, error.refusal.rule) == (400, "BadRequest", rule)
    assert error.refusal.text.startswith(message)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("host", ["graph.microsoft.com", "elsewhere.example"])
async def test_a_redirect_of_an_invitation_is_not_followed(status: int, host: str) -> None:
    """If it were followed, the invitation and its address would be sent twice, or to another host."""
    moved = httpx.Response(status, headers={"location": f"https://{host}/v1.0/invitations"})
    wire = Wire(moved, json_response(ACCEPTED, 201))
    async with graph_over(wire) as graph:
        with pytest.raises(OutcomeUnknown):
            await graph.invite(INVITATION, LATER)
    assert len(wire.sent) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("1.5", 1.5),
        ("0", 0.0),
        ("Mon, 04 May 2026 12:00:20 GMT", 20.0),
        ("Mon, 04 May 2026 11:00:00 GMT", 0.0),
        ("-5", 0.0),
        ("soon", None),
        ("", None),
    ],
)
async def test_the_retry_after_of_an_invitation_is_kept_in_the_error(
    status: int, header: str, seconds: float | None
) -> None:
    throttled = json_response({"error": {"code": "TooManyRequests", "message": "."}}, status, {"Retry-After": header})
    error, _ = await outcome_of(throttled)
    assert isinstance(error, OutcomeUnknown)
    assert error.retry_after == seconds


async def test_without_a_token_no_invitation_is_sent() -> None:
    error, wire = await outcome_of(json_response(ACCEPTED, 201), Credential(ClientAuthenticationError("no identity")))
    assert type(error) is Transient
    assert error.service == "identity"
    assert wire.sent == []


LEAKS = (REDEEM_URL, "s3cr3t-ticket", "anna@fabrikam.com")


@pytest.mark.parametrize(
    "outcome",
    [
        json_response(ACCEPTED, 201),
        json_response({**ACCEPTED, "invitedUser": {"id": OTHER}}, 201),
        json_response({**ACCEPTED, "status": "Error"}, 201),
        raw(201, json.dumps(ACCEPTED).encode()[:-1]),
        refusal(400, "BadRequest", f"anna@fabrikam.com was invited already, see {REDEEM_URL}"),
        refusal(500, "Error", f"anna@fabrikam.com: {REDEEM_URL}"),
        httpx.ReadTimeout("timed out"),
    ],
    ids=["accepted", "another", "error", "broken", "refused", "failed", "lost"],
)
async def test_no_result_error_or_log_contains_the_redeem_link_or_the_address(
    outcome: httpx.Response | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """The Functions host logs an exception with all its causes."""
    caplog.set_level(logging.DEBUG)
    async with graph_over(Wire(outcome)) as graph:
        try:
            said = repr(await graph.invite(INVITATION, LATER))
        except B2BError as error:
            said = f"{error!r} {getattr(error, 'refusal', '')} {''.join(traceback.format_exception(error))}"
    said += "\n".join(record.getMessage() for record in caplog.records)
    assert [leak for leak in LEAKS if leak in said] == []
