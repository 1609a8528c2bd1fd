"""Every route with sign-in on, for forged principals, keys and each role: only callers with a right role pass."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from b2b.api.callers import Role
from b2b.api.route import Route
from b2b.api.routes import ROUTES
from rehearsal.host.process import wait_until
from rehearsal.rig import HostedRig
from rehearsal.storage import Azurite, provision
from tests.host.rig import JSON, request, rig
from tests.support.principal import ANNA, BORIS, application, encoded, person, principal

NAMED = {"requestId": "nobody", "userId": ANNA, "campaignId": "nobody", "member": "nobody", "runId": "nobody"}
PATHS = {route.name: f"/api/{route.path.format(**NAMED)}" for route in ROUTES}
ELSEWHERE = [("GET", "/api/nothing"), ("DELETE", "/api/requests")]
FORGED = {
    "nothing": {},
    "empty": {"x-ms-client-principal": ""},
    "no base64": {"x-ms-client-principal": "let me in"},
    "cut off": {"x-ms-client-principal": person(*Role)["x-ms-client-principal"][:-7]},
    "of another provider": {"x-ms-client-principal": encoded({**principal(*Role), "auth_typ": "github"})},
    "only an id": {"x-ms-client-principal-id": ANNA, "x-ms-client-principal-name": "anna@contoso.com"},
    "only a token": {"authorization": "Bearer eyJhbGciOiJub25lIn0.e30."},
}


Caller = Callable[..., dict[str, str]]


@pytest.fixture(scope="module")
def signing_in(azurite: Azurite) -> Iterator[HostedRig]:
    """Run the app with sign-in on. The tests set the principal's header, as App Service authentication does."""
    storage = azurite.connection_string(azurite.account())
    provision(storage)
    with rig(storage, B2B_SIGN_IN="true") as running:
        yield running


def call(
    running: HostedRig, method: str, path: str, headers: dict[str, str], body: JSON | None = None
) -> httpx.Response:
    return httpx.request(
        method, running.host.base + path, headers=headers, json=body or {}, timeout=60, trust_env=False
    )


def until(running: HostedRig, request_id: str, stage: str) -> None:
    def reached() -> bool:
        told = call(running, "GET", f"/api/requests/{request_id}", person("Read"))
        return bool(told.json()["stage"] == stage)

    wait_until(reached, 30, f"{request_id} {stage}")


@pytest.mark.parametrize("forged", FORGED)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_with_sign_in_a_caller_without_a_valid_principal_gets_401(
    signing_in: HostedRig, route: Route, forged: str
) -> None:
    answer = call(signing_in, route.method, PATHS[route.name], FORGED[forged])
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "NotSignedIn")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_with_sign_in_a_function_key_opens_nothing(signing_in: HostedRig, route: Route) -> None:
    for key in (signing_in.host.function_key, signing_in.host.master_key):
        answer = call(signing_in, route.method, PATHS[route.name], {"x-functions-key": key})
        assert answer.status_code == 401


@pytest.mark.parametrize("caller", [person, application])
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_a_role_opens_exactly_the_routes_that_list_it(
    signing_in: HostedRig, route: Route, role: Role, caller: Caller
) -> None:
    """With a right role any answer but 403 for the role is fine."""
    answer = call(signing_in, route.method, PATHS[route.name], caller(role.value))
    code = answer.headers.get("x-ms-error-code")
    assert answer.status_code != 401
    assert (code == "RoleMissing") is (role not in route.roles)
    assert (answer.status_code == 403) is (code in {"RoleMissing", "PersonRequired"})


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_a_caller_without_a_role_gets_403_on_every_route(signing_in: HostedRig, route: Route) -> None:
    answer = call(signing_in, route.method, PATHS[route.name], person("Owner"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "RoleMissing")


@pytest.mark.parametrize(("method", "path"), ELSEWHERE)
def test_an_unknown_route_is_reported_to_signed_in_callers_only(signing_in: HostedRig, method: str, path: str) -> None:
    assert call(signing_in, method, path, {}).status_code == 401
    assert call(signing_in, method, path, person("Read")).status_code in {404, 405}


def test_an_application_submits_and_a_person_releases(signing_in: HostedRig) -> None:
    """A managed identity submits a dry run and cannot release it; a person can."""
    body = request(5, requestId="by-flow", dryRun=True)
    assert call(signing_in, "POST", "/api/requests", application("Request"), body).status_code == 202
    until(signing_in, "by-flow", "assessed")
    refused = call(signing_in, "POST", "/api/requests/by-flow/release", application("Decide"))
    assert refused.json()["error"]["code"] == "PersonRequired"
    released = call(signing_in, "POST", "/api/requests/by-flow/release", person("Decide", object_id=BORIS))
    assert released.status_code == 202
    until(signing_in, "by-flow", "invited")
