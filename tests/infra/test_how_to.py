"""Pages of docs/how-to and docs/reference: their variables exist, and their commands fit the package and run."""

import json
import re
import shlex
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from b2b.settings import SETTINGS
from infra.package.place import Place
from tests.infra.bicep import ROOT, kept
from tests.infra.documents import (
    DEPLOY,
    DOCUMENTS,
    GO_LIVE,
    OPERATIONS,
    PACKAGE,
    POWERSHELL,
    WORKFLOW,
    WRONG,
    table,
)
from tests.infra.powershell import powershell
from tests.infra.standins import StandIns, named
from tests.infra.test_deployment_files import READ
from tests.infra.test_hooks_after import IDENTITY

COMMANDS = (DEPLOY, GO_LIVE, WRONG, OPERATIONS, WORKFLOW)
"""The pages whose commands have a PowerShell form on the page about PowerShell."""
SAME = ("az ", "azd ")
"""A line that begins with one of these is the same in bash and in PowerShell."""
OF_HOOKS = {
    "DEPLOY_PACKAGE": "auto",
    "DEPLOY_GRANT_GRAPH": "false",
    "DEPLOY_HEALTH_SECONDS": "600",
    "DEPLOY_SKIP_CHECKS": "false",
}
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
APP, STORE = "func-b2b-abc", "stworkabc"
KEY, MASTER = "ZnVuY3Rpb24=", "bWFzdGVy"


def test_the_page_lists_every_variable_with_its_default() -> None:
    listed = {
        row[0].strip("`"): row[1].strip("`").replace("-", "", row[1] == "-") for row in table(DEPLOY, "Variables")
    }
    settings = {setting.name for setting in SETTINGS}
    assert listed == {name: default for name, default in {**READ, **OF_HOOKS}.items() if name not in settings}


def test_the_hooks_read_only_documented_variables() -> None:
    hooks = "".join(path.read_text("utf-8") for path in (ROOT / "infra" / "hooks").glob("*.py"))
    read = set(re.findall(r"\bDEPLOY_[A-Z_]+\b", hooks))
    assert set(OF_HOOKS) <= read <= READ.keys() | OF_HOOKS.keys()


@pytest.mark.parametrize("text", DOCUMENTS, ids=lambda text: text.partition("\n")[0])
def test_outputs_and_variables_that_a_page_names_exist(text: str) -> None:
    known = READ.keys() | OF_HOOKS.keys() | kept("defaults").outputs.keys() | {setting.name for setting in SETTINGS}
    of_the_workflow = {"AZURE_CLIENT_ID", "AZURE_PREVIEW_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID"}
    of_azd = {"AZURE_RESOURCE_GROUP"}
    assert set(re.findall(r"\b(?:AZURE|DEPLOY)_[A-Z_]+\b", text)) - of_the_workflow - of_azd <= known


@pytest.mark.parametrize("text", [DEPLOY, POWERSHELL, PACKAGE], ids=["deploy", "powershell", "package"])
def test_deploy_commands_use_the_built_archive_and_set_build_remote(text: str) -> None:
    commands = " ".join(block for _, block in FENCE.findall(text))
    commands = re.sub(r"[\\`]\n\s*", " ", commands)
    deploying = re.findall(r"config-zip .*?--src (\S+) --build-remote (\w+)", commands)
    assert deploying
    assert {place for place, _ in deploying} == {str(Place().archive.relative_to(ROOT))}
    assert commands.count("config-zip") == len(deploying)


def blocks(document: str) -> Iterator[tuple[str, str]]:
    """Yield every block of commands with the heading above it."""
    for part in re.split(r"^#+ ", document, flags=re.MULTILINE)[1:]:
        heading, _, text = part.partition("\n")
        for language, block in FENCE.findall(text):
            if language in {"", "powershell"}:
                yield heading, block


def test_commands_that_differ_in_powershell_have_a_block_under_the_same_heading() -> None:
    needed = {
        heading
        for page in COMMANDS
        for heading, block in blocks(page)
        if any(not line.strip().startswith(SAME) or line.endswith("\\") for line in block.strip().splitlines())
    }
    assert {heading for heading, _ in blocks(POWERSHELL)} == needed


def test_bash_and_powershell_commands_make_the_same_queries() -> None:
    ask = re.compile(
        r"(?:RowKey|PartitionKey) eq '[^\"]*|/admin/functions/\w+|/\w+/\S+/(?:retry|release)|AppTraces \|[^\"]*"
    )
    plain = [
        re.sub(r"\$\(?\$?[\w.]+\)?", "ID", asked)
        for page in COMMANDS
        for _, block in blocks(page)
        for asked in ask.findall(block)
    ]
    there = [
        re.sub(r"\$\(?\$?[\w.]+\)?", "ID", asked) for _, block in blocks(POWERSHELL) for asked in ask.findall(block)
    ]
    assert plain
    assert sorted(set(there)) == sorted(set(plain))


class Site(ThreadingHTTPServer):
    """A server that accepts any request and records it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[tuple[str, str, str]] = []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        assert isinstance(self.server, Site)
        self.server.seen.append((self.command, self.path, self.headers["x-functions-key"]))
        self.send_response({"/api/health": 503, "/admin/functions/sweep": 202}.get(self.path, 409))
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"status": "unhealthy"}')

    do_POST = do_GET  # noqa: N815  the name that the base class calls

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Site]:
    server = Site()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def filled_in(text: str, site: Site) -> str:
    values = {
        "<stwork…>": STORE,
        "<AZURE_FUNCTION_APP_NAME>": APP,
        "<AZURE_API_URL>": f"http://127.0.0.1:{site.server_port}/api",
        "<object id>": IDENTITY,
        "<requestId>": "supplier-4711",
        "<subscription>": "11111111-0000-4000-8000-000000000001",
    }
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    assert not re.search(r"<[\w…]", text), "a placeholder that nobody fills in"
    return text


ENTITIES = f"storage entity query --auth-mode login --account-name {STORE} --table-name requests --filter"
CONVERSIONS = ENTITIES.replace("--table-name requests", "--table-name conversions")
PEEK = f"storage message peek --auth-mode login --account-name {STORE} --queue-name conversion-requests"
GROUP = "--resource-group rg-b2b"
WAITING = "RowKey eq 'request' and (stage eq 'requested' or stage eq 'inviting')"
READY = "RowKey eq 'request' and stage eq 'assessed' and verdict eq 'ready'"
INVITED = "RowKey eq 'current' and stage eq 'invited'"
INVITING = "RowKey eq 'current' and stage eq 'inviting'"
UNSEEN = [
    {"PartitionKey": "e-5", "requestId": "r-5", "waiting": '{"reason": "not-visible"}'},
    {"PartitionKey": "f-6", "requestId": "r-6", "waiting": None},
]
LINES = "AppTraces | where Message has 'supplier-4711' | project TimeGenerated, Message | order by TimeGenerated asc"
OUTPUT = "properties.outputs.AZURE_FUNCTION_APP_NAME.value"
HISTORY = [{"RowKey": "history-2"}, {"RowKey": "history-1"}]
BLOCKED = [
    {"PartitionKey": "a-1", "findings": '[{"rule": "domain-not-allowed"}]'},
    {"PartitionKey": "b-2", "findings": '[{"rule": "directory-role"}]'},
]
CALLS: dict[str, object] = {
    f"deployment group what-if {GROUP} --parameters infra/production.bicepparam": "",
    f"deployment group create {GROUP} --name b2b-conversion --parameters infra/production.bicepparam": "",
    f"deployment group show {GROUP} --name b2b-conversion --query {OUTPUT} --output tsv": APP,
    f"functionapp deployment source config-zip {GROUP} --name {APP} --src dist/b2b-conversion.zip"
    " --build-remote false": "",
    f"deployment group create {GROUP} --template-file infra/graph-permissions.bicep"
    f" --parameters identityPrincipalId={IDENTITY} mode=assess": "",
    f"{ENTITIES} \"RowKey eq 'request' and stage eq 'assessed'\" --select PartitionKey userId verdict findings": "",
    PEEK: "",
    f'{ENTITIES} "{WAITING}" --select PartitionKey stage waiting': "",
    f"functionapp keys list {GROUP} --name {APP} --query functionKeys.default --output tsv": KEY,
    f'{ENTITIES} "{READY}" --select PartitionKey --output json': {
        "items": [{"PartitionKey": "c-3"}, {"PartitionKey": "d-4"}]
    },
    f"{ENTITIES} \"RowKey eq 'request'\" --select stage --output json": {
        "items": [{"stage": "invited"}, {"stage": "blocked"}, {"stage": "invited"}]
    },
    f"{PEEK} --num-messages 32 --query length(@)": "3",
    f"{ENTITIES} \"PartitionKey eq 'supplier-4711'\" --select RowKey kind at stage detail --output json": {
        "items": HISTORY
    },
    f"monitor log-analytics workspace list {GROUP} --query [0].customerId --output tsv": "workspace-id",
    f'monitor log-analytics query --workspace workspace-id --analytics-query "{LINES}"': "",
    f'{CONVERSIONS} "{INVITED}" --select PartitionKey requestId waiting invitedAt --output json': {"items": UNSEEN},
    f"{ENTITIES} \"RowKey eq 'request' and stage eq 'blocked'\" --select PartitionKey findings --output json": {
        "items": BLOCKED
    },
    f"functionapp keys list {GROUP} --name {APP} --query masterKey --output tsv": MASTER,
    f'{CONVERSIONS} "{INVITING}" --select PartitionKey requestId waiting doubts': "",
    "role definition create --role-definition preview-role.json": "",
}
"""Every call of az on the page, in order, with the stand-in's answer."""
BUILD = "python:3.11-bookworm python -m infra.package --python 3.11"


def test_the_powershell_page_runs_and_makes_the_expected_calls(pwsh: str, tmp_path: Path, site: Site) -> None:
    """All blocks of the page run in one script, with stand-ins that accept only the exact calls."""
    programs = StandIns(tmp_path / "bin")
    programs.program("az", "docker")
    for call, answer in CALLS.items():
        programs.expect("az", *shlex.split(call), says=answer)
    mount = f"--mount type=bind,source={tmp_path},target=/source --workdir /source"
    container = shlex.split(f"run --rm --platform linux/amd64 --env HOME=/tmp {mount} {BUILD}")
    programs.expect("docker", *container)
    grant = tmp_path / "infra" / "grant-graph-permissions.ps1"
    grant.parent.mkdir()
    grant.write_text('"grant: $args"\n', "utf-8")
    script = tmp_path / "page.ps1"
    text = "\n".join(block for _, block in blocks(POWERSHELL))
    script.write_text("$ErrorActionPreference = 'Stop'\n" + filled_in(text, site), "utf-8")

    environment = {"PATH": programs.path("/usr/bin", "/bin"), "HOME": str(tmp_path)}
    done = powershell(pwsh, "-File", str(script), environment=environment, cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert named(programs.calls, "az") == [shlex.split(call) for call in CALLS]
    assert named(programs.calls, "docker") == [container]
    assert site.seen == [
        ("POST", "/api/requests/c-3/release", KEY),
        ("POST", "/api/requests/d-4/release", KEY),
        ("GET", "/api/health", KEY),
        ("POST", "/api/requests/a-1/retry", KEY),
        ("POST", "/admin/functions/sweep", MASTER),
    ]
    said = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    assert '{"status": "unhealthy"}' in said
    assert {"a-1 409", "c-3 409", "d-4 409"} <= set(said)
    assert re.search(r"\be-5\b", done.stdout)
    assert not re.search(r"\bf-6\b", done.stdout)
    assert said[-1] == "202"
    assert f"grant: -Identity {IDENTITY} -Mode assess -DryRun" in said
    counted = {tuple(line.split()) for line in said}
    assert {("2", "invited"), ("1", "blocked")} <= counted
    assert 0 < done.stdout.find("history-1") < done.stdout.find("history-2")
    assert json.loads((tmp_path / "preview-role.json").read_text("utf-8"))["Name"] == "Preview deployments"
