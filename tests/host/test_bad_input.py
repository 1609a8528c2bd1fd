"""Bad input through the real host: refused by name over HTTP, recorded from the queue, and never lost."""

import base64
import hashlib
import json
from collections.abc import Iterator

import httpx
import pytest

from b2b.api.routes import ROUTES as TABLE
from rehearsal.host.process import wait_until
from rehearsal.rig import HostedRig
from tests.host.rig import mails, request

NAMED = {"requestId": "any", "userId": "any", "campaignId": "any", "member": "any", "runId": "any"}
ROUTES = [
    *((route.method, f"/api/{route.path.format(**NAMED)}") for route in TABLE),
    *(("OPTIONS", f"/api/{route.path.format(**NAMED)}") for route in TABLE if route.options),
]
ELSEWHERE = [("GET", "/api/nothing"), ("PUT", "/api/requests"), ("HEAD", "/api/health"), ("OPTIONS", "/api/health")]


@pytest.mark.parametrize(("method", "path"), [*ROUTES, *ELSEWHERE])
def test_no_route_answers_without_a_key(converting: HostedRig, method: str, path: str) -> None:
    for key in (None, "wrong"):
        answer = converting.call(method, path, key=key)
        assert (answer.status_code, answer.content) == (401, b"")


def test_the_list_of_routes_is_complete_and_every_trigger_needs_a_key(converting: HostedRig) -> None:
    functions = converting.call("GET", "/admin/functions", key=converting.host.master_key).json()
    triggers = [binding for each in functions for binding in each["config"]["bindings"] if "route" in binding]
    known = [binding for binding in triggers if binding["route"] != "{*rest}"]
    assert sum(len(binding["methods"]) for binding in known) == len(ROUTES)
    assert {binding["authLevel"].lower() for binding in triggers} == {"function"}


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_an_unknown_query_parameter_is_refused_by_name(converting: HostedRig, method: str, path: str) -> None:
    """Other interfaces have `?dryRun=true`. If the app ignored it, it would convert."""
    answer = converting.call(method, f"{path}?dryRun=true", content=json.dumps(request(10)).encode())
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["target"]) == (400, "UnknownParameter", "dryRun")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/requests", "GET, OPTIONS, POST"),
        ("GET", "/api/assessments", "POST"),
        ("DELETE", "/api/requests/any", "GET"),
        ("OPTIONS", "/api/requests/any/approve", "POST"),
        ("POST", "/api/Health/", "GET"),
    ],
)
def test_a_known_path_with_another_method_gets_405_and_its_methods(
    converting: HostedRig, method: str, path: str, allowed: str
) -> None:
    answer = converting.call(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert answer.json()["error"]["code"] == answer.headers["x-ms-error-code"] == "MethodNotAllowed"


@pytest.mark.parametrize("path", ["/api/nothing", "/api/requests/any/burn", "/api/requests/a/b/c", "/api/", "/api"])
def test_an_unknown_path_gets_404_with_a_body(converting: HostedRig, path: str) -> None:
    answer = converting.call("GET", path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "RouteNotFound")


def test_all_faults_of_a_body_are_reported_at_once(converting: HostedRig) -> None:
    body = {"invitedUser": {"upn": "anna", "userPrincipalName": 5}, "requestId": "a b", "color": 1}
    answer = converting.call("POST", "/api/requests", json=body)
    error = answer.json()["error"]
    assert answer.status_code == 400
    assert (error["code"], error["target"]) == ("UnknownField", "invitedUser.upn")
    assert [(fault["code"], fault["target"]) for fault in error["details"]] == [
        ("UnknownField", "invitedUser.upn"),
        ("WrongType", "invitedUser.userPrincipalName"),
        ("UnknownField", "color"),
        ("InvalidValue", "requestId"),
    ]


def test_invisible_characters_are_named_by_code_point_and_not_repeated(converting: HostedRig) -> None:
    """A copied name may contain a zero-width space. Nobody would see it in an answer that repeats it unchanged."""
    body = json.dumps({"invited\u200bUser": {}, "a\nb": 1, "c" * 5000: 1})
    answer = converting.call("POST", "/api/requests", content=body.encode())
    error = answer.json()["error"]
    assert error["target"] == "invited<U+200B>User"
    assert error["details"][1]["target"] == "a<U+000A>b"
    assert "\u200b" not in answer.text
    assert "\\u200b" not in answer.text
    assert len(answer.text) < 5000


def test_without_sign_in_a_forged_principal_is_ignored(converting: HostedRig) -> None:
    """A forged principal does not open a route without a valid key."""
    forged = base64.b64encode(b'{"auth_typ": "aad", "claims": []}').decode()
    headers = {"x-ms-client-principal": forged, "x-functions-key": "wrong"}
    refused = httpx.get(f"{converting.host.base}/api/health", headers=headers, trust_env=False)
    assert refused.status_code == 401
    headers["x-functions-key"] = converting.host.function_key
    assert httpx.get(f"{converting.host.base}/api/health", headers=headers, trust_env=False).status_code == 200


def test_the_key_in_the_url_is_not_refused_as_a_query_parameter(converting: HostedRig) -> None:
    answer = converting.call("GET", f"/api/health?code={converting.host.master_key}", key=None)
    assert answer.status_code == 200
    assert converting.host.master_key not in answer.text


def test_a_chunked_body_is_refused_as_empty_with_the_reason(converting: HostedRig) -> None:
    def chunks() -> Iterator[bytes]:
        yield json.dumps(request(10)).encode()

    answer = converting.call("POST", "/api/requests", content=chunks())
    assert answer.status_code == 400
    assert answer.headers["x-ms-error-code"] == answer.json()["error"]["code"] == "EmptyBody"
    assert "Content-Length" in answer.json()["error"]["message"]


@pytest.mark.parametrize("route", ["requests", "assessments"])
def test_a_body_of_49_kib_gets_413(converting: HostedRig, route: str) -> None:
    body = json.dumps(request(10, invitedUserMessageInfo={"customizedMessageBody": "x" * 49 * 1024}))
    answer = converting.call("POST", f"/api/{route}", content=body.encode())
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "RequestTooLarge")


@pytest.mark.parametrize(
    ("body", "code", "target"),
    [
        (b"{", "NotJson", None),
        (b'{"invitedUser": {"id": 5}}', "WrongType", "invitedUser.id"),
        (b'{"invitedUser": {"id": "0a000000-0000-4000-8000-000000000010"}, "color": 1}', "UnknownField", "color"),
        (b"{}", "MissingField", "invitedUser"),
    ],
)
def test_a_malformed_body_is_refused_by_name(converting: HostedRig, body: bytes, code: str, target: str | None) -> None:
    answer = converting.call("POST", "/api/requests", content=body)
    assert answer.status_code == 400
    assert (answer.json()["error"]["code"], answer.json()["error"]["target"]) == (code, target)


def test_a_request_id_with_another_body_gets_409(converting: HostedRig) -> None:
    assert converting.submit(request(11, requestId="taken")).status_code == 202
    answer = converting.submit(request(12, requestId="taken"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "RequestIdInUse")
    assert converting.submit(request(11, requestId="taken")).status_code == 202
    assert converting.settled("taken") == ["invited"]
    assert mails(converting, 12) == []


def test_a_malformed_message_is_recorded_at_once_and_never_retried(converting: HostedRig) -> None:
    before = converting.host.invocations()["convert"].failed
    message = converting.send('{"invitedUser": {"id": "not an id"}, "requestId": "malformed"}')
    assert message
    assert converting.settled("malformed") == ["rejected"]
    row = converting.request_row("malformed")
    assert row is not None
    assert (row["errorCode"], row["errorTarget"]) == ("InvalidValue", "invitedUser.id")
    assert converting.host.invocations()["convert"].failed == before
    assert converting.waiting("conversion-requests-poison") == 0


def test_a_body_that_the_host_cannot_pass_to_the_app_is_recorded_by_the_sweep(converting: HostedRig) -> None:
    body = json.dumps({"dequeueCount": "many", **request(13)})
    converting.send(body)
    wait_until(lambda: converting.waiting("conversion-requests-poison") == 1, what="the message in the poison queue")
    assert converting.host.run_function("sweep")
    assert converting.waiting("conversion-requests-poison") == 0
    row = converting.request_row(f"body-{hashlib.sha256(body.encode()).hexdigest()[:48]}")
    assert row is not None
    assert (row["stage"], row["errorCode"], row["errorTarget"]) == ("rejected", "UnknownField", "dequeueCount")
    assert mails(converting, 13) == []


@pytest.mark.parametrize("character", ["x", "ü"])
def test_the_largest_message_is_processed(converting: HostedRig, character: str) -> None:
    number = 14 if character == "x" else 15
    text = character * (46_000 // len(character.encode()))
    fields = {"requestId": f"large-{number}", "invitedUserMessageInfo": {"customizedMessageBody": text}}
    converting.send(json.dumps(request(number, **fields), ensure_ascii=False))
    assert converting.settled(f"large-{number}", seconds=10) == ["invited"]
