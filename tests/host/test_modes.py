"""The app in assess mode, paused, with an invalid setting, and without Graph or an identity."""

from contextlib import ExitStack

import pytest

from rehearsal.host.process import wait_until
from rehearsal.tenant import running
from tests.host.rig import request, rig, seed, started, user_id


@pytest.mark.parametrize("setting", ["assess", None])
def test_in_assess_mode_the_app_only_reads_from_graph(storage: str, setting: str | None) -> None:
    with rig(storage, users=6, B2B_MODE=setting) as app:
        bodies = [request(0), request(1, dryRun=False), request(2, dryRun=True, sendInvitationMessage=True)]
        for body in bodies:
            answer = app.submit(body)
            assert answer.status_code == 202
            assert (answer.json()["mode"], answer.json()["dryRun"]) == ("assess", True)
        by_queue = [app.send(body) for body in bodies]
        assert app.call("POST", "/api/assessments", json=request(3)).json()["verdict"] == "ready"
        assert set(app.settled(*(f"queue-{message}" for message in by_queue))) == {"assessed"}
        assert app.host.run_function("sweep")
        wait_until(lambda: app.waiting() == 0, what="the end of the queue")
        assert app.posts() == []
        assert app.tenant.control.mails() == []
        assert app.tenant.control.violations() == []
        assert app.tenant.control.user(user_id(0))["externalUserState"] is None
        health = {check["name"]: check["detail"] for check in app.call("GET", "/api/health").json()["checks"]}
        assert health["mode"] == "assess"


def test_while_the_app_is_paused_a_request_shows_it_and_can_be_cancelled(storage: str) -> None:
    with rig(storage, users=1, B2B_PAUSED="true") as app:
        assert app.submit(request(0, requestId="paused")).status_code == 202
        wait_until(lambda: app.status("paused").get("waiting") is not None, what="the wait of the request")
        status = app.status("paused")
        assert (status["stage"], status["waiting"]["reason"], status["lastError"]) == ("requested", "paused", None)
        assert app.call("POST", "/api/requests/paused/cancel").status_code == 202
        assert app.stage("paused") == "cancelled"
        assert app.tenant.control.mails() == []


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"B2B_MODE": "both"}, "setting B2B_MODE: expected one of assess, convert, got 'both'"),
        ({"B2B_SWEEP_SCHEDULE": None}, "setting B2B_SWEEP_SCHEDULE: missing"),
    ],
)
def test_an_invalid_setting_is_reported_and_messages_wait(
    storage: str, settings: dict[str, str | None], says: str
) -> None:
    with rig(storage, users=1, **settings) as app:
        assert len([line for line in app.host.log().splitlines() if says in line]) == 1
        message = app.send(request(0))
        answer = app.call("GET", "/api/health")
        assert answer.status_code == 503
        assert [check["detail"][: len(says)] for check in answer.json()["checks"]] == [says]
        assert app.host.invocations().keys() == {"health"}
        assert app.submit(request(0)).status_code == 404
        assert app.waiting() == 1
        assert app.waiting("conversion-requests-poison") == 0
        assert app.request_row(f"queue-{message}") is None


HEALTHY = ("mode", "profile", "queues", "tables", "identity", "graph", "inviting", "sweep", "graphRoles", "waiting")


def test_health_reports_every_check_as_ok(storage: str) -> None:
    with rig(storage, users=1) as app:
        answer = app.call("GET", "/api/health")
        assert (answer.status_code, answer.json()["status"]) == (200, "healthy")
        assert {check["name"]: check["status"] for check in answer.json()["checks"]} == dict.fromkeys(HEALTHY, "ok")


def test_health_with_graph_down_reports_graph(storage: str) -> None:
    with running(seed(1)) as tenant, ExitStack() as graph:
        settings = {"GRAPH_BASE_URL": graph.enter_context(running(seed(1))).graph_url}
        with started(tenant, storage, settings) as app:
            assert app.call("GET", "/api/health").status_code == 200
            graph.close()
            answer = app.call("GET", "/api/health")
            assert (answer.status_code, answer.json()["status"]) == (503, "unhealthy")
            failed = [check for check in answer.json()["checks"] if check["status"] != "ok"]
            assert [check["name"] for check in failed] == ["graph"]
            assert "Graph: no answer: ConnectError" in failed[0]["detail"]


def test_without_a_token_a_message_waits_instead_of_failing(storage: str) -> None:
    """Otherwise five failures in a row would move the message to poison while the identity endpoint restarts."""
    with rig(storage, users=1, IDENTITY_ENDPOINT="http://127.0.0.1:9/msi/token") as app:
        message = app.send(request(0))
        wait_until(lambda: app.host.invocations()["convert"].started and app.host.idle(), what="the end of one try")
        counts = app.host.invocations()["convert"]
        assert (counts.succeeded, counts.failed) == (1, 0)
        status = app.status(f"queue-{message}")
        assert (status["stage"], status["waiting"]["reason"]) == ("requested", "service-unavailable")
        assert "identity: no token" in status["lastError"]
        assert app.waiting() == 1
