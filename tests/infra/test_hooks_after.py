"""azd's hooks after provisioning and deployment, with a stand-in for az and a real HTTP server."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infra.hooks.after import GRANTED_BY, OUTPUTS, postdeploy, postprovision
from infra.hooks.errors import HookError
from infra.hooks.tools import Tools
from tests.infra.bicep import INFRA, kept
from tests.infra.standins import StandIns
from tests.infra.test_graph_permissions import ROWS

IDENTITY = "33333333-0000-4000-8000-000000000001"
SUBSCRIPTION = "11111111-0000-4000-8000-000000000001"
KEY = "bm90LWEtcmVhbC1rZXk="
KEYS = ("az", "functionapp", "keys", "list", "--resource-group", "rg-b2b", "--name", "func-b2b-abc", "--subscription")
NAME = "grant-graph-permissions"
OVERRIDES = '{"domain-not-allowed": "off"}'
REPORT = {
    "status": "unhealthy",
    "checks": [
        {"name": "mode", "status": "ok", "detail": "assess"},
        {"name": "queues", "status": "ok", "detail": ""},
        {"name": "graphRoles", "status": "failed", "detail": "missing User.Read.All"},
    ],
}
Answers = list[tuple[int, str]]


@pytest.fixture
def programs(tmp_path: Path) -> StandIns:
    made = StandIns(tmp_path / "bin")
    made.program("az")
    keys = {"functionKeys": {"default": KEY}, "masterKey": "master", "systemKeys": {}}
    made.expect(*KEYS, SUBSCRIPTION, "--output", "json", says=keys)
    return made


@pytest.fixture
def serve() -> Iterator[Callable[[Answers], str]]:
    """Return a function that starts an app with these answers in order. The last answer is repeated."""
    servers = []

    def start(answers: Answers) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                known = self.path == "/api/health" and self.headers["x-functions-key"] == KEY
                status, text = (answers.pop(0) if len(answers) > 1 else answers[0]) if known else (401, "")
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/api"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def tools(programs: StandIns, **changes: str) -> Tools:
    environment = {
        "PATH": programs.path("/usr/bin", "/bin"),
        "HOME": str(programs.folder),
        "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
        "AZURE_RESOURCE_GROUP": "rg-b2b",
        "AZURE_FUNCTION_APP_NAME": "func-b2b-abc",
        "AZURE_API_URL": "https://func-b2b-abc.azurewebsites.net/api",
        "AZURE_REQUEST_QUEUE_URL": "https://stworkabc.queue.core.windows.net/conversion-requests",
        "AZURE_WORK_STORAGE_NAME": "stworkabc",
        "AZURE_IDENTITY_PRINCIPAL_ID": IDENTITY,
        **changes,
    }
    return Tools(environment)


def test_every_output_of_the_template_is_printed(programs: StandIns) -> None:
    lines = list(postprovision(tools(programs)))
    assert set(OUTPUTS) == set(kept("defaults").outputs)
    told = "\n".join(lines)
    assert all(tools(programs).environment[name] in told for name in OUTPUTS)


def test_the_grant_commands_are_printed_for_both_shells_with_the_apps_settings(programs: StandIns) -> None:
    settings = {"B2B_MODE": "assess", "B2B_ELIGIBILITY_PROFILE": "2020", "B2B_RULE_OVERRIDES": OVERRIDES}
    lines = list(postprovision(tools(programs, **settings)))
    assert lines[-3:] == [
        "a Privileged Role Administrator grants the Graph permissions, by one of the two:",
        f"  infra/{NAME}.sh --identity {IDENTITY} --mode assess --profile 2020 --overrides '{OVERRIDES}'",
        f"  pwsh infra/{NAME}.ps1 -Identity {IDENTITY} -Mode 'assess' -Profile '2020' -Overrides '{OVERRIDES}'",
    ]
    assert programs.calls == []


def test_both_grant_scripts_have_the_printed_options() -> None:
    bash = (INFRA / "grant-graph-permissions.sh").read_text("utf-8")
    powershell = (INFRA / "grant-graph-permissions.ps1").read_text("utf-8")
    for long, short in GRANTED_BY.values():
        assert f"\n  {long} " in bash
        assert f"[string]${short[1:]} " in powershell or f"[string]${short[1:]}," in powershell


# The stand-in `az` answers the Bash script, which the hook runs everywhere but on Windows. There it runs the PowerShell
# script, and test_grant_script.py runs that one on every system that has PowerShell, so nothing is lost by the skip.
@pytest.mark.skipif(
    os.name == "nt", reason="on Windows the hook runs the PowerShell script, which test_grant_script.py covers"
)
def test_the_grant_runs_on_request_and_its_output_is_shown(
    programs: StandIns, capfd: pytest.CaptureFixture[str]
) -> None:
    graph = "https://graph.microsoft.com/v1.0"
    roles = [
        {"id": row["id"] or IDENTITY, "value": value, "allowedMemberTypes": ["Application"]}
        for value, row in ROWS.items()
    ]
    app_id = json.loads((INFRA / "graph-permissions.json").read_text("utf-8"))["graphAppId"]
    service = f"{graph}/servicePrincipals(appId='{app_id}')?$select=id,appRoles"
    programs.expect("az", "rest", "--method", "get", "--url", service, says={"id": "graph", "appRoles": roles})
    held = [{"id": "1", "appRoleId": role["id"], "resourceId": "graph"} for role in roles]
    assignments = f"{graph}/servicePrincipals/{IDENTITY}/appRoleAssignments"
    programs.expect("az", "rest", "--method", "get", "--url", assignments, says={"value": held})
    lines = list(postprovision(tools(programs, DEPLOY_GRANT_GRAPH="true", B2B_MODE="convert")))
    assert lines[-1] == "granting the Graph permissions (DEPLOY_GRANT_GRAPH)"
    assert "has      User.Invite.All" in capfd.readouterr().out


def test_a_failed_grant_does_not_stop_the_deployment(programs: StandIns, capfd: pytest.CaptureFixture[str]) -> None:
    lines = list(postprovision(tools(programs, DEPLOY_GRANT_GRAPH="true")))
    assert "they are not all granted: see above" in lines
    assert lines[-1].startswith("  pwsh infra/grant-graph-permissions.ps1")
    assert "nobody expected" in capfd.readouterr().err


def test_a_deployment_without_an_identity_output_is_an_error(programs: StandIns) -> None:
    with pytest.raises(HookError, match="did not tell AZURE_IDENTITY_PRINCIPAL_ID"):
        list(postprovision(tools(programs, AZURE_IDENTITY_PRINCIPAL_ID="")))


def test_the_hook_polls_health_until_the_app_reports_and_prints_it(
    programs: StandIns, serve: Callable[[Answers], str]
) -> None:
    starting = [(503, ""), (404, "<html>Not found</html>"), (502, "[1]"), (200, '{"ready": true}')]
    answers = [*starting, (503, json.dumps(REPORT))]
    url = serve(answers)
    lines = list(postdeploy(tools(programs, AZURE_API_URL=url), pause=0.01))
    assert lines[:4] == [
        f"{url}/health: unhealthy",
        "  mode        ok        assess",
        "  queues      ok",
        "  graphRoles  failed    missing User.Read.All",
    ]
    assert f"  infra/grant-graph-permissions.sh --identity {IDENTITY}" in lines
    assert lines[-1] == "what each entry means: docs/how-to/when-something-is-wrong.md"
    assert len(answers) == 1, "the hook polled until the app itself answered"
    assert not [line for line in lines if KEY in line]


def test_a_healthy_app_gets_no_further_hints(programs: StandIns, serve: Callable[[Answers], str]) -> None:
    healthy = {"status": "healthy", "checks": [{"name": "mode", "status": "ok", "detail": "assess"}]}
    url = serve([(200, json.dumps(healthy))])
    assert list(postdeploy(tools(programs, AZURE_API_URL=url), pause=0.01)) == [
        f"{url}/health: healthy",
        "  mode        ok        assess",
    ]


def test_the_key_is_not_sent_to_the_target_of_a_redirect(programs: StandIns) -> None:
    """A sign-in page in front of the app may redirect to another host, which must not get the key."""
    asked: list[str | None] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["x-functions-key"])
            self.send_response(302 if self.path.startswith("/api") else 200)
            self.send_header("Location", f"http://127.0.0.1:{server.server_port}/login")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/api"
    with pytest.raises(HookError, match="gives no report: status 302"):
        list(postdeploy(tools(programs, AZURE_API_URL=address, DEPLOY_HEALTH_SECONDS="0"), pause=0.01))
    server.shutdown()
    server.server_close()
    assert asked == [KEY]


def test_if_the_app_gives_no_report_the_hook_fails_with_the_last_answer(
    programs: StandIns, serve: Callable[[Answers], str]
) -> None:
    url = serve([(403, "stopped")])
    hook = postdeploy(tools(programs, AZURE_API_URL=url, DEPLOY_HEALTH_SECONDS="0.05"), pause=0.01)
    with pytest.raises(HookError, match=r"/health gives no report: status 403; look at the app's log stream"):
        list(hook)


def test_a_refused_connection_is_reported(programs: StandIns) -> None:
    hook = postdeploy(tools(programs, AZURE_API_URL="http://127.0.0.1:9/api", DEPLOY_HEALTH_SECONDS="0"))
    with pytest.raises(HookError, match=r"gives no report: .*refused"):
        list(hook)


def test_without_a_function_key_the_hook_fails(programs: StandIns) -> None:
    programs.expect(*KEYS, SUBSCRIPTION, "--output", "json", says={"functionKeys": {}})
    with pytest.raises(HookError, match="func-b2b-abc has no function key yet"):
        list(postdeploy(tools(programs)))


@pytest.mark.parametrize("seconds", ["soon", "1 minute"])
def test_a_waiting_time_that_is_no_number_is_refused(programs: StandIns, seconds: str) -> None:
    with pytest.raises(HookError, match="DEPLOY_HEALTH_SECONDS: expected a number"):
        list(postdeploy(tools(programs, DEPLOY_HEALTH_SECONDS=seconds)))


def test_with_a_private_network_health_is_not_requested(programs: StandIns) -> None:
    (line,) = postdeploy(tools(programs, DEPLOY_NETWORK="private"))
    assert "from inside the network" in line
    assert programs.calls == []
