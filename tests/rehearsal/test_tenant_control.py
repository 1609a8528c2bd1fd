"""The control plane, and the tenant as a server."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from azure.identity import ManagedIdentityCredential

from rehearsal.tenant import create_app, running
from rehearsal.tenant.switches import SWITCHES, Switches
from tests.rehearsal.tenant_support import ANNA, GRAPH, SEED, contoso

ROOT = Path(__file__).parents[2]


async def test_the_journal_shows_each_call_with_its_outcome_but_never_the_token() -> None:
    async with contoso(roles=["User.Read.All"]) as tenant:
        await tenant.http.get(f"users/{ANNA}?$select=id", headers={"ConsistencyLevel": "eventual"})
        await tenant.get("domains")
        first, second = await tenant.sim("journal")
    assert (first["number"], first["method"], first["path"]) == (1, "GET", f"/v1.0/users/{ANNA}")
    assert (first["query"], first["status"], first["roles"]) == ({"$select": "id"}, 200, ["User.Read.All"])
    assert first["headers"]["consistencylevel"] == "eventual"
    assert (second["status"], second["errorCode"]) == (403, "Authorization_RequestDenied")
    assert "Bearer" not in json.dumps([first, second])


async def test_the_change_log_has_the_values_before_and_after_each_write() -> None:
    async with contoso() as tenant:
        await tenant.invite(ANNA)
        (change,) = await tenant.sim("changes")
    assert (change["kind"], change["id"]) == ("update", ANNA)
    assert change["before"]["externalUserState"] is None
    assert change["after"]["externalUserState"] == "PendingAcceptance"


async def test_a_reset_restores_everything_and_can_use_another_seed() -> None:
    async with contoso() as tenant:
        await tenant.invite(ANNA)
        await tenant.sim("switches", {"address-match": "mail-only"})
        await tenant.sim("reset", {})
        assert await tenant.sim("journal") == []
        assert await tenant.sim("mails") == []
        assert (await tenant.sim(f"users/{ANNA}"))["externalUserState"] is None
        assert (await tenant.sim("switches"))["address-match"] == "mail-or-other-mails"
        await tenant.sim("reset", {"seed": {"tenantId": SEED["tenantId"], "domains": SEED["domains"]}})
        assert await tenant.sim("users") == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("switches", {"address-match": "sideways"}, 400),
        ("switches", {"no-such-switch": "on"}, 400),
        ("clock", {"advance": -1}, 400),
        ("roles", {}, 400),
        ("reset", {"seed": {"domains": []}}, 400),
        ("redeem", {"userId": "nobody"}, 404),
    ],
)
async def test_an_invalid_command_is_refused_and_changes_nothing(
    path: str, body: dict[str, object], status: int
) -> None:
    async with contoso() as tenant:
        response = await tenant.http.post(f"{GRAPH}/_sim/{path}", json=body)
        assert response.status_code == status
        assert response.json()["error"]
        assert (await tenant.get(f"users/{ANNA}")).status_code == 200


@pytest.mark.parametrize(
    ("seed", "message"),
    [
        ({"domains": [{"id": "contoso.com"}]}, "tenantId"),
        (SEED | {"user": []}, "unknown keys: user"),
        (SEED | {"users": [{"id": ANNA, "userPrincipalName": "a@contoso.com", "email": "x"}]}, "no property email"),
        (SEED | {"users": [{"id": ANNA, "userPrincipalName": "a@contoso.com", "otherMails": "x"}]}, "otherMails"),
        (
            SEED | {"users": [{"id": ANNA, "userPrincipalName": "a@contoso.com", "assignedPlans": [{"plan": "x"}]}]},
            "no member plan",
        ),
        (SEED | {"users": [*SEED["users"], SEED["users"][0]]}, "two objects with the id"),
    ],
)
def test_an_invalid_seed_is_refused_with_the_name_of_the_fault(seed: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        create_app(seed)


def test_an_unknown_switch_or_position_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="no switch is called 'colour'"):
        create_app(SEED, switches={"colour": "red"})
    with pytest.raises(ValueError, match="has the positions dead, alive"):
        Switches({"old-redeem-link": "maybe"})


def test_the_first_position_of_a_switch_is_its_default() -> None:
    assert Switches().positions() == {switch.name: switch.positions[0] for switch in SWITCHES}


def test_a_running_tenant_obeys_its_control_plane_and_stops_listening_at_the_end() -> None:
    with running(SEED, switches={"address-match": "mail-only"}, roles=["User.Invite.All", "User.Read.All"]) as tenant:
        identity = tenant.identity_env
        headers = {"X-IDENTITY-HEADER": identity["IDENTITY_HEADER"]}
        params = {"api-version": "2019-08-01", "resource": GRAPH}
        with httpx.Client(base_url=tenant.graph_url) as http:
            issued = http.get(identity["IDENTITY_ENDPOINT"], params=params, headers=headers).json()
            http.headers["Authorization"] = f"Bearer {issued['access_token']}"
            body = {"inviteRedirectUrl": "https://myapps.microsoft.com", "invitedUser": {"id": ANNA}}
            refused = http.post("invitations", json=body | {"invitedUserEmailAddress": "anna.fischer@fabrikam.com"})
            tenant.control.set_switch("address-match", "mail-or-other-mails")
            invited = http.post("invitations", json=body | {"invitedUserEmailAddress": "anna.fischer@fabrikam.com"})
            http.get("nonsense")
        assert (refused.status_code, invited.status_code) == (400, 201)
        assert tenant.control.redeem(ANNA, "mail")["externalUserState"] == "Accepted"
        assert tenant.control.user(ANNA)["identities"][-1]["issuer"] == "mail"
        assert [entry["status"] for entry in tenant.control.journal()] == [400, 201, 400]
        assert [violation["kind"] for violation in tenant.control.violations()] == ["unknown-route"]
        assert tenant.control.mails() == []
        assert len(tenant.control.users()) == 4
        assert [change["kind"] for change in tenant.control.changes()] == ["update", "update"]
        tenant.control.set_roles(["Domain.Read.All"])
        tenant.control.advance(3600)
        with pytest.raises(httpx.HTTPStatusError, match="409"):
            tenant.control.redeem(ANNA)
        tenant.control.reset()
        assert tenant.control.journal() == []
    with pytest.raises(httpx.ConnectError):
        httpx.get(tenant.base, trust_env=False)


def test_a_managed_identity_credential_gets_a_token_from_the_tenant(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(SEED) as tenant:
        for name, value in tenant.identity_env.items():
            monkeypatch.setenv(name, value)
        with ManagedIdentityCredential() as credential:
            bearer = credential.get_token(f"{GRAPH}/.default").token
        response = httpx.get(f"{tenant.graph_url}/domains", headers={"Authorization": f"Bearer {bearer}"})
    assert response.status_code == 200


def test_the_command_prints_that_it_is_ready_and_exits_on_sigterm(tmp_path: Path) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps(SEED), "utf-8")
    command = [sys.executable, "-m", "rehearsal.tenant", "--port", "0", "--seed", str(seed)]
    command += ["--switch", "old-redeem-link=alive", "--identity-header", "secret"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ}) as process:  # noqa: S603
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"control (http://127\.0\.0\.1:\d+/_sim)", line)
            assert found, line
            switches = httpx.get(f"{found[1]}/switches", trust_env=False).json()
            assert switches["old-redeem-link"] == "alive"
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
