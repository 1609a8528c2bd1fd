"""The command as its user starts it: a process with a terminal, a sign-in, and a tenant on a port."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from rehearsal.tenant import RunningTenant, running
from tests.probe.support import ADDRESS, FULL, SECOND, TENANT

ROOT = Path(__file__).parents[2]
SECONDS = 60


@pytest.fixture
def tenant() -> Iterator[RunningTenant]:
    with running(TENANT, roles=FULL) as served:
        yield served


def strangers(tenant: RunningTenant) -> list[str]:
    first = {user["id"] for kind in ("users", "deletedUsers") for user in TENANT[kind]}
    return [user["id"] for user in tenant.control.users() if user["id"] not in first]


def started(tenant: RunningTenant, folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "probe", "--graph", tenant.base, "--folder", str(folder / "notes")]
    command += ["--result", str(folder / "result.json"), "--address", ADDRESS, "--address", SECOND, *arguments]
    return subprocess.Popen(  # noqa: S603 - our own command
        command,
        cwd=ROOT,
        env={**os.environ, "NO_PROXY": "127.0.0.1", "PYTHONUNBUFFERED": "1", **tenant.identity_env, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def converse(process: subprocess.Popen[str], tenant: RunningTenant) -> list[str]:
    """Act as the operator: agree, open each link that is printed, and enter the result. Return the printed lines."""
    assert process.stdin
    assert process.stdout
    process.stdin.write("yes\n")
    process.stdin.flush()
    printed = []
    for line in process.stdout:
        printed.append(line.rstrip())
        if line.startswith("  https://"):
            try:
                tenant.control.open_link(line.strip())
                process.stdin.write("a\n")
            except httpx.HTTPStatusError:
                process.stdin.write("r\n")
            process.stdin.flush()
    return printed


def test_a_person_is_led_through_a_run_with_a_managed_identity(tenant: RunningTenant, tmp_path: Path) -> None:
    with started(tenant, tmp_path, "--sign-in", "managed-identity", "--only", "INV-01,RED-05,RED-06") as process:
        printed = converse(process, tenant)
    assert process.returncode == 0, printed
    result = json.loads((tmp_path / "result.json").read_text("utf-8"))
    assert [found["positions"] for found in result["beliefs"]] == [["holds"], ["dead"], ["completed"]]
    assert strangers(tenant) == []
    assert json.loads((tmp_path / "notes" / "contoso.onmicrosoft.com.json").read_text("utf-8")) == []


def az(tenant: RunningTenant, folder: Path) -> dict[str, str]:
    """Create a stand-in for a signed-in Azure CLI, and return a PATH with it."""
    query = {"api-version": "2019-08-01", "resource": "https://graph.microsoft.com"}
    headers = {"X-IDENTITY-HEADER": tenant.identity_env["IDENTITY_HEADER"]}
    with httpx.Client(trust_env=False) as http:
        issued = http.get(tenant.identity_env["IDENTITY_ENDPOINT"], params=query, headers=headers).json()
    answer = {"accessToken": issued["access_token"], "expires_on": int(datetime.now(UTC).timestamp()) + 3600}
    script = folder / "az"
    script.write_text(f"#!/bin/sh\necho '{json.dumps(answer)}'\n", "utf-8")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_on_sigint_and_sigterm_the_probe_first_removes_everything(
    tenant: RunningTenant, tmp_path: Path, how: int
) -> None:
    process = started(tenant, tmp_path, "--yes", "--nobody", "--only", "INV-25", **az(tenant, tmp_path))
    until(lambda: strangers(tenant))
    process.send_signal(how)
    printed, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 130, printed
    assert "Interrupted: removing the test accounts." in printed
    assert "Traceback" not in printed
    assert strangers(tenant) == []


def test_the_leftovers_of_a_killed_process_are_removed_by_the_next(tenant: RunningTenant, tmp_path: Path) -> None:
    environment = az(tenant, tmp_path)
    process = started(tenant, tmp_path, "--yes", "--nobody", "--only", "INV-25", **environment)
    until(lambda: strangers(tenant))
    process.kill()
    process.communicate(timeout=SECONDS)
    assert strangers(tenant)
    cleaning = started(tenant, tmp_path, "--clean", **environment)
    printed, _ = cleaning.communicate(timeout=SECONDS)
    assert (cleaning.returncode, printed) == (0, "Test accounts removed: 1.\n")
    assert strangers(tenant) == []
