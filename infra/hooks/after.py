"""The hooks that azd runs after it has created the resources, and after it has deployed the code."""

import json
import os
import shlex
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

from infra.hooks.errors import HookError
from infra.hooks.tools import Tools
from infra.package.place import ROOT

OUTPUTS = {
    "AZURE_FUNCTION_APP_NAME": "the app",
    "AZURE_API_URL": "its routes",
    "AZURE_REQUEST_QUEUE_URL": "the queue of requests",
    "AZURE_WORK_STORAGE_NAME": "queues and ledger",
    "AZURE_IDENTITY_PRINCIPAL_ID": "its identity",
}
"""Outputs of infra/main.bicep that the hook prints, and what each names."""
GRANTED_BY = {
    "B2B_MODE": ("--mode", "-Mode"),
    "B2B_ELIGIBILITY_PROFILE": ("--profile", "-Profile"),
    "B2B_RULE_OVERRIDES": ("--overrides", "-Overrides"),
    "B2B_COMPARE_ACCESS": ("--compare", "-Compare"),
    "B2B_READ_AUDIT_LOG": ("--audit", "-Audit"),
    "GRAPH_BASE_URL": ("--graph", "-Graph"),
}
"""Settings that decide which permissions are granted, and the options that pass them to the two scripts."""
BASH, POWERSHELL = "infra/grant-graph-permissions.sh", "infra/grant-graph-permissions.ps1"
ANSWER_SECONDS = 30.0
HEALTH_SECONDS = 600.0
"""Seconds that the app may take to start for the first time: new role assignments take minutes to work."""
PAUSE_SECONDS = 10.0


def postprovision(tools: Tools) -> Iterator[str]:
    """Print the names of the new resources, and print or run the command that grants the Graph permissions.

    Raises:
        HookError: the deployment did not output the id of the app's identity. Run `azd provision` again.

    """
    environment = tools.environment
    for name, what in OUTPUTS.items():
        yield f"{what:22}{environment.get(name) or '(not known)'}"
    identity = environment.get("AZURE_IDENTITY_PRINCIPAL_ID", "")
    if not identity:
        raise HookError("the deployment did not tell AZURE_IDENTITY_PRINCIPAL_ID: run azd provision again")
    if environment.get("DEPLOY_GRANT_GRAPH", "").lower() == "true":
        yield "granting the Graph permissions (DEPLOY_GRANT_GRAPH)"
        if tools.run(*_granting(tools, identity)) != 0:
            # Deploy the code all the same: the app does what it can, and its health names the missing permissions.
            yield "they are not all granted: see above"
            yield from _grant_by_hand(environment, identity)
        return
    yield from _grant_by_hand(environment, identity)


def postdeploy(tools: Tools, pause: float = PAUSE_SECONDS) -> Iterator[str]:
    """Ask for the app's health report until the app answers, and yield what the app still needs.

    Raises:
        HookError: the app did not answer within `HEALTH_SECONDS`, or has no function key yet. Run `azd deploy` again.

    """
    environment = tools.environment
    if environment.get("DEPLOY_NETWORK") == "private":
        yield "the routes are closed to the internet: ask /api/health from inside the network"
        return
    if environment.get("DEPLOY_SIGN_IN_CLIENT_ID"):
        yield "callers sign in: ask /api/health with a token (docs/how-to/sign-in.md)"
        return
    address = f"{environment.get('AZURE_API_URL', '')}/health"
    report = _health(address, _key(tools), _seconds(environment), pause)
    checks = [check for check in report.get("checks") or [] if isinstance(check, dict)]
    yield f"{address}: {report.get('status')}"
    for check in checks:
        yield f"  {check.get('name', '')!s:12}{check.get('status', '')!s:10}{check.get('detail') or ''}".rstrip()
    wrong = [check.get("name") for check in checks if check.get("status") not in {"ok", None}]
    if "graphRoles" in wrong:
        yield from _grant_by_hand(environment, environment.get("AZURE_IDENTITY_PRINCIPAL_ID", ""))
        yield "a permission that was granted lately can take up to 24 hours to show"
    if wrong:
        yield "what each entry means: docs/how-to/when-something-is-wrong.md"


def _grant_by_hand(environment: Mapping[str, str], identity: str) -> Iterator[str]:
    yield "a Privileged Role Administrator grants the Graph permissions, by one of the two:"
    options = _options(environment)
    bash = [BASH, "--identity", identity, *(part for pair, value in options for part in (pair[0], value))]
    yield f"  {shlex.join(bash)}"
    pairs = " ".join(f"{pair[1]} {_quoted(value)}" for pair, value in options)
    yield f"  pwsh {POWERSHELL} -Identity {identity} {pairs}".rstrip()


def _options(environment: Mapping[str, str]) -> list[tuple[tuple[str, str], str]]:
    return [(pair, environment[name]) for name, pair in GRANTED_BY.items() if environment.get(name)]


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _granting(tools: Tools, identity: str) -> list[str]:
    """Return the command that grants the permissions: the PowerShell script on Windows, else the bash script."""
    options = _options(tools.environment)
    if os.name == "nt":
        words = [part for pair, value in options for part in (pair[1], value)]
        return [
            tools.find("pwsh") or "pwsh",
            "-NoProfile",
            "-File",
            str(ROOT / POWERSHELL),
            "-Identity",
            identity,
            *words,
        ]
    words = [part for pair, value in options for part in (pair[0], value)]
    return [str(ROOT / BASH), "--identity", identity, *words]


def _key(tools: Tools) -> str:
    group = tools.environment.get("AZURE_RESOURCE_GROUP", "")
    app = tools.environment.get("AZURE_FUNCTION_APP_NAME", "")
    found = tools.az("functionapp", "keys", "list", "--resource-group", group, "--name", app)
    key = (found.get("functionKeys") or {}).get("default")
    if not key:
        raise HookError(f"{app} has no function key yet: run azd deploy again")
    return str(key)


def _seconds(environment: Mapping[str, str]) -> float:
    try:
        return float(environment.get("DEPLOY_HEALTH_SECONDS") or HEALTH_SECONDS)
    except ValueError:
        raise HookError("DEPLOY_HEALTH_SECONDS: expected a number of seconds") from None


def _health(address: str, key: str, seconds: float, pause: float) -> dict[str, Any]:
    """Return the first health report of the app. Until the app has started, the platform answers without a report."""
    end = time.monotonic() + seconds
    while True:
        report, reason = _asked(address, key)
        if report is not None:
            return report
        if time.monotonic() + pause > end:
            raise HookError(f"{address} gives no report: {reason}; look at the app's log stream in the portal")
        time.sleep(pause)


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect, because that would send the function key to the host that the redirect names."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _asked(address: str, key: str) -> tuple[dict[str, Any] | None, str]:
    request = urllib.request.Request(address, headers={"x-functions-key": key})  # noqa: S310  the app's own address
    try:
        with urllib.request.build_opener(_Stay).open(request, timeout=ANSWER_SECONDS) as answer:
            status, body = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, body = error.code, error.read()
    except (urllib.error.URLError, TimeoutError, OSError) as error:
        return None, str(getattr(error, "reason", error))
    try:
        report = json.loads(body)
    except ValueError:
        report = None
    return (report, "") if isinstance(report, dict) and "checks" in report else (None, f"status {status}")
