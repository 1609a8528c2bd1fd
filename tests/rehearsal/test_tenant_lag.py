"""Lagging replicas: reads alternate between the old and the new state, and lists lag longer."""

from typing import Any

import pytest

from tests.rehearsal.tenant_support import ANNA, BEN, GONE, GRAPH, Client, contoso

LATE = {"byId": 30, "index": 90}


async def lag(tenant: Client, **bounds: Any) -> None:
    await tenant.sim("clock", {"frozen": True})
    await tenant.sim("lag", bounds or LATE)


async def advance(tenant: Client, seconds: float) -> None:
    await tenant.sim("clock", {"advance": seconds})


async def states(tenant: Client, reads: int = 20, identifier: str = ANNA) -> list[Any]:
    found = [await tenant.get(f"users/{identifier}", select="externalUserState") for _ in range(reads)]
    return [response.json().get("externalUserState") for response in found]


async def pending(tenant: Client, reads: int = 20) -> list[list[str]]:
    return [
        await tenant.ids("users", eventual=True, filter="externalUserState eq 'PendingAcceptance'", count="true")
        for _ in range(reads)
    ]


async def test_without_lag_every_read_shows_the_latest_write_from_the_primary() -> None:
    async with contoso() as tenant:
        await tenant.invite(ANNA)
        assert set(await states(tenant)) == {"PendingAcceptance"}
        assert {entry["replica"] for entry in await tenant.sim("journal")} == {None}


async def test_after_a_write_reads_show_the_old_state_then_either_then_the_new_one() -> None:
    async with contoso() as tenant:
        await lag(tenant)
        await tenant.invite(ANNA)
        assert set(await states(tenant)) == {None}
        await advance(tenant, 15)
        flapping = await states(tenant)
        assert set(flapping) == {None, "PendingAcceptance"}
        assert flapping != sorted(flapping, key=str), "it goes back to the old state after the new one"
        await advance(tenant, 15)
        assert set(await states(tenant)) == {"PendingAcceptance"}


async def test_the_journal_names_the_replica_and_each_replica_answers_consistently() -> None:
    async with contoso() as tenant:
        await lag(tenant)
        await tenant.invite(ANNA)
        await advance(tenant, 15)
        found = await states(tenant, 40)
        replicas = [entry["replica"] for entry in await tenant.sim("journal") if entry["method"] == "GET"]
    assert set(replicas) == {0, 1, 2}
    assert len(set(zip(replicas, found, strict=True))) == 3


async def test_the_control_plane_shows_the_primary() -> None:
    async with contoso() as tenant:
        await lag(tenant)
        await tenant.invite(ANNA)
        assert (await tenant.sim(f"users/{ANNA}"))["externalUserState"] == "PendingAcceptance"


async def test_lists_lag_further_than_reads_by_id_and_within_their_bound() -> None:
    async with contoso() as tenant:
        await lag(tenant)
        await tenant.invite(ANNA)
        await advance(tenant, 31)
        assert set(await states(tenant)) == {"PendingAcceptance"}
        assert any(ANNA not in found for found in await pending(tenant))
        await advance(tenant, 60)
        assert all(ANNA in found for found in await pending(tenant))


async def test_a_new_account_is_first_not_found_by_id_name_or_address() -> None:
    async with contoso() as tenant:
        await lag(tenant)
        guest = (await tenant.invite(None, "new@litware.com")).json()["invitedUser"]["id"]
        name = (await tenant.sim(f"users/{guest}"))["userPrincipalName"].replace("#", "%23")
        asked = "mail eq 'new@litware.com'"
        assert (await tenant.get(f"users/{guest}")).status_code == 404
        assert (await tenant.http.get(f"users/{name}")).status_code == 404
        assert (await tenant.get(f"users/{guest}/memberOf")).status_code == 404
        assert await tenant.ids("users", filter=asked, select="id") == []
        await advance(tenant, 90)
        assert (await tenant.get(f"users/{guest}")).status_code == 200
        assert (await tenant.http.get(f"users/{name}")).status_code == 200
        assert await tenant.ids("users", filter=asked, select="id") == [guest]


async def test_an_old_address_still_finds_an_account_whose_address_has_changed() -> None:
    old, new = "mail eq 'anna@fabrikam.com'", "mail eq 'anna@litware.com'"
    async with contoso() as tenant:
        await lag(tenant)
        assert (await tenant.http.patch(f"users/{ANNA}", json={"mail": "anna@litware.com"})).status_code == 204
        assert await tenant.ids("users", filter=old, select="id") == [ANNA]
        assert await tenant.ids("users", filter=new, select="id") == []
        await advance(tenant, 90)
        assert await tenant.ids("users", filter=old, select="id") == []
        assert await tenant.ids("users", filter=new, select="id") == [ANNA]


async def test_deleting_restoring_and_purging_lag_too() -> None:
    async with contoso() as tenant:
        await lag(tenant)
        binned = "directory/deletedItems/microsoft.graph.user"
        assert (await tenant.http.delete(f"users/{ANNA}")).status_code == 204
        await tenant.http.delete(f"directory/deletedItems/{GONE}")
        assert (await tenant.get(f"users/{ANNA}")).status_code == 200
        assert await tenant.ids(binned, select="id") == [GONE]
        await advance(tenant, 90)
        assert (await tenant.get(f"users/{ANNA}")).status_code == 404
        assert await tenant.ids(binned, select="id") == [ANNA]
        await tenant.http.post(f"directory/deletedItems/{ANNA}/restore")
        assert (await tenant.get(f"users/{ANNA}")).status_code == 404
        await advance(tenant, 90)
        assert (await tenant.get(f"users/{ANNA}")).json()["userPrincipalName"] == "anna@contoso.com"


async def test_writes_to_one_account_reach_a_replica_in_their_order() -> None:
    seen: dict[int, list[int]] = {0: [], 1: [], 2: []}
    async with contoso() as tenant:
        await lag(tenant)
        for second in range(60):
            if second < 25:
                await tenant.http.patch(f"users/{BEN}", json={"city": str(second)})
            shown = [(await tenant.get(f"users/{BEN}", select="city")).json()["city"] for _ in range(6)]
            for city, entry in zip(shown, (await tenant.sim("journal"))[-6:], strict=True):
                seen[entry["replica"]].append(int(city or -1))
            await advance(tenant, 1)
    for shown_by_one in seen.values():
        assert shown_by_one == sorted(shown_by_one)
        assert shown_by_one[-1] == 24


async def test_a_repeatedly_deleted_account_ends_restored_on_every_replica() -> None:
    async with contoso() as tenant:
        await lag(tenant)
        seen: set[int] = set()
        for second in range(50):
            if second < 20:
                going = f"users/{ANNA}" if second % 2 == 0 else f"directory/deletedItems/{ANNA}/restore"
                await tenant.http.request("DELETE" if second % 2 == 0 else "POST", going)
            seen |= {(await tenant.get(f"users/{ANNA}")).status_code for _ in range(6)}
            await advance(tenant, 1)
        assert seen == {200, 404}
        assert {(await tenant.get(f"users/{ANNA}")).status_code for _ in range(20)} == {200}


@pytest.mark.parametrize("seed", range(8))
async def test_for_any_seed_one_replica_is_quick_and_one_is_slow(seed: int) -> None:
    async with contoso() as tenant:
        await lag(tenant, byId=30, index=30, seed=seed)
        await tenant.invite(ANNA)
        for seconds in (11, 8):
            await advance(tenant, seconds)
            assert set(await states(tenant, 30)) == {None, "PendingAcceptance"}


async def test_a_write_uses_the_state_of_the_primary() -> None:
    async with contoso() as tenant:
        await lag(tenant)
        await tenant.invite(ANNA)
        await tenant.sim("redeem", {"userId": ANNA})
        assert (await tenant.invite(ANNA)).json()["status"] == "Completed"
        assert set(await states(tenant)) == {None}


async def test_all_pages_of_a_list_come_from_one_replica() -> None:
    async with contoso() as tenant:
        await lag(tenant)
        for _ in range(6):
            link: str | None = "users?$select=id&$top=1"
            while link:
                link = (await tenant.http.get(link)).json().get("@odata.nextLink")
        replicas = [entry["replica"] for entry in await tenant.sim("journal")]
    walks = [set(replicas[start : start + 3]) for start in range(0, 18, 3)]
    assert all(len(walk) == 1 for walk in walks)
    assert len(set.union(*walks)) > 1


async def test_reads_of_policies_and_groups_use_no_replica() -> None:
    async with contoso() as tenant:
        await lag(tenant)
        await tenant.get("groups")
        await tenant.get("policies/authorizationPolicy")
        assert [entry["replica"] for entry in await tenant.sim("journal")] == [None, None]


async def test_a_part_of_a_batch_is_read_from_a_replica_too() -> None:
    async with contoso() as tenant:
        await lag(tenant)
        await tenant.invite(ANNA)
        part = {"id": "1", "method": "GET", "url": f"/users/{ANNA}?$select=externalUserState"}
        (answer,) = (await tenant.http.post("$batch", json={"requests": [part]})).json()["responses"]
        assert answer["body"]["externalUserState"] is None
        assert (await tenant.sim("journal"))[-1]["replica"] in (0, 1, 2)


async def test_equal_seeds_give_equal_reads_and_another_seed_other_ones() -> None:
    async def course(seed: int) -> list[list[Any]]:
        async with contoso() as tenant:
            await lag(tenant, byId=30, index=30, seed=seed)
            await tenant.invite(ANNA)
            seen = []
            for _ in range(10):
                seen.append(await states(tenant, 5))
                await advance(tenant, 3)
            return seen

    assert await course(1) == await course(1)
    assert await course(1) != await course(2)


async def test_lag_applies_to_later_writes_only_and_ends_when_set_to_0() -> None:
    async with contoso() as tenant:
        await tenant.invite(ANNA)
        await lag(tenant)
        assert set(await states(tenant)) == {"PendingAcceptance"}
        await tenant.sim("redeem", {"userId": ANNA})
        assert set(await states(tenant)) == {"PendingAcceptance"}
        await tenant.sim("lag", {})
        assert set(await states(tenant)) == {"Accepted"}


@pytest.mark.parametrize("body", [{"byId": 5, "index": 1}, {"byId": -1}, {"lists": 5}])
async def test_invalid_lag_settings_are_refused(body: dict[str, Any]) -> None:
    async with contoso() as tenant:
        assert (await tenant.http.post(f"{GRAPH}/_sim/lag", json=body)).status_code == 400
        assert (await tenant.sim("lag"))["byId"] == 0
