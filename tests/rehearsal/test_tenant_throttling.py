"""Throttling: token buckets on the tenant's clock, and clients that retry before Retry-After has ended."""

import asyncio
from contextlib import suppress
from typing import Any

import httpx
import pytest

from rehearsal.tenant.faults.throttling import tier_of
from tests.rehearsal.tenant_support import ANNA, BEN, GRAPH, Client, contoso, error, token

FEWEST = 1 / 150
"""The factor with which a limit fits one invitation, and 23 resource units of a small tenant."""


async def throttle(tenant: Client, **settings: Any) -> None:
    await tenant.sim("clock", {"frozen": True})
    await tenant.sim("throttling", {"on": True, **settings})


async def advance(tenant: Client, seconds: float) -> None:
    await tenant.sim("clock", {"advance": seconds})


async def read_until_refused(tenant: Client, path: str = "users/" + BEN) -> tuple[int, httpx.Response]:
    for served in range(1000):
        response = await tenant.http.get(path)
        if response.status_code == 429:
            return served, response
    raise AssertionError("nothing was refused")


async def test_throttling_is_off_until_it_is_switched_on() -> None:
    async with contoso() as tenant:
        assert (await tenant.sim("throttling"))["on"] is False
        responses = [await tenant.get("domains") for _ in range(50)]
        await throttle(tenant, factor=FEWEST)
        assert {response.status_code for response in responses} == {200}
        assert (await read_until_refused(tenant))[0] == 23


@pytest.mark.parametrize(("tier", "served"), [("S", 35), ("M", 50), ("L", 80)])
async def test_the_limit_of_resource_units_depends_on_the_tenants_tier(tier: str, served: int) -> None:
    async with contoso() as tenant:
        await throttle(tenant, factor=0.01, tier=tier)
        assert (await read_until_refused(tenant))[0] == served


def test_the_tier_of_a_tenant_depends_on_its_number_of_users() -> None:
    assert [tier_of(users) for users in (0, 49, 50, 500, 501)] == ["S", "S", "M", "M", "L"]


@pytest.mark.parametrize(
    ("path", "served"),
    [
        (f"users/{BEN}", 35),
        ("users", 17),
        ("users?$select=id", 35),
        ("users?$top=5", 35),
        (f"users/{BEN}/memberOf", 17),
    ],
)
async def test_a_call_has_the_cost_of_the_limits_page(path: str, served: int) -> None:
    async with contoso() as tenant:
        await throttle(tenant, factor=0.01)
        assert (await read_until_refused(tenant, path))[0] == served


async def test_a_refusal_names_the_application_the_limit_and_the_wait() -> None:
    async with contoso() as tenant:
        await throttle(tenant, factor=FEWEST)
        _, refused = await read_until_refused(tenant)
        app_id = (await token(tenant.app))["client_id"]
    assert error(refused) == (
        429,
        "TooManyRequests",
        f"Too many requests from Identifier:{app_id} under category:aadgraph.app.tenant_small. Please try again later.",
    )
    assert refused.headers["x-ms-throttle-information"] == "ResourceUnitLimitExceeded"
    assert refused.headers["x-ms-throttle-scope"].startswith(f"Tenant_Application/ReadWrite/{app_id}/")
    assert int(refused.headers["retry-after"]) >= 1


async def test_the_used_share_of_a_limit_is_reported_from_80_percent_on() -> None:
    async with contoso() as tenant:
        await throttle(tenant, factor=0.01)
        shown = [(await tenant.get(f"users/{BEN}")).headers.get("x-ms-throttle-limit-percentage") for _ in range(35)]
    assert shown[:28] == [None] * 28
    assert shown[28:] == ["0.83", "0.86", "0.89", "0.91", "0.94", "0.97", "1.00"]


async def test_a_client_that_waits_for_retry_after_is_served_without_violation() -> None:
    async with contoso() as tenant:
        await throttle(tenant, factor=FEWEST)
        _, refused = await read_until_refused(tenant)
        await advance(tenant, int(refused.headers["retry-after"]))
        assert (await tenant.get(f"users/{BEN}")).status_code == 200
        assert await tenant.violations() == []


async def test_refused_calls_count_against_the_limit() -> None:
    async def wait_after(calls: int) -> int:
        async with contoso() as tenant:
            await throttle(tenant, factor=FEWEST)
            await read_until_refused(tenant)
            told = [await tenant.get("users", select="id", top=str(number)) for number in range(20, 20 + calls)]
            return int(told[-1].headers["retry-after"])

    assert await wait_after(60) > await wait_after(1) + 20


async def test_invitations_have_their_own_limit_for_the_whole_tenant() -> None:
    async with contoso() as tenant:
        await throttle(tenant, factor=FEWEST)
        first, second = await tenant.invite(ANNA), await tenant.invite(ANNA, sendInvitationMessage=False)
        assert (first.status_code, second.status_code) == (201, 429)
        assert second.headers["x-ms-throttle-scope"].startswith("Tenant/Write/")
        assert (await tenant.get(f"users/{ANNA}")).status_code == 200
        assert len(await tenant.sim("mails")) == 1
        used = (await tenant.sim("throttling"))["used"]
    assert used["invitations"] == 2
    assert not any(name.startswith(("writes", "tenant-writes")) for name in used)


async def test_the_limit_is_150_invitations_in_5_seconds() -> None:
    async with contoso() as tenant:
        await throttle(tenant)
        statuses = [(await tenant.invite(ANNA)).status_code for _ in range(151)]
    assert statuses == [201] * 150 + [429]


async def test_writes_have_their_own_limits_besides_resource_units() -> None:
    async with contoso() as tenant:
        await throttle(tenant, factor=FEWEST)
        statuses = []
        for number in range(24):
            statuses.append((await tenant.http.patch(f"users/{BEN}", json={"city": f"{number}"})).status_code)
            await advance(tenant, 0.5)
        used = (await tenant.sim("throttling"))["used"]
    assert statuses[:20] == [204] * 20
    assert 429 in statuses
    assert used["tenant-writes"] > 19


async def test_the_parts_of_a_batch_are_charged_and_refused_separately() -> None:
    parts = [{"id": str(number), "method": "GET", "url": f"/users?$top={20 + number}"} for number in range(20)]
    async with contoso() as tenant:
        await throttle(tenant, factor=FEWEST)
        envelope = await tenant.http.post("$batch", json={"requests": parts})
        units = [value for name, value in (await tenant.sim("throttling"))["used"].items() if "units" in name]
    answers = {int(part["id"]): part for part in envelope.json()["responses"]}
    assert units == [40], "twenty parts at two units each, and nothing for the envelope"
    assert envelope.status_code == 200
    assert "retry-after" not in envelope.headers
    assert [answers[number]["status"] for number in range(20)] == [200] * 11 + [429] * 9
    assert int(answers[19]["headers"]["Retry-After"]) > int(answers[11]["headers"]["Retry-After"]) >= 1


async def test_repeating_a_call_before_retry_after_is_a_violation_and_doubles_the_wait() -> None:
    async with contoso() as tenant:
        await tenant.sim("clock", {"frozen": True})
        await tenant.sim("faults", {"faults": [{"kind": "429-integer", "seconds": 10, "nth": 1}]})
        assert (await tenant.invite(ANNA)).headers["retry-after"] == "10"
        await advance(tenant, 4)
        early = await tenant.invite(ANNA)
        assert (early.status_code, early.headers["retry-after"]) == (429, "20")
        assert await tenant.violations() == ["early-retry"]
        assert (await tenant.sim("violations"))[0]["detail"] == "the same call, 6.0 s before Retry-After"
        await advance(tenant, 20)
        assert (await tenant.invite(ANNA)).status_code == 201
        assert len(await tenant.sim("mails")) == 1


async def test_repeating_a_refused_call_within_the_grace_time_is_no_violation() -> None:
    async with contoso() as tenant:
        await tenant.sim("clock", {"frozen": True})
        await tenant.sim("faults", {"faults": [{"kind": "429-integer", "seconds": 10, "nth": 1}]})
        assert [(await tenant.get("domains")).status_code for _ in range(2)] == [429, 200]
        await advance(tenant, 0.9)
        assert (await tenant.get("domains")).status_code == 200
        assert await tenant.violations() == []


@pytest.mark.parametrize(("pace", "blamed"), [(1.5, 8.5), (0.25, 9.0), (9.0, 1.0)])
async def test_repeating_a_refused_call_after_the_grace_time_is_a_violation(pace: float, blamed: float) -> None:
    async with contoso() as tenant:
        await tenant.sim("clock", {"frozen": True})
        await tenant.sim("faults", {"faults": [{"kind": "429-integer", "seconds": 10, "nth": 1}]})
        await tenant.get("domains")
        while not await tenant.violations():
            await advance(tenant, pace)
            await tenant.get("domains")
        (violation,) = await tenant.sim("violations")
    assert (violation["kind"], violation["path"]) == ("early-retry", "/v1.0/domains")
    assert violation["detail"] == f"the same call, {blamed:.1f} s before Retry-After"


async def test_retry_after_of_a_part_counts_from_the_answer_to_the_batch() -> None:
    batch = {"requests": [{"id": "1", "method": "GET", "url": "/domains"}]}
    slowly = {"kind": "slow", "when": "after", "seconds": 0.5, "path": r"/\$batch"}
    async with contoso() as tenant:
        await tenant.sim("clock", {"frozen": True})
        await tenant.sim(
            "faults", {"faults": [slowly, {"kind": "429-integer", "seconds": 10, "nth": 1, "where": "part"}]}
        )
        asking = asyncio.create_task(tenant.http.post("$batch", json=batch))
        while 429 not in [entry["status"] for entry in await tenant.sim("journal")]:
            await asyncio.wait([asking], timeout=0.01)
        await advance(tenant, 5)
        assert (await tenant.get("domains")).status_code == 200
        assert not asking.done(), "the answer with Retry-After was still on its way"
        assert (await asking).json()["responses"][0]["headers"]["Retry-After"] == "10"
        assert await tenant.violations() == []
        await advance(tenant, 9)
        await tenant.get("domains")
        assert await tenant.violations() == ["early-retry"]


@pytest.mark.parametrize("kind", ["504-json", "reset"])
async def test_a_retry_after_in_a_lost_answer_need_not_be_kept(kind: str) -> None:
    async with contoso() as tenant:
        await throttle(tenant, factor=FEWEST)
        assert (await tenant.invite(ANNA)).status_code == 201
        await tenant.sim("faults", {"faults": [{"kind": kind, "when": "after", "nth": 1}]})
        with suppress(httpx.RemoteProtocolError):
            assert (await tenant.invite(ANNA)).status_code == 504
        await advance(tenant, 2)
        assert (await tenant.invite(ANNA)).headers["retry-after"] == "13"
        assert await tenant.violations() == []


@pytest.mark.parametrize("kind", ["429-fraction", "429-date", "503-retry-after"])
async def test_every_form_of_retry_after_must_be_kept(kind: str) -> None:
    async with contoso() as tenant:
        await tenant.sim("clock", {"frozen": True})
        await tenant.sim("faults", {"faults": [{"kind": kind, "nth": 1}, {"kind": kind, "nth": 2}]})
        await tenant.get("domains")
        await advance(tenant, 3.2)
        assert (await tenant.get("domains")).status_code in (429, 503)
        assert await tenant.violations() == []
        await advance(tenant, 1)
        await tenant.get("domains")
        assert await tenant.violations() == ["early-retry"]


async def test_a_refusal_without_retry_after_demands_no_wait() -> None:
    async with contoso() as tenant:
        await tenant.sim("faults", {"faults": [{"kind": "429-missing", "nth": 1}]})
        assert [(await tenant.get("domains")).status_code for _ in range(2)] == [429, 200]
        assert await tenant.violations() == []


async def test_another_call_on_a_full_bucket_after_the_grace_time_is_a_violation() -> None:
    async with contoso() as tenant:
        await throttle(tenant, factor=FEWEST)
        _, refused = [await tenant.invite(ANNA) for _ in range(2)]
        assert refused.headers["retry-after"] == "10"
        await advance(tenant, 0.5)
        assert (await tenant.invite(BEN, "ben@fabrikam.com")).status_code == 429
        assert await tenant.violations() == []
        await advance(tenant, 0.6)
        early = await tenant.invite(BEN, "ben@litware.com")
        assert (early.status_code, early.headers["retry-after"]) == (429, "20")
        assert (await tenant.sim("violations"))[0]["detail"] == "invitations: 8.9 s before Retry-After"
        assert await tenant.violations() == ["early-retry"]


async def test_after_an_early_retry_the_bucket_stays_closed_even_if_it_has_room() -> None:
    async with contoso() as tenant:
        await throttle(tenant, factor=2 / 150, grace=4)
        assert [(await tenant.invite(ANNA)).headers.get("retry-after") for _ in range(3)] == [None, None, "5"]
        await advance(tenant, 4.9)
        assert (await tenant.invite(BEN, "ben@fabrikam.com")).headers["retry-after"] == "10"
        await advance(tenant, 3.9)
        assert (await tenant.invite(BEN, "ben@litware.com")).headers["retry-after"] == "7"
        await advance(tenant, 6.2)
        assert (await tenant.invite(ANNA)).status_code == 201
        assert await tenant.violations() == ["early-retry"]


async def test_a_process_that_got_no_retry_after_commits_no_violation() -> None:
    async with contoso() as tenant:
        await throttle(tenant, factor=FEWEST)
        await read_until_refused(tenant)
        await advance(tenant, 1.5)
        bearer = (await token(tenant.app))["access_token"]
        other = await tenant.http.get(f"users/{BEN}", headers={"Authorization": f"Bearer {bearer}"})
        assert other.status_code in (200, 429)
        assert await tenant.violations() == []


async def test_applications_have_their_own_resource_units_and_share_the_invitation_limit() -> None:
    async with contoso() as tenant:
        await throttle(tenant, factor=FEWEST)
        await read_until_refused(tenant)
        await tenant.invite(ANNA)
        issued = await token(tenant.app, client_id="7f6a1c0e-0000-4000-8000-000000000001")
        tenant.http.headers["Authorization"] = f"Bearer {issued['access_token']}"
        assert (await tenant.get(f"users/{BEN}")).status_code == 200
        assert (await tenant.invite(BEN, "ben@fabrikam.com")).status_code == 429


async def test_waits_can_be_forgiven_so_that_an_early_call_is_no_violation() -> None:
    async with contoso() as tenant:
        await tenant.sim("faults", {"faults": [{"kind": "429-integer", "seconds": 10, "nth": 1}]})
        await tenant.get("domains")
        await tenant.sim("forgive", {})
        assert (await tenant.get("domains")).status_code == 200
        assert await tenant.violations() == []


async def test_on_a_running_clock_the_buckets_drain() -> None:
    async with contoso() as tenant:
        await throttle(tenant, factor=FEWEST)
        served, _ = await read_until_refused(tenant)
        await tenant.sim("clock", {"frozen": False, "advance": 10})
        await tenant.sim("forgive", {})
        more, _ = await read_until_refused(tenant)
        assert 0 < more <= served + 1


@pytest.mark.parametrize("body", [{"tier": "XL"}, {"factor": 0.001}, {"limit": 5}, {"grace": "long"}])
async def test_invalid_throttling_settings_are_refused(body: dict[str, Any]) -> None:
    async with contoso() as tenant:
        assert (await tenant.http.post(f"{GRAPH}/_sim/throttling", json=body)).status_code == 400
        assert (await tenant.sim("throttling"))["on"] is False
