"""The invitation call: the exact JSON that is sent, and what the app keeps of the answer."""

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2b.domain.errors import InvitationRefused
from b2b.domain.invitation import Invitation
from b2b.domain.readings import Invited
from tests.adapters.graph_support import (
    ACCEPTED,
    GRAPH,
    INVITATION,
    LATER,
    OTHER,
    USER,
    Wire,
    graph_over,
    json_response,
)

SPONSOR = "0a000000-0000-4000-8000-0000000000aa"
FIXED = (
    b'{"inviteRedirectUrl": "https://myapps.microsoft.com?tenantId=8a1f6a7e-2d5b-4a53-9a6e-0f3c2b1d4e5f", '
    b'"invitedUser": {"id": "0a000000-0000-4000-8000-000000000001", "@odata.type": "#microsoft.graph.user"}, '
    b'"invitedUserEmailAddress": "anna@fabrikam.com", '
)
PINNED: dict[str, tuple[Invitation, bytes]] = {
    "plain": (INVITATION, b'"sendInvitationMessage": true}'),
    "without a mail": (replace(INVITATION, send_message=False), b'"sendInvitationMessage": false}'),
    "with a language": (
        replace(INVITATION, language="de-DE"),
        b'"invitedUserMessageInfo": {"messageLanguage": "de-DE"}, "sendInvitationMessage": true}',
    ),
    "with a copy to somebody": (
        replace(INVITATION, cc=((None, "boss@contoso.com"),)),
        (
            b'"invitedUserMessageInfo": {"ccRecipients": [{"emailAddress": {"address": "boss@contoso.com"}}]}, '
            b'"sendInvitationMessage": true}'
        ),
    ),
    "with a copy to somebody by name": (
        replace(INVITATION, cc=(("The boss", "boss@contoso.com"),)),
        (
            b'"invitedUserMessageInfo": {"ccRecipients": [{"emailAddress": {"address": "boss@contoso.com", '
            b'"name": "The boss"}}]}, "sendInvitationMessage": true}'
        ),
    ),
    "with sponsors": (
        replace(INVITATION, sponsors=(SPONSOR,)),
        (b'"invitedUserSponsors": [{"id": "0a000000-0000-4000-8000-0000000000aa"}], "sendInvitationMessage": true}'),
    ),
}


@pytest.mark.parametrize("name", PINNED)
async def test_an_invitation_is_sent_as_exactly_the_pinned_json(name: str) -> None:
    invitation, rest = PINNED[name]
    wire = Wire(json_response(ACCEPTED, 201))
    async with graph_over(wire) as graph:
        await graph.invite(invitation, LATER)
    (request,) = wire.sent
    assert (request.method, str(request.url)) == ("POST", f"{GRAPH}/v1.0/invitations")
    assert request.content == FIXED + rest
    assert request.headers["content-type"] == "application/json"


def has_null(value: Any) -> bool:
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is None or any(has_null(member) for member in members)


texts = st.none() | st.text(min_size=1, max_size=30)
invitations = st.builds(
    Invitation,
    user_id=st.uuids().map(str),
    address=st.emails(),
    redirect_url=st.just("https://myapps.microsoft.com"),
    send_message=st.booleans(),
    language=texts,
    cc=st.lists(st.tuples(texts, st.emails()), max_size=1).map(tuple),
    sponsors=st.lists(st.uuids().map(str), max_size=5).map(tuple),
)


@given(invitations)
async def test_every_invitation_has_an_account_and_a_mail_flag_and_no_null(
    invitation: Invitation,
) -> None:
    wire = Wire(json_response({**ACCEPTED, "invitedUser": {"id": invitation.user_id}}, 201))
    async with graph_over(wire) as graph:
        await graph.invite(invitation, LATER)
    (body,) = wire.bodies()
    assert body["invitedUser"]["id"] == invitation.user_id
    assert body["sendInvitationMessage"] is invitation.send_message
    assert not has_null(body)
    assert body.get("invitedUserSponsors", []) == [{"id": sponsor} for sponsor in invitation.sponsors]


async def test_the_redeem_link_of_the_answer_is_not_kept() -> None:
    async with graph_over(Wire(json_response(ACCEPTED, 201))) as graph:
        invited = await graph.invite(INVITATION, LATER)
    assert invited == Invited(str(ACCEPTED["id"]), "PendingAcceptance")


@pytest.mark.parametrize(
    ("shown", "used"), [(None, 0.0), ("0.85", 0.85), ("1.8", 1.8), ("much", 0.0), ("nan", 0.0), ("inf", 0.0)]
)
async def test_the_used_share_of_graphs_limit_is_returned(shown: str | None, used: float) -> None:
    headers = {"x-ms-throttle-limit-percentage": shown} if shown is not None else {}
    async with graph_over(Wire(json_response(ACCEPTED, 201, headers))) as graph:
        assert (await graph.invite(INVITATION, LATER)).limit_used == used


CALL = "0F000000-0000-4000-8000-000000000001"


@pytest.mark.parametrize(("shown", "kept"), [(CALL, CALL.lower()), ("<script>", ""), (None, "")])
async def test_graphs_id_of_the_call_is_returned_and_a_malformed_one_is_dropped(shown: str | None, kept: str) -> None:
    headers = {"request-id": shown} if shown is not None else {}
    async with graph_over(Wire(json_response(ACCEPTED, 201, headers))) as graph:
        assert (await graph.invite(INVITATION, LATER)).request_id == kept
    error = {"error": {"code": "BadRequest", "message": "no"}}
    async with graph_over(Wire(json_response(error, 400, headers))) as graph:
        with pytest.raises(InvitationRefused) as refused:
            await graph.invite(INVITATION, LATER)
    assert refused.value.refusal.request_id == kept


@pytest.mark.parametrize("status", ["PendingAcceptance", "InProgress", "Completed"])
async def test_the_status_of_the_invitation_is_returned(status: str) -> None:
    async with graph_over(Wire(json_response({**ACCEPTED, "status": status}, 201))) as graph:
        assert (await graph.invite(INVITATION, LATER)).status == status


async def test_the_account_id_in_the_answer_may_be_in_upper_case() -> None:
    async with graph_over(Wire(json_response({**ACCEPTED, "invitedUser": {"id": USER.upper()}}, 201))) as graph:
        assert (await graph.invite(INVITATION, LATER)).invitation_id == ACCEPTED["id"]


async def test_two_invitations_do_not_share_a_user() -> None:
    """The SDK's models remember what was sent, so a user object that is used again would be sent without its id."""

    def accept(request: httpx.Request) -> httpx.Response:
        return json_response({**ACCEPTED, "invitedUser": json.loads(request.content)["invitedUser"]}, 201)

    wire = Wire(accept)
    async with graph_over(wire) as graph:
        for user_id in (USER, OTHER, USER):
            await graph.invite(replace(INVITATION, user_id=user_id), LATER)
    assert [body["invitedUser"]["id"] for body in wire.bodies()] == [USER, OTHER, USER]
