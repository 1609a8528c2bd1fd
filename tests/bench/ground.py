"""The environment of a race: a tenant and storage in separate processes, whose CPU time is read, and an older tree."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from azure.storage.queue import QueueClient

from rehearsal.storage import Azurite, provision
from rehearsal.tenant.control.client import Control
from tests.support.world import account, tenant_of

ROOT = Path(__file__).parents[2]
CONTESTANT = Path(__file__).with_name("contestant.py")
BEFORE = "d9779b7"
"""The commit with which this tree is compared."""
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Ground:
    """One tenant and one storage account."""

    graph_url: str
    environment: Mapping[str, str]
    storage: str
    tenant_pid: int
    storage_pid: int
    control: Control

    def fill(self, first: int, accounts: int) -> None:
        """Put one message for each account into the queue."""
        with QueueClient.from_connection_string(self.storage, "conversion-requests") as queue:
            for number in range(first, first + accounts):
                body = {"requestId": f"r{number}", "invitedUser": {"id": account(number)["id"]}}
                queue.send_message(json.dumps(body))

    def start(self, who: str, tree: Path = ROOT, settings: Mapping[str, str] | None = None, **options: Any) -> Any:
        """Start a contestant. `ended` waits for it and returns its figures."""
        given = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))]
        environment = {
            **{name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}},
            **self.environment,
            "PYTHONPATH": str(tree),
            "B2BStorage": self.storage,
            "GRAPH_BASE_URL": self.graph_url,
            "B2B_MODE": "convert",
            "B2B_SWEEP_SCHEDULE": "0 0 3 1 1 *",
            "B2B_INVITATIONS_PER_MINUTE": "0",
            **(settings or {}),
        }
        command = [sys.executable, str(CONTESTANT), who, *given]
        return subprocess.Popen(command, env=environment, cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(
        self, who: str, tree: Path = ROOT, settings: Mapping[str, str] | None = None, **options: Any
    ) -> dict[str, Any]:
        """Run a contestant and return its figures, plus the CPU time of storage and tenant in ms for each account."""
        before = cpu(self.tenant_pid), cpu(self.storage_pid)
        found = ended(self.start(who, tree, settings, **options))
        after, invited = (cpu(self.tenant_pid), cpu(self.storage_pid)), max(found["invited"], 1)
        for name, first, last in zip(("tenant_ms", "storage_ms"), before, after, strict=True):
            found[name] = (last - first) / invited * 1000
        return found


def ended(process: Any) -> dict[str, Any]:
    """Wait for a contestant and return its figures. Raises RuntimeError if it failed."""
    out, err = process.communicate(timeout=1800)
    if process.returncode:
        raise RuntimeError(err.decode()[-2000:])
    found: dict[str, Any] = json.loads(out.decode().splitlines()[-1])
    return found


def cpu(pid: int) -> float:
    """Return the CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def ground(accounts: int) -> Iterator[Ground]:
    """Start storage and a tenant with this number of accounts."""
    with tempfile.TemporaryDirectory() as folder, Azurite(accounts=1) as azurite:
        storage = azurite.connection_string(azurite.account())
        provision(storage)
        seed = Path(folder) / "seed.json"
        seed.write_text(json.dumps(tenant_of(*(account(number) for number in range(accounts)))), "utf-8")
        command = [sys.executable, "-m", "rehearsal.tenant", "--port", "0", "--seed", str(seed)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as tenant:
            try:
                yield _ground(tenant, storage, azurite.pid)
            finally:
                tenant.terminate()


def _ground(tenant: Any, storage: str, storage_pid: int) -> Ground:
    tenant.stdout.readline()
    said = dict(tenant.stdout.readline().strip().split("=", 1) for _ in range(3))
    graph_url = said.pop("GRAPH_BASE_URL")
    base = graph_url.removesuffix("/v1.0")
    return Ground(graph_url, said, storage, tenant.pid, storage_pid, Control(base))


@contextmanager
def before() -> Iterator[Path | str]:
    """Yield a work tree of the commit to compare with. If the clone does not have it, yield a sentence that says so."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "before"
        git = ["git", "-C", str(ROOT), "worktree"]
        done = subprocess.run([*git, "add", "--detach", str(tree), BEFORE], capture_output=True, text=True, check=False)
        if done.returncode:
            yield f"{BEFORE} is not in this clone: no figures of it"
            return
        try:
            yield tree
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], capture_output=True, check=False)


@contextmanager
def foreign_application(at: Ground, per_second: float) -> Iterator[list[int]]:
    """Let another application invite strangers at a steady rate, and yield the growing list of its calls' statuses."""
    url = at.environment["IDENTITY_ENDPOINT"]
    parameters = {"resource": "https://graph.microsoft.com", "client_id": "00000000-0000-4000-8000-00000000f0f0"}
    header = {"X-IDENTITY-HEADER": at.environment["IDENTITY_HEADER"]}
    token = httpx.get(url, params={**parameters, "api-version": "2019-08-01"}, headers=header).json()["access_token"]
    statuses, stop = list[int](), threading.Event()

    def invite() -> None:
        with httpx.Client(headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=30) as client:
            began = time.monotonic()
            while not stop.wait(max(began + len(statuses) / per_second - time.monotonic(), 0)):
                stranger = {
                    "invitedUserEmailAddress": f"stranger{len(statuses)}@litware.com",
                    "inviteRedirectUrl": "https://myapps.microsoft.com",
                }
                with suppress(httpx.HTTPError):
                    statuses.append(client.post(f"{at.graph_url}/invitations", json=stranger).status_code)

    thread = threading.Thread(target=invite, daemon=True)
    thread.start()
    try:
        yield statuses
    finally:
        stop.set()
        thread.join(5)
