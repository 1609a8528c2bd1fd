"""The app that may not convert, the app that is set up wrongly, the app whose tenant is away."""

import httpx
import pytest

from rehearsal.host.process import HostProcess, wait_until
from rehearsal.tenant import running
from tests.host.rig import APP, Rig, environment, request, rig, seed, user_id


@pytest.mark.parametrize("setting", ["assess", None])
def test_in_assess_mode_nothing_but_reads_reaches_graph(storage: str, setting: str | None) -> None:
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


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"B2B_MODE": "both"}, "setting B2B_MODE: expected one of assess, convert, got 'both'"),
        ({"B2B_SWEEP_SCHEDULE": None}, "setting B2B_SWEEP_SCHEDULE: missing"),
    ],
)
def test_a_wrong_setting_is_named_and_messages_wait(storage: str, settings: dict[str, str | None], says: str) -> None:
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
        assert app.row(f"queue-{message}") is None


def test_health_names_what_works_and_what_does_not(storage: str) -> None:
    with running(seed(1)) as tenant:
        env = environment(tenant, storage)
        with HostProcess(app_dir=APP, env=env) as host:
            app = Rig(tenant, storage, host)
            answer = app.call("GET", "/api/health")
            assert (answer.status_code, answer.json()["status"]) == (200, "healthy")
            assert {check["name"]: check["status"] for check in answer.json()["checks"]} == dict.fromkeys(
                ("mode", "profile", "queues", "tables", "identity", "graph"), "ok"
            )
            tenant.control.set_roles([])
            assert app.call("GET", "/api/health").status_code == 200, "the token is kept, and so are its roles"


def test_health_with_graph_down_names_graph(storage: str) -> None:
    with running(seed(1)) as tenant, running(seed(1)) as gone:
        env = environment(tenant, storage, GRAPH_BASE_URL=gone.graph_url)
        with HostProcess(app_dir=APP, env=env) as host:
            app = Rig(tenant, storage, host)
            assert app.call("GET", "/api/health").status_code == 200
            gone.__exit__(None, None, None)
            answer = app.call("GET", "/api/health")
            assert (answer.status_code, answer.json()["status"]) == (503, "unhealthy")
            failed = [check for check in answer.json()["checks"] if check["status"] != "ok"]
            assert [check["name"] for check in failed] == ["graph"]
            assert "Graph: no answer: ConnectError" in failed[0]["detail"]


def test_a_message_that_cannot_be_worked_on_for_lack_of_a_token_waits_without_failing(storage: str) -> None:
    closed = httpx.URL("http://127.0.0.1:9/msi/token")
    with rig(storage, users=1, IDENTITY_ENDPOINT=str(closed)) as app:
        message = app.send(request(0))
        wait_until(lambda: "attempts" in (app.row(f"queue-{message}") or {}) and app.host.idle(), what="one try")
        wait_until(lambda: app.host.invocations()["convert"].succeeded == 1, 30, "a run that parks the message")
        assert app.host.invocations()["convert"].failed == 0
        assert app.waiting() == 1
