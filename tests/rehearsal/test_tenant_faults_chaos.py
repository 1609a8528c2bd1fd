"""Random faults: seeded, limited to a share, in the journal, and repeatable."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from tests.rehearsal.tenant_support import ANNA, BEN, GRAPH, GUEST, Client, contoso

READS = [f"users/{ANNA}", f"users/{BEN}", "domains", f"users/{GUEST}", "users?$top=5"]


async def run(tenant: Client, calls: int) -> None:
    for number in range(calls):
        try:
            if number % 10 == 9:
                await tenant.invite(ANNA)
            else:
                await tenant.http.get(READS[number % len(READS)])
        except httpx.RemoteProtocolError:
            continue


async def journal(tenant: Client) -> list[dict[str, Any]]:
    return [{**entry, "time": None} for entry in await tenant.sim("journal")]


async def troubled_run(seed: int) -> list[dict[str, Any]]:
    async with contoso() as tenant:
        await tenant.sim("clock", {"frozen": True})
        await tenant.sim("chaos", {"share": 0.3, "kinds": ["503-json", "504-html", "reset", "status-error"]})
        await tenant.sim("lag", {"byId": 30, "index": 60})
        await tenant.sim("throttling", {"on": True, "factor": 0.01})
        await tenant.sim("seed", {"seed": seed})
        for _ in range(10):
            await run(tenant, 20)
            await tenant.sim("clock", {"advance": 7})
        return await journal(tenant)


async def test_the_same_seed_gives_the_same_journal_and_another_seed_another() -> None:
    first = await troubled_run(7)
    assert await troubled_run(7) == first
    assert {entry["replica"] for entry in first} == {None, 0, 1, 2}
    assert {entry["fault"]["kind"] for entry in first if entry["fault"]} == {
        "503-json",
        "504-html",
        "reset",
        "status-error",
    }
    other = await troubled_run(8)
    assert [entry["fault"] for entry in other] != [entry["fault"] for entry in first]
    assert [entry["replica"] for entry in other] != [entry["replica"] for entry in first]


@pytest.mark.parametrize("share", [0.05, 0.3, 1.0])
async def test_chaos_hits_at_least_half_its_share_of_calls_and_never_more(share: float) -> None:
    async with contoso() as tenant:
        await tenant.sim("chaos", {"seed": 1, "share": share, "kinds": ["503-json"]})
        await run(tenant, 400)
        told = await tenant.sim("chaos")
        thrown = Counter(entry["fault"]["kind"] for entry in await journal(tenant) if entry["fault"])
    assert told["calls"] == 400
    assert told["thrown"] == dict(thrown)
    assert 0.5 * share <= thrown.total() / 400 <= share


async def test_chaos_is_named_in_the_journal_and_picks_only_faults_that_fit() -> None:
    async with contoso() as tenant:
        await tenant.sim("chaos", {"share": 1.0})
        await run(tenant, 300)
        faults = [entry for entry in await journal(tenant) if entry["fault"]]
    assert {entry["fault"]["by"] for entry in faults} == {"chaos"}
    assert {entry["fault"]["when"] for entry in faults} == {"before", "after"}
    lies = [entry for entry in faults if entry["fault"]["kind"] in ("no-effect", "status-error")]
    assert all(entry["path"] == "/v1.0/invitations" for entry in lies)
    assert "expired-page" not in {entry["fault"]["kind"] for entry in faults}


async def test_chaos_can_be_aimed_and_ends_with_a_share_of_0() -> None:
    async with contoso() as tenant:
        await tenant.sim("chaos", {"share": 1.0, "kinds": ["503-json"], "path": "/domains"})
        assert (await tenant.get("users")).status_code == 200
        assert (await tenant.get("domains")).status_code == 503
        await tenant.sim("chaos", {"share": 0})
        assert (await tenant.get("domains")).status_code == 200


async def test_the_script_takes_precedence_over_chaos() -> None:
    async with contoso() as tenant:
        await tenant.sim("chaos", {"share": 1.0, "kinds": ["503-json"]})
        await tenant.sim("faults", {"faults": [{"kind": "409", "nth": 1}]})
        assert [(await tenant.get("domains")).status_code for _ in range(2)] == [409, 503]


async def test_the_random_fault_of_a_call_does_not_depend_on_other_calls() -> None:
    async def faults_of(path: str, others: int) -> list[Any]:
        async with contoso() as tenant:
            await tenant.sim("chaos", {"seed": 3, "share": 0.2, "kinds": ["503-json", "500-html"]})
            for _ in range(60):
                await tenant.http.get(path)
                for _ in range(others):
                    await tenant.http.get("organization")
            return [entry["fault"] for entry in await journal(tenant) if entry["path"].endswith(path)]

    alone, among_others = await faults_of("domains", 0), await faults_of("domains", 3)
    thrown = [(a, b) for a, b in zip(alone, among_others, strict=True) if a and b]
    assert thrown
    assert all(a == b for a, b in thrown)


@pytest.mark.parametrize(
    "body", [{"share": 1.5}, {"share": -0.1}, {"share": 0.1, "kinds": ["418"]}, {"share": 0.1, "often": True}]
)
async def test_invalid_chaos_settings_are_refused(body: Mapping[str, Any]) -> None:
    async with contoso() as tenant:
        assert (await tenant.http.post(f"{GRAPH}/_sim/chaos", json=body)).status_code == 400
        assert (await tenant.sim("chaos"))["share"] == 0
