"""The real scripts for people who cannot deploy the Graph template, with a stand-in for `az` on PATH."""

import json
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.infra.bicep import INFRA, kept
from tests.infra.powershell import powershell
from tests.infra.test_graph_permissions import OFF_IN_LEAST, ROWS
from tests.support.tools import missing

IDENTITY = "33333333-0000-4000-8000-000000000001"
GRAPH = "77777777-0000-4000-8000-000000000001"
LOOKED_UP = "88888888-0000-4000-8000-000000000001"
OPTIONS = {
    "graph-assess": [],
    "graph-convert": ["--mode", "convert"],
    "graph-least": [
        "--mode",
        "convert",
        "--profile",
        "2020",
        "--without-readwrite",
        "--compare",
        "false",
        "--overrides",
        json.dumps(OFF_IN_LEAST),
    ],
    "graph-audit": ["--mode", "convert", "--audit", "true"],
}
POWERSHELL = {
    "--identity": "-Identity",
    "--mode": "-Mode",
    "--profile": "-Profile",
    "--overrides": "-Overrides",
    "--graph": "-Graph",
    "--compare": "-Compare",
    "--audit": "-Audit",
    "--without-readwrite": "-WithoutReadWrite",
    "--dry-run": "-DryRun",
}
"""The options of one script, and those of the other."""
AZ = """#!/usr/bin/env bash
call=()
for argument; do
  case $argument in @*) call+=("$(cat "${argument#@}")") ;; *) call+=("$argument") ;; esac
done
printf '%s\\n' "${call[*]}" >> "$HOME/calls"
case "$*" in
  *"method post"*) ;;
  *appRoleAssignments*) cat "$HOME/held.json" ;;
  *) cat "$HOME/service.json" ;;
esac
"""
Done = subprocess.CompletedProcess[str]
Grant = Callable[..., Done]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder for the stand-in of `az`, according to which the identity holds no permission yet."""
    for tool in ("bash", "jq"):
        if shutil.which(tool) is None:
            missing(f"the script needs {tool}")
    az = tmp_path / "az"
    az.write_text(AZ, "utf-8")
    az.chmod(0o755)
    roles = [{"id": row["id"] or LOOKED_UP, "value": value} for value, row in ROWS.items()]
    # A delegated permission of the same name must not be taken for the application's.
    named_alike = {"id": GRAPH, "value": "Policy.Read.B2BManagementPolicy", "allowedMemberTypes": ["User"]}
    service = {"id": GRAPH, "appRoles": [named_alike, *({"allowedMemberTypes": ["Application"], **r} for r in roles)]}
    (tmp_path / "service.json").write_text(json.dumps(service), "utf-8")
    holds(tmp_path)
    return tmp_path


def holds(home: Path, *values: str) -> None:
    held = [
        {"id": f"grant-{value}", "appRoleId": ROWS[value]["id"] or LOOKED_UP, "resourceId": GRAPH} for value in values
    ]
    (home / "held.json").write_text(json.dumps({"value": held}), "utf-8")


def by_bash(home: Path, *options: str) -> Done:
    environment = {"PATH": f"{home}{os.pathsep}{os.environ['PATH']}", "HOME": str(home)}
    script = str(INFRA / "grant-graph-permissions.sh")
    return subprocess.run(  # noqa: S603
        [script, *options], env=environment, capture_output=True, text=True, timeout=30, check=False
    )


@pytest.fixture(params=["bash", "pwsh"])
def grant(home: Path, request: pytest.FixtureRequest) -> Grant:
    """A function that runs one of the two scripts. It takes the options of the script for bash."""
    if request.param == "bash":
        return lambda *options: by_bash(home, *options)
    pwsh: str = request.getfixturevalue("pwsh")

    def run(*options: str) -> Done:
        environment = {"PATH": f"{home}{os.pathsep}{os.environ['PATH']}", "HOME": str(home), "TMPDIR": str(home)}
        words = [POWERSHELL.get(option, option) for option in options]
        done = powershell(pwsh, "-File", str(INFRA / "grant-graph-permissions.ps1"), *words, environment=environment)
        for bash, other in POWERSHELL.items():
            done.stderr = done.stderr.replace(f"{other}:", f"{bash}:")
        return done

    return run


def json_body(body: dict[str, Any]) -> str:
    return f"--headers Content-Type=application/json --body {json.dumps(body, separators=(',', ':'))}"


def posted(home: Path) -> list[dict[str, str]]:
    lines = (home / "calls").read_text("utf-8").splitlines()
    return [json.loads(line.split("--body ")[1]) for line in lines if "method post" in line]


@pytest.mark.parametrize("scenario", OPTIONS)
def test_the_script_grants_what_the_template_grants(home: Path, grant: Grant, scenario: str) -> None:
    done = grant("--identity", IDENTITY, *OPTIONS[scenario])
    expected = kept(scenario).outputs["permissions"]
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"granted  {value}" for value in expected]
    assert posted(home) == [
        {"principalId": IDENTITY, "resourceId": GRAPH, "appRoleId": ROWS[value]["id"] or LOOKED_UP}
        for value in expected
    ]


def test_the_script_makes_exactly_the_expected_calls(home: Path, grant: Grant) -> None:
    holds(home, *(value for value in ROWS if value != "User.Read.All"))
    assert grant("--identity", IDENTITY).returncode == 0
    graph = "https://graph.microsoft.com/v1.0/servicePrincipals"
    app_id = json.loads((INFRA / "graph-permissions.json").read_text("utf-8"))["graphAppId"]
    body = {"principalId": IDENTITY, "resourceId": GRAPH, "appRoleId": ROWS["User.Read.All"]["id"]}
    assert (home / "calls").read_text("utf-8").splitlines() == [
        f"rest --method get --url {graph}(appId='{app_id}')?$select=id,appRoles",
        f"rest --method get --url {graph}/{IDENTITY}/appRoleAssignments",
        f"rest --method post --url {graph}/{IDENTITY}/appRoleAssignments {json_body(body)}",
    ]
    assert [path.name for path in home.iterdir() if path.suffix == ".tmp"] == []


def test_a_call_that_fails_ends_the_script(home: Path, grant: Grant) -> None:
    (home / "az").write_text("#!/usr/bin/env bash\necho 'Insufficient privileges' >&2\nexit 3\n", "utf-8")
    done = grant("--identity", IDENTITY)
    assert (done.returncode, done.stdout) == (3, "")
    assert "Insufficient privileges" in done.stderr


def test_held_permissions_are_kept_and_surplus_permissions_are_named(home: Path, grant: Grant) -> None:
    holds(home, "User.Read.All", "User.ReadWrite.All")
    done = grant("--identity", IDENTITY)
    assert done.stdout.splitlines()[0] == "has      User.Read.All"
    assert done.stdout.splitlines()[-1] == "surplus  User.ReadWrite.All (assignment grant-User.ReadWrite.All)"
    assert ROWS["User.Read.All"]["id"] not in {body["appRoleId"] for body in posted(home)}


def test_a_dry_run_changes_nothing(home: Path, grant: Grant) -> None:
    done = grant("--identity", IDENTITY, "--dry-run")
    assert done.returncode == 0
    assert {line.split()[0] for line in done.stdout.splitlines()} == {"would"}
    assert posted(home) == []


def test_an_unknown_permission_is_named_and_nothing_is_granted(home: Path, grant: Grant) -> None:
    (home / "service.json").write_text(json.dumps({"id": GRAPH, "appRoles": []}), "utf-8")
    done = grant("--identity", IDENTITY)
    assert done.returncode == 2
    assert "Policy.Read.B2BManagementPolicy" in done.stderr
    assert posted(home) == []


def test_a_large_service_principal_of_graph_is_handled(home: Path, grant: Grant) -> None:
    service = json.loads((home / "service.json").read_text("utf-8"))
    like = {"allowedMemberTypes": ["Application"], "description": "x" * 250, "origin": "Application", "isEnabled": True}
    service["appRoles"] += [{"id": str(uuid.UUID(int=n)), "value": f"Some.Permission{n}", **like} for n in range(1_000)]
    text = json.dumps(service, indent=2)
    assert len(text) > 2 * 128 * 1024, "the most that Linux takes in one argument"
    (home / "service.json").write_text(text, "utf-8")
    holds(home, "User.ReadWrite.All")
    done = grant("--identity", IDENTITY)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("surplus  User.ReadWrite.All")


def test_the_script_calls_the_graph_of_a_national_cloud(home: Path, grant: Grant) -> None:
    done = grant("--identity", IDENTITY, "--graph", "https://graph.microsoft.us/v1.0")
    assert done.returncode == 0
    urls = re.findall(r"--url (\S+)", (home / "calls").read_text("utf-8"))
    assert urls
    assert [url for url in urls if not url.startswith("https://graph.microsoft.us/v1.0/servicePrincipals")] == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "--identity: expected an object id"),
        (["--identity", "b2b-app"], "--identity: expected an object id"),
        (["--identity", IDENTITY, "--mode", "both"], "--mode: expected assess or convert"),
        (["--identity", IDENTITY, "--profile", "2021"], "--profile: expected current or 2020"),
        (["--identity", IDENTITY, "--overrides", "off"], "--overrides: expected a JSON object"),
        (["--identity", IDENTITY, "--overrides", ""], "--overrides: expected a JSON object"),
        (["--identity", IDENTITY, "--overrides", '{"directory-rolle": "off"}'], "no rule is called directory-rolle"),
        (["--identity", IDENTITY, "--overrides", '{"directory-role": "Off"}'], "directory-role: expected one of block"),
        (["--identity", IDENTITY, "--overrides", '{"directory-role": null}'], "directory-role: expected one of block"),
        (["--identity", IDENTITY, "--overrides", '{"already-external": "off"}'], "already-external can only be block"),
        (["--identity", IDENTITY, "--graph", "https://graph.contoso.com/v1.0"], "--graph: expected one of https://"),
    ],
)
def test_wrong_options_are_refused_before_any_call(home: Path, grant: Grant, options: list[str], said: str) -> None:
    done = grant(*options)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (home / "calls").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--identity"], "--identity wants a value"), (["--everything"], "unknown option --everything")],
)
def test_unknown_or_incomplete_options_are_refused(home: Path, options: list[str], said: str) -> None:
    done = by_bash(home, *options)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (home / "calls").exists()


@pytest.mark.parametrize("lacking", ["az", "jq"])
def test_a_missing_tool_is_named_in_one_line(tmp_path: Path, lacking: str) -> None:
    for tool in {"bash", "cat", "dirname", "env", "az", "jq"} - {lacking}:
        (tmp_path / tool).symlink_to(shutil.which(tool) or shutil.which("true") or tool)
    script, environment = str(INFRA / "grant-graph-permissions.sh"), {"PATH": str(tmp_path)}

    def run(*options: str) -> Done:
        return subprocess.run(  # noqa: S603
            [script, *options], env=environment, capture_output=True, text=True, timeout=30, check=False
        )

    done = run("--identity", IDENTITY)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"grant-graph-permissions: {lacking} is not on PATH: install it\n"
    assert (run("--help").returncode, run("--help").stderr) == (0, "")


def test_powershell_names_az_if_it_is_missing(tmp_path: Path, pwsh: str) -> None:
    script = str(INFRA / "grant-graph-permissions.ps1")
    for tool in ("dirname", "sh", "bash", "env", "id", "readlink"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or tool)
    environment = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    done = powershell(pwsh, "-File", script, "-Identity", IDENTITY, environment=environment)
    assert (done.returncode, done.stderr) == (2, "grant-graph-permissions: az is not on PATH: install it\n")


def test_options_that_powershell_refuses_lead_to_no_call(home: Path, pwsh: str) -> None:
    script = str(INFRA / "grant-graph-permissions.ps1")
    for options in (["-Everything"], ["-Identity"], ["-Identity", IDENTITY, "more"]):
        environment = {"PATH": f"{home}{os.pathsep}{os.environ['PATH']}", "HOME": str(home)}
        done = powershell(pwsh, "-File", script, *options, environment=environment)
        assert done.returncode != 0
        assert not (home / "calls").exists()


def test_the_help_of_both_scripts_lists_the_same_options() -> None:
    help_of_bash = (INFRA / "grant-graph-permissions.sh").read_text("utf-8").split("TEXT'\n")[1].split("\nTEXT")[0]
    help_of_powershell = (INFRA / "grant-graph-permissions.ps1").read_text("utf-8").split("#>")[0]
    assert set(re.findall(r"^  (--[a-z-]+)", help_of_bash, re.MULTILINE)) == set(POWERSHELL)
    assert {f"-{name}" for name in re.findall(r"^\.PARAMETER (\w+)", help_of_powershell, re.MULTILINE)} == set(
        POWERSHELL.values()
    )
