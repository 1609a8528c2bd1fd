"""The app registration for sign-in, as made by the template and by the scripts for people who cannot deploy it."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from b2b.api.callers import Role
from tests.infra.bicep import APP_SCENARIOS, INFRA, kept
from tests.infra.powershell import powershell
from tests.support.tools import missing

CLIENT, SERVICE = "77777777-0000-4000-8000-000000000002", "77777777-0000-4000-8000-000000000003"
BORIS, FLOW = "44444444-0000-4000-8000-000000000021", "44444444-0000-4000-8000-000000000022"
TABLE: dict[str, Any] = json.loads((INFRA / "sign-in.json").read_text("utf-8"))
IDS = {role["value"]: role["id"] for role in TABLE["roles"]}
AZ = """#!/usr/bin/env bash
call=()
for argument; do
  case $argument in @*) call+=("$(cat "${argument#@}")") ;; *) call+=("$argument") ;; esac
done
printf '%s\\n' "${call[*]}" >> "$HOME/calls"
case "$*" in
  *"method get"*applications*) echo '{"appId": "CLIENT"}' ;;
  *"method get"*appRoleAssignedTo*) cat "$HOME/held.json" ;;
  *"method get"*) echo '{"id": "SERVICE"}' ;;
esac
""".replace("CLIENT", CLIENT).replace("SERVICE", SERVICE)
Done = subprocess.CompletedProcess[str]
Register = Callable[..., Done]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for tool in ("bash", "jq"):
        if shutil.which(tool) is None:
            missing(f"the script needs {tool}")
    az = tmp_path / "az"
    az.write_text(AZ, "utf-8")
    az.chmod(0o755)
    (tmp_path / "held.json").write_text('{"value": []}', "utf-8")
    return tmp_path


@pytest.fixture(params=["bash", "pwsh"])
def register(home: Path, request: pytest.FixtureRequest) -> Register:
    """Return a function that runs one of the two scripts with a name and assignments `OBJECT_ID:ROLE`."""
    path = f"{home}{os.pathsep}{os.environ['PATH']}"
    if request.param == "bash":

        def by_bash(*holders: str, name: str = "b2b-conversion", dry_run: bool = False) -> Done:
            words = ["--name", name, *(word for each in holders for word in ("--assign", each))]
            script = [str(INFRA / "register-sign-in.sh"), *words, *(["--dry-run"] if dry_run else [])]
            environment = {"PATH": path, "HOME": str(home)}
            return subprocess.run(  # noqa: S603
                script, env=environment, capture_output=True, text=True, timeout=30, check=False
            )

        return by_bash
    pwsh: str = request.getfixturevalue("pwsh")

    def by_powershell(*holders: str, name: str = "b2b-conversion", dry_run: bool = False) -> Done:
        words = ["-Name", name, *(["-Assign", ",".join(holders)] if holders else []), *(["-DryRun"] if dry_run else [])]
        environment = {"PATH": path, "HOME": str(home), "TMPDIR": str(home)}
        return powershell(pwsh, "-File", str(INFRA / "register-sign-in.ps1"), *words, environment=environment)

    return by_powershell


def written(home: Path) -> list[tuple[str, str, dict[str, Any]]]:
    """Return method, path and body of every write, in order."""
    lines = (home / "calls").read_text("utf-8").splitlines()
    calls = [line.split() for line in lines if "--body" in line]
    bodies = [json.loads(line.split("--body ", 1)[1]) for line in lines if "--body" in line]
    return [(call[2], call[4].rpartition("/v1.0/")[2], body) for call, body in zip(calls, bodies, strict=True)]


def template() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the registration and the assignments that the template makes."""
    resources = kept("sign-in").resources
    (registration,) = (each for each in resources if each["type"].startswith("Microsoft.Graph/applications"))
    assignments = [each for each in resources if each["type"].startswith("Microsoft.Graph/appRoleAssignedTo")]
    return registration["properties"], [each["properties"] for each in assignments]


def test_the_registration_has_exactly_the_roles_of_the_app() -> None:
    assert [role["value"] for role in TABLE["roles"]] == [role.value for role in Role]
    assert len(set(IDS.values())) == len(Role)
    assert all(role["allowedMemberTypes"] == ["User", "Application"] for role in TABLE["roles"])


def test_only_assigned_principals_get_a_token() -> None:
    resources = kept("sign-in").resources
    (principal,) = (each for each in resources if each["type"].startswith("Microsoft.Graph/servicePrincipals"))
    assert principal["properties"]["appRoleAssignmentRequired"] is True


def test_the_scripts_create_the_same_registration_as_the_template(home: Path, register: Register) -> None:
    done = register(f"{BORIS}:Decide", f"{FLOW}:Request")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"assigned Decide: {BORIS}",
        f"assigned Request: {FLOW}",
        f"registered b2b-conversion: DEPLOY_SIGN_IN_CLIENT_ID is {CLIENT}",
    ]
    registration, assignments = template()
    (_, first, made), (_, second, more), (_, third, required), *given = written(home)
    assert first == second == "applications(uniqueName='b2b-conversion')"
    assert {**made, **more, "uniqueName": "b2b-conversion"} == registration
    assert (third, required) == (f"servicePrincipals(appId='{CLIENT}')", {"appRoleAssignmentRequired": True})
    assert [(body["principalId"], body["appRoleId"]) for _, _, body in given] == [
        (each["principalId"], each["appRoleId"]) for each in assignments
    ]
    assert all(method == "post" for method, _, _ in given)


def test_an_existing_assignment_is_not_made_again(home: Path, register: Register) -> None:
    held = {"value": [{"principalId": BORIS.upper(), "appRoleId": IDS["Decide"]}]}
    (home / "held.json").write_text(json.dumps(held), "utf-8")
    assert register(f"{BORIS}:Decide").stdout.splitlines()[0] == f"has      Decide: {BORIS}"
    assert [method for method, _, _ in written(home)] == ["patch"] * 3


def test_a_dry_run_makes_no_calls(home: Path, register: Register) -> None:
    done = register(f"{BORIS}:Decide", dry_run=True)
    assert done.stdout.splitlines() == ["would    register b2b-conversion", f"would    assign Decide to {BORIS}"]
    assert not (home / "calls").exists()


@pytest.mark.parametrize(
    ("holders", "name", "said"),
    [
        (["boris:Decide"], "b2b", "expected OBJECT_ID:ROLE"),
        ([f"{BORIS}:decide"], "b2b", "expected OBJECT_ID:ROLE"),
        ([f"{BORIS}:Owner"], "b2b", "expected OBJECT_ID:ROLE"),
        ([], "b2b')/owners", "expected 1 to 80 of the characters"),
    ],
)
def test_invalid_options_are_refused_before_any_call(
    home: Path, register: Register, holders: list[str], name: str, said: str
) -> None:
    done = register(*holders, name=name)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (home / "calls").exists()


@pytest.mark.parametrize("scenario", APP_SCENARIOS)
def test_the_app_trusts_principals_only_if_authentication_is_on(scenario: str) -> None:
    resources = {
        each["name"].rpartition("/")[2]: dict(each.get("properties") or {}) for each in kept(scenario).resources
    }
    settings, authentication = resources["appsettings"], resources["authsettingsV2"]
    on = authentication["platform"]["enabled"]
    assert settings["B2B_SIGN_IN"] == ("true" if on else "false")
    assert authentication["globalValidation"]["requireAuthentication"] is on
    if on:
        assert authentication["globalValidation"]["unauthenticatedClientAction"] == "Return401"
        client = authentication["identityProviders"]["azureActiveDirectory"]["registration"]["clientId"]
        audiences = authentication["identityProviders"]["azureActiveDirectory"]["validation"]["allowedAudiences"]
        assert audiences == [client, f"api://{client}"]


def test_sign_in_is_on_in_the_scenario_everything_and_off_by_default() -> None:
    on = {
        scenario
        for scenario in APP_SCENARIOS
        for each in kept(scenario).resources
        if each["name"].endswith("/authsettingsV2") and each["properties"]["platform"]["enabled"]
    }
    assert "everything" in on
    assert "defaults" not in on
