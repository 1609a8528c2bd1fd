"""Requests by queue and HTTP through the real host until they end."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor

from rehearsal.host.process import wait_until
from rehearsal.rig import HostedRig
from tests.host.rig import TENANT_ID, address, mails, request, user_id


def test_raw_base64_and_cloudevent_messages_end_as_invited(converting: HostedRig) -> None:
    raw = converting.send(request(0))
    encoded = converting.send(base64.b64encode(json.dumps(request(1, requestId="by-base64")).encode()).decode())
    event = {"specversion": "1.0", "id": "17", "source": "/sap", "type": "com.contoso.partner", "data": request(2)}
    converting.send(event)
    assert converting.settled(f"queue-{raw}", "by-base64") == ["invited", "invited"]
    assert encoded
    wait_until(lambda: mails(converting, 2), what="the invitation of the CloudEvent")
    assert [len(mails(converting, number)) for number in range(3)] == [1, 1, 1]
    assert mails(converting, 0)[0]["address"] == address(0)


def test_a_request_by_http_can_be_followed_until_it_completes(converting: HostedRig) -> None:
    answer = converting.submit(request(3, requestId="by-http"))
    base = converting.host.base
    assert answer.status_code == 202
    assert answer.json() == {"requestId": "by-http", "stage": "requested", "mode": "convert", "dryRun": False}
    assert answer.headers["Location"] == f"{base}/api/requests/by-http"
    assert answer.headers["Operation-Location"] == f"{base}/api/operations/by-http"
    assert int(answer.headers["Retry-After"]) > 0

    location, operation = (answer.headers[name].removeprefix(base) for name in ("Location", "Operation-Location"))
    wait_until(lambda: converting.call("GET", location).status_code == 200, what="an answer other than 202")
    status = converting.call("GET", location).json()
    assert (status["stage"], status["userId"], status["verdict"]) == ("invited", user_id(3), "ready")
    assert status["links"]["signIn"] == f"https://myapps.microsoft.com?tenantId={TENANT_ID}"
    assert "redeem" not in json.dumps(status)
    assert converting.call("GET", operation).json()["status"] == "Running"

    converting.tenant.control.redeem(user_id(3))
    assert converting.host.run_function("sweep")
    assert converting.stage("by-http") == "completed"
    done = converting.call("GET", operation)
    assert done.json()["status"] == "Succeeded"
    assert "Retry-After" not in done.headers
    assert converting.tenant.control.user(user_id(3))["userPrincipalName"] == "partner3@contoso.com"


def test_simultaneous_requests_for_one_account_make_one_invitation(converting: HostedRig) -> None:
    with ThreadPoolExecutor() as pool:
        by_http = [pool.submit(converting.submit, request(4, requestId=f"twin-{number}")) for number in range(3)]
        by_queue = pool.submit(converting.send, request(4, requestId="twin-queue"))
        assert [each.result().status_code for each in by_http] == [202, 202, 202]
        by_queue.result()
    ids = ["twin-0", "twin-1", "twin-2", "twin-queue"]
    assert set(converting.settled(*ids)) == {"invited"}
    assert {converting.status(each)["userId"] for each in ids} == {user_id(4)}
    assert len(mails(converting, 4)) == 1


def test_a_dry_run_ends_as_assessed_and_invites_nobody(converting: HostedRig) -> None:
    assert converting.submit(request(5, requestId="dry", dryRun=True)).json()["dryRun"] is True
    assert converting.settled("dry") == ["assessed"]
    assert converting.status("dry")["verdict"] == "ready"
    assert mails(converting, 5) == []


def test_a_released_dry_run_is_invited_and_no_longer_a_dry_run(converting: HostedRig) -> None:
    converting.submit(request(7, requestId="released", dryRun=True))
    assert converting.settled("released") == ["assessed"]
    answer = converting.call("POST", "/api/requests/released/release")
    assert (answer.status_code, answer.json()["dryRun"]) == (202, False)
    assert converting.settled("released") == ["invited"]
    assert converting.status("released")["dryRun"] is False
    assert len(mails(converting, 7)) == 1


def test_an_assessment_gives_the_verdict_and_the_findings(converting: HostedRig) -> None:
    ready = converting.call("POST", "/api/assessments", json=request(6)).json()
    assert (ready["userId"], ready["verdict"]) == (user_id(6), "ready")
    refused = converting.call(
        "POST", "/api/assessments", json=request(6, invitedUserEmailAddress="somebody@contoso.com")
    ).json()
    assert refused["verdict"] == "blocked"
    assert "own-verified-domain" in [finding["rule"] for finding in refused["findings"]]
    assert all({"rule", "severity", "message", "fix", "source"} <= finding.keys() for finding in refused["findings"])


def test_an_unknown_request_id_gets_404(converting: HostedRig) -> None:
    for route in ("requests", "operations"):
        answer = converting.call("GET", f"/api/{route}/nobody-asked")
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == answer.headers["x-ms-error-code"] == "RequestNotFound"


def test_a_webhook_subscription_is_validated_and_its_event_is_invited(converting: HostedRig) -> None:
    """The test calls as Event Grid does: with the key in the URL, first OPTIONS, then a single event."""
    address = f"/api/requests?code={converting.host.function_key}"
    asked = {"WebHook-Request-Origin": "eventgrid.azure.net", "WebHook-Request-Rate": "120"}
    permitted = converting.call("OPTIONS", address, key=None, headers=asked)
    assert permitted.status_code == 200
    assert permitted.headers["webhook-allowed-origin"] == "eventgrid.azure.net"
    event = {"specversion": "1.0", "id": "1", "source": "/hr", "type": "com.contoso.left", "data": request(8)}
    sent = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
    answer = converting.call("POST", address, key=None, content=json.dumps(event).encode(), headers=sent)
    assert answer.status_code == 202
    assert converting.settled(answer.json()["requestId"]) == ["invited"]
