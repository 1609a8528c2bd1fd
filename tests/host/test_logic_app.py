"""The sample for Logic Apps works with the app: it follows `Location`, branches on the outcome, and asks a person."""

import json
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from rehearsal.host.process import HostProcess
from rehearsal.rig import APP, HostedRig, app_settings
from rehearsal.storage import Azurite, provision
from rehearsal.tenant import RunningTenant, running
from tests.contracts.pages import ROOT
from tests.host.logic_app import LogicApp, Terminated
from tests.host.rig import IMPATIENT, mails, seed, started, user_id

SAMPLE: dict[str, Any] = json.loads((ROOT / "samples" / "logic-app" / "definition.json").read_text("utf-8"))
ROLE = {
    "id": "33333333-0000-4000-8000-000000000000",
    "displayName": "Helpers",
    "isAssignableToRole": True,
    "members": [user_id(1), user_id(2)],
}
ASLEEP = {"AzureWebJobs.convert.Disabled": "true"}
"""Settings with which the host accepts requests but processes none."""
WORD = {"SelectedOption": "Approve", "UserEmailAddress": "ops@contoso.com"}


@pytest.fixture(scope="module")
def tenant() -> Iterator[RunningTenant]:
    with running({**seed(), "groups": [ROLE]}) as found:
        yield found


@pytest.fixture(scope="module")
def storage(azurite: Azurite) -> str:
    found = azurite.connection_string(azurite.account())
    provision(found)
    return found


@pytest.fixture(scope="module")
def rigged(tenant: RunningTenant, storage: str) -> Iterator[HostedRig]:
    with started(tenant, storage) as rig:
        yield rig


def free_port() -> int:
    """Return a free port from a range that the system does not use for outgoing connections, so that it stays free."""
    while True:
        port = 20_000 + secrets.randbelow(10_000)
        with socket.socket() as found, suppress(OSError):
            found.bind(("127.0.0.1", port))
            return port


def soon(_seconds: float) -> None:
    time.sleep(0.2)


def flow(rigged: HostedRig, **answers: Any) -> LogicApp:
    headers = {"x-functions-key": rigged.host.function_key}
    return LogicApp(SAMPLE, {"api": f"{rigged.host.base}/api"}, headers, answers, soon)


def trigger(number: int) -> dict[str, str]:
    return {"requestId": f"flow-{number}", "userPrincipalName": f"partner{number}@contoso.com"}


def test_a_ready_account_is_invited(rigged: HostedRig) -> None:
    run = flow(rigged)
    run.run(trigger(5))
    assert run.bodies["Convert"]["stage"] == "invited"
    assert run.polled[-1] == (f"{rigged.host.base}/api/requests/flow-5", 200)
    assert {status for _, status in run.polled[:-1]} <= {202}
    assert set(run.waited) == {10.0}


def test_an_account_that_needs_review_is_invited_after_approval(rigged: HostedRig) -> None:
    run = flow(rigged, Ask=WORD)
    run.run(trigger(1))
    assert run.bodies["Convert"]["stage"] == "needsReview"
    assert run.bodies["Approve"]["stage"] == "invited"
    history = rigged.call("GET", "/api/requests/flow-1/history").json()["events"]
    decided = next(event for event in history if event["kind"] == "approved")
    assert decided["actor"] == {"kind": "stated", "id": None, "name": "ops@contoso.com"}


def test_an_account_that_needs_review_is_cancelled_after_refusal(rigged: HostedRig) -> None:
    run = flow(rigged, Ask={**WORD, "SelectedOption": "Refuse"})
    run.run(trigger(2))
    assert run.bodies["Refuse"]["stage"] == "cancelled"
    assert mails(rigged, 2) == []


def test_an_account_that_cannot_be_converted_fails_the_run_with_the_reason(rigged: HostedRig) -> None:
    with pytest.raises(Terminated) as ended:
        flow(rigged).run({"requestId": "flow-nobody", "userPrincipalName": "nobody@contoso.com"})
    (said,) = ended.value.args
    assert said["runError"]["code"] == "blocked"
    assert said["runError"]["message"]


def test_polling_as_logic_apps_does_survives_restarts_of_the_host(tenant: RunningTenant, azurite: Azurite) -> None:
    """The host is killed twice while the request waits, and restarts on the same port each time."""
    storage = azurite.connection_string(azurite.account())  # new, so that no other host processes the request
    provision(storage)
    port = free_port()
    key = "a" * 40
    hosts: list[HostProcess] = []

    def start(**settings: str) -> None:
        env = {**app_settings(tenant, storage), **IMPATIENT, **settings}
        host = HostProcess(app_dir=APP, env=env, port=port, function_key=key)
        hosts.append(host.__enter__())

    pauses = iter(range(100))

    def wait(_seconds: float) -> None:
        number = next(pauses)
        if number in {0, 2}:
            hosts[-1].kill()  # the next poll gets no answer, and is repeated
        elif not hosts[-1].running():
            start(**({} if number > 2 else ASLEEP))
        else:
            time.sleep(0.5)

    start(**ASLEEP)
    try:
        run = LogicApp(SAMPLE, {"api": f"{hosts[0].base}/api"}, {"x-functions-key": key}, {}, wait)
        body = {"requestId": "flow-7", "invitedUser": {"id": user_id(7)}, "dryRun": True}
        told = run._http({"method": "POST", "uri": f"{hosts[0].base}/api/requests", "body": body})
    finally:
        for host in hosts:
            host.__exit__(None, None, None)
    assert (told["requestId"], told["stage"]) == ("flow-7", "assessed")
    assert len(hosts) == 3
    assert any(seconds != 10.0 for seconds in run.waited), "no poll was without an answer"
