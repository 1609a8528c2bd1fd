"""Faults over a socket, as the unmodified msgraph-sdk and plain httpx see them."""

import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest
from azure.core.credentials import AccessToken
from kiota_abstractions.api_error import APIError
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from kiota_http.middleware.options import RetryHandlerOption
from msgraph.generated.models.invitation import Invitation
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.user import User
from msgraph.graph_request_adapter import GraphRequestAdapter, options
from msgraph.graph_service_client import GraphServiceClient
from msgraph_core import GraphClientFactory

from rehearsal.tenant import RunningTenant, running
from tests.rehearsal.tenant_support import ANNA, GRAPH, SEED

INVITATIONS = {"method": "POST", "path": "/invitations$"}
PATIENCE = 10.0


class Credential:
    """A credential with one token from a tenant's identity endpoint."""

    def __init__(self, tenant: RunningTenant) -> None:
        params = {"api-version": "2019-08-01", "resource": GRAPH}
        headers = {"X-IDENTITY-HEADER": tenant.identity_env["IDENTITY_HEADER"]}
        address = tenant.identity_env["IDENTITY_ENDPOINT"]
        issued = httpx.get(address, params=params, headers=headers, trust_env=False).json()
        self.token = AccessToken(issued["access_token"], int(issued["expires_on"]))

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return self.token

    def close(self) -> None:
        """Do nothing, because nothing is open."""


@pytest.fixture
def tenant() -> Iterator[RunningTenant]:
    with running(SEED) as served:
        yield served


@pytest.fixture
def http(tenant: RunningTenant) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {Credential(tenant).token.token}"}
    with httpx.Client(base_url=tenant.graph_url, headers=headers, trust_env=False) as client:
        yield client


@pytest.fixture
async def graph(tenant: RunningTenant) -> AsyncIterator[GraphServiceClient]:
    provider = AzureIdentityAuthenticationProvider(
        Credential(tenant), scopes=[f"{GRAPH}/.default"], allowed_hosts=["127.0.0.1"]
    )
    quick = {RetryHandlerOption.get_key(): RetryHandlerOption(delay=0.01)}
    async with httpx.AsyncHTTPTransport() as wire:
        client = GraphClientFactory.create_with_default_middleware(
            client=httpx.AsyncClient(transport=wire), options={**options, **quick}
        )
        adapter = GraphRequestAdapter(provider, client=client)
        adapter.base_url = tenant.graph_url
        yield GraphServiceClient(request_adapter=adapter)


def invitation() -> dict[str, Any]:
    return {
        "invitedUserEmailAddress": "anna@fabrikam.com",
        "inviteRedirectUrl": "https://myapps.microsoft.com",
        "invitedUser": {"id": ANNA},
        "sendInvitationMessage": True,
    }


def sdk_invitation() -> Invitation:
    return Invitation(
        invited_user_email_address="anna@fabrikam.com",
        invite_redirect_url="https://myapps.microsoft.com",
        invited_user=User(id=ANNA),
        send_invitation_message=True,
    )


def becomes_true(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return True
    return False


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_connection_gives_no_answer_and_the_next_call_is_served(
    tenant: RunningTenant, http: httpx.Client, when: str
) -> None:
    assert http.get(f"users/{ANNA}").status_code == 200
    tenant.control.set_faults([{"kind": "reset", "when": when, **INVITATIONS}])
    with pytest.raises(httpx.RemoteProtocolError):
        http.post("invitations", json=invitation())
    assert len(tenant.control.mails()) == (when == "after")
    assert [entry["status"] for entry in tenant.control.journal(after=1)] == [None]
    assert http.get(f"users/{ANNA}").status_code == 200
    assert tenant.control.faults()[0]["fired"] == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_client_timeout_does_not_undo_a_slow_invitation(tenant: RunningTenant, http: httpx.Client, when: str) -> None:
    tenant.control.set_faults([{"kind": "slow", "when": when, "seconds": 1, **INVITATIONS}])
    with pytest.raises(httpx.ReadTimeout):
        http.post("invitations", json=invitation(), timeout=0.3)
    assert tenant.control.journal()[0]["status"] is None
    assert len(tenant.control.mails()) == (when == "after"), "before: the effect happens after the client has left"
    assert becomes_true(lambda: len(tenant.control.mails()) == 1)
    assert becomes_true(lambda: tenant.control.journal()[-1]["status"] == 201)


def test_a_slow_answer_does_not_delay_other_calls(tenant: RunningTenant, http: httpx.Client) -> None:
    tenant.control.set_faults([{"kind": "slow", "seconds": 2, "path": "/domains"}])
    with pytest.raises(httpx.ReadTimeout):
        http.get("domains", timeout=0.3)
    assert http.get(f"users/{ANNA}").status_code == 200
    assert [entry["status"] for entry in tenant.control.journal()] == [None, 200]


@pytest.mark.parametrize("path", ["/v1.0/invitations", "/_sim/faults"])
def test_a_half_sent_call_is_neither_served_nor_logged_as_an_error(
    path: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with running(SEED) as tenant:
        with socket.create_connection(("127.0.0.1", tenant.port)) as caller:
            caller.sendall(f"POST {path} HTTP/1.1\r\nHost: t\r\nContent-Length: 99\r\n\r\n{{".encode())
            assert tenant.control.journal() == [], "served after the headers of the other call were read"
        assert tenant.control.journal() == [], "a call that did not come in whole was not made"
    assert capfd.readouterr().err == ""


def test_the_control_plane_turns_on_all_kinds_of_trouble(tenant: RunningTenant, http: httpx.Client) -> None:
    tenant.control.set_seed(5)
    tenant.control.set_chaos(1.0, kinds=["503-json"], path="/domains")
    assert http.get("domains").status_code == 503
    assert tenant.control.chaos()["thrown"] == {"503-json": 1}
    tenant.control.set_chaos(0.0)
    tenant.control.freeze()
    tenant.control.set_lag(10, 20)
    tenant.control.set_throttling(factor=0.01, tier="M")
    assert http.post("invitations", json=invitation()).status_code == 201
    assert http.get(f"users/{ANNA}?$select=externalUserState").json()["externalUserState"] is None
    assert tenant.control.throttling()["used"]["invitations"] == 1
    assert http.post("invitations", json=invitation()).status_code == 429
    tenant.control.forgive()
    tenant.control.set_throttling(on=False)
    tenant.control.advance(20)
    assert http.post("invitations", json=invitation()).status_code == 201
    assert http.get(f"users/{ANNA}?$select=externalUserState").json()["externalUserState"] == "PendingAcceptance"
    tenant.control.freeze(frozen=False)
    assert tenant.control.violations() == []


async def test_the_sdk_waits_until_a_date_in_retry_after_and_is_served(
    tenant: RunningTenant, graph: GraphServiceClient
) -> None:
    tenant.control.set_faults([{"kind": "429-date", "seconds": 1, "nth": 1}])
    user = await graph.users.by_user_id(ANNA).get()
    assert user is not None
    assert user.id == ANNA
    assert [entry["status"] for entry in tenant.control.journal()] == [429, 200]
    assert tenant.control.violations() == []


async def test_the_sdks_own_retry_invites_twice_if_a_504_hides_the_effect(
    tenant: RunningTenant, graph: GraphServiceClient
) -> None:
    tenant.control.set_faults([{"kind": "504-json", "when": "after", "nth": 1, **INVITATIONS}])
    assert await graph.invitations.post(sdk_invitation()) is not None
    assert [entry["status"] for entry in tenant.control.journal()] == [504, 201]
    assert len(tenant.control.mails()) == 2


async def test_the_sdk_parses_the_errors_of_faults(tenant: RunningTenant, graph: GraphServiceClient) -> None:
    kinds = ["500-json", "409", "401", "500-html", "500-empty"]
    tenant.control.set_faults([{"kind": kind, "nth": number} for number, kind in enumerate(kinds, 1)])
    codes = []
    for _ in range(3):
        with pytest.raises(ODataError) as typed:
            await graph.invitations.post(sdk_invitation())
        codes.append((typed.value.response_status_code, typed.value.error and typed.value.error.code))
    for _ in range(2):
        with pytest.raises(APIError) as bare:
            await graph.invitations.post(sdk_invitation())
        codes.append((bare.value.response_status_code, None))
    assert codes == [
        (500, "InternalServerError"),
        (409, "Directory_ConcurrencyViolation"),
        (401, "InvalidAuthenticationToken"),
        (500, None),
        (500, None),
    ]
    assert tenant.control.mails() == []


async def test_the_sdk_raises_a_transport_error_for_a_lost_connection(
    tenant: RunningTenant, graph: GraphServiceClient
) -> None:
    tenant.control.set_faults([{"kind": "reset", "when": "after", "nth": 1, **INVITATIONS}])
    with pytest.raises(httpx.TransportError):
        await graph.invitations.post(sdk_invitation())
    assert len(tenant.control.mails()) == 1
    assert len(tenant.control.journal()) == 1
