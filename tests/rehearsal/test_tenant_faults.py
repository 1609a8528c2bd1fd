"""Scripted faults: every kind, before and after the effect, in whole calls and in parts of a batch."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from rehearsal.tenant.faults.script import KINDS, Kind
from tests.rehearsal.tenant_support import ANNA, BEN, GRAPH, Client, contoso, error

INVITATIONS = {"method": "POST", "path": "/invitations$"}
REFUSALS = [kind for kind in KINDS.values() if kind.error and kind.name != "expired-page"]
BOTH = pytest.mark.parametrize("when", ["before", "after"])


async def script(tenant: Client, *faults: Mapping[str, Any]) -> None:
    await tenant.sim("faults", {"faults": [dict(fault) for fault in faults]})


async def mails(tenant: Client) -> int:
    return len(await tenant.sim("mails"))


async def state(tenant: Client) -> Any:
    return (await tenant.sim(f"users/{ANNA}"))["externalUserState"]


def parts(response: httpx.Response) -> dict[str, dict[str, Any]]:
    return {part["id"]: part for part in response.json()["responses"]}


@pytest.mark.parametrize(
    ("kind", "when"),
    [pytest.param(kind, when, id=f"{kind.name}-{when}") for kind in REFUSALS for when in kind.whens],
)
async def test_a_fault_before_the_effect_prevents_it_and_one_after_hides_it(kind: Kind, when: str) -> None:
    assert kind.error
    async with contoso() as tenant:
        await script(tenant, {"kind": kind.name, "when": when, **INVITATIONS})
        response = await tenant.invite(ANNA)
        assert response.status_code == kind.error.status
        done = when == "after"
        assert await mails(tenant) == done
        assert await state(tenant) == ("PendingAcceptance" if done else None)
        (entry,) = await tenant.sim("journal")
        assert entry["fault"] == {"kind": kind.name, "when": when, "by": "script", "number": 1}
        assert entry["status"] == kind.error.status
        assert await tenant.violations() == []


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_gateway_error_has_a_body_of_json_or_html_or_none(status: int) -> None:
    async with contoso() as tenant:
        await script(tenant, *({"kind": f"{status}-{body}", "nth": n} for n, body in enumerate(BODIES, 1)))
        json, html, empty = [await tenant.get(f"users/{ANNA}", select=name) for name in ("id", "mail", "surname")]
    assert {json.status_code, html.status_code, empty.status_code} == {status}
    assert json.json()["error"].keys() == {"code", "message", "innerError"}
    assert html.headers["content-type"].startswith("text/html")
    assert "<h2>Our services aren't available right now</h2>" in html.text
    assert empty.content == b""


BODIES = ("json", "html", "empty")


async def retry_after(kind: str, **more: Any) -> str | None:
    async with contoso() as tenant:
        await script(tenant, {"kind": kind, **more})
        response = await tenant.get(f"users/{ANNA}")
    assert response.status_code in (429, 503)
    told: str | None = response.headers.get("retry-after")
    return told


async def test_retry_after_is_an_integer_a_fraction_a_date_or_missing() -> None:
    assert await retry_after("429-integer", seconds=7) == "7"
    assert await retry_after("429-fraction") == "2.128"
    assert await retry_after("429-missing") is None
    assert await retry_after("503-retry-after", seconds=3) == "3"
    told = await retry_after("429-date", seconds=30)
    assert told
    assert 30 <= (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds() + 1 <= 32


async def test_a_429_may_have_unknown_error_and_an_empty_message() -> None:
    async with contoso() as tenant:
        await script(tenant, {"kind": "429-unknown-error"})
        assert error(await tenant.get(f"users/{ANNA}")) == (429, "UnknownError", "")


async def test_one_call_can_get_401_for_an_expired_token() -> None:
    async with contoso() as tenant:
        await script(tenant, {"kind": "401", "nth": 2})
        first, second, third = [await tenant.get(f"users/{name}") for name in (ANNA, BEN, ANNA)]
    assert (first.status_code, third.status_code) == (200, 200)
    assert error(second)[:2] == (401, "InvalidAuthenticationToken")
    assert second.headers["www-authenticate"].startswith("Bearer")


@BOTH
async def test_over_asgi_a_lost_connection_raises_the_error_of_httpx(when: str) -> None:
    async with contoso() as tenant:
        await script(tenant, {"kind": "reset", "when": when, **INVITATIONS})
        with pytest.raises(httpx.RemoteProtocolError):
            await tenant.invite(ANNA)
        assert await mails(tenant) == (when == "after")
        (entry,) = await tenant.sim("journal")
        assert (entry["status"], entry["fault"]["kind"]) == (None, "reset")


@BOTH
async def test_a_slow_answer_is_late_and_correct(when: str) -> None:
    async with contoso() as tenant:
        await script(tenant, {"kind": "slow", "when": when, "seconds": 0.05, **INVITATIONS})
        response = await tenant.invite(ANNA)
        assert response.status_code == 201
        assert response.elapsed.total_seconds() >= 0.05
        assert await mails(tenant) == 1


async def test_a_201_without_effect_does_not_change_the_tenant() -> None:
    async with contoso() as tenant:
        before = await tenant.sim(f"users/{ANNA}")
        await script(tenant, {"kind": "no-effect"})
        response = await tenant.invite(ANNA)
        assert (response.status_code, response.json()["status"]) == (201, "PendingAcceptance")
        assert response.json()["invitedUser"]["id"] == ANNA
        assert await tenant.sim(f"users/{ANNA}") == before
        assert await mails(tenant) == 0
        assert await tenant.sim("changes") == []


async def test_a_201_without_effect_does_not_replace_an_older_link() -> None:
    async with contoso() as tenant:
        await tenant.invite(ANNA)
        await script(tenant, {"kind": "no-effect"})
        await tenant.invite(ANNA)
        (ticket,) = (await tenant.sim(f"users/{ANNA}"))["tickets"]
        assert ticket["alive"]


async def test_the_guest_in_a_201_without_effect_does_not_exist() -> None:
    async with contoso() as tenant:
        await script(tenant, {"kind": "no-effect", "nth": 1})
        promised = (await tenant.invite(None, "new@litware.com")).json()["invitedUser"]["id"]
        assert (await tenant.get(f"users/{promised}")).status_code == 404
        assert await tenant.ids("users", filter="mail eq 'new@litware.com'", select="id") == []
        assert (await tenant.invite(None, "new@litware.com")).status_code == 201


@BOTH
async def test_a_201_may_have_the_status_error_with_or_without_an_effect(when: str) -> None:
    async with contoso() as tenant:
        await script(tenant, {"kind": "status-error", "when": when})
        response = await tenant.invite(ANNA)
        assert (response.status_code, response.json()["status"]) == (201, "Error")
        assert await mails(tenant) == (when == "after")


async def test_a_fault_that_answers_201_does_not_hide_a_refusal() -> None:
    async with contoso() as tenant:
        await script(tenant, {"kind": "no-effect"})
        assert error(await tenant.invite(ANNA, "stranger@fabrikam.com"))[0] == 400


async def test_only_a_next_page_gets_the_expired_page_error() -> None:
    async with contoso() as tenant:
        await script(tenant, {"kind": "expired-page"})
        first = await tenant.get("users", select="id", top="1")
        assert first.status_code == 200
        second = await tenant.http.get(first.json()["@odata.nextLink"])
    assert error(second)[:2] == (400, "Directory_ExpiredPageToken")


async def test_concurrent_requests_get_409_and_a_retry_succeeds() -> None:
    async with contoso() as tenant:
        await script(tenant, {"kind": "409", "nth": 1})
        first, second = await tenant.invite(ANNA), await tenant.invite(ANNA)
    assert error(first)[:2] == (409, "Directory_ConcurrencyViolation")
    assert second.status_code == 201


async def test_the_first_due_line_answers_and_every_line_counts_its_own_calls() -> None:
    async with contoso() as tenant:
        await script(
            tenant,
            {"kind": "503-json", "nth": 1, "path": ANNA},
            {"kind": "504-json", "nth": 2, "path": "/users/"},
            {"kind": "500-json", "nth": 2, "path": ANNA},
        )
        statuses = [(await tenant.get(f"users/{ANNA}", select="id")).status_code for _ in range(3)]
        lines = await tenant.sim("faults")
    assert statuses == [503, 504, 200]
    assert [(line["matched"], line["fired"]) for line in lines] == [(3, 1), (3, 1), (3, 0)]


async def test_an_empty_script_ends_all_faults() -> None:
    async with contoso() as tenant:
        await script(tenant, {"kind": "503-json"})
        assert (await tenant.get("domains")).status_code == 503
        await script(tenant)
        assert (await tenant.get("domains")).status_code == 200


async def test_a_reset_of_the_tenant_ends_all_faults() -> None:
    async with contoso() as tenant:
        await script(tenant, {"kind": "503-json"})
        await tenant.sim("reset", {})
        assert (await tenant.get("domains")).status_code == 200
        assert await tenant.sim("faults") == []


def batch_of(*paths: str) -> dict[str, Any]:
    return {"requests": [{"id": str(n), "method": "GET", "url": path} for n, path in enumerate(paths, 1)]}


async def test_a_part_of_a_batch_fails_by_itself_with_its_own_retry_after() -> None:
    async with contoso() as tenant:
        await script(tenant, {"kind": "429-fraction", "seconds": 0.249, "where": "part", "nth": 2})
        envelope = await tenant.http.post("$batch", json=batch_of("/domains", f"/users/{ANNA}", f"/users/{BEN}"))
        found = parts(envelope)
        assert envelope.status_code == 200
        assert "retry-after" not in envelope.headers
        assert {name: part["status"] for name, part in found.items()} == {"1": 200, "2": 429, "3": 200}
        assert found["2"]["headers"]["Retry-After"] == "0.249"
        assert found["2"]["body"]["error"]["code"] == "TooManyRequests"
        assert (await tenant.get("domains")).status_code == 200


async def test_a_part_of_a_batch_may_have_an_html_body_or_none() -> None:
    async with contoso() as tenant:
        await script(tenant, {"kind": "502-html", "path": "/domains"}, {"kind": "502-empty", "path": "/users"})
        found = parts(await tenant.http.post("$batch", json=batch_of("/domains", f"/users/{ANNA}")))
    assert found["1"]["body"].startswith("<!DOCTYPE html>")
    assert "body" not in found["2"]


async def test_a_fault_aimed_at_requests_does_not_hit_parts_of_a_batch() -> None:
    async with contoso() as tenant:
        await script(tenant, {"kind": "503-json", "where": "request", "path": "/domains"})
        found = parts(await tenant.http.post("$batch", json=batch_of("/domains")))
        assert found["1"]["status"] == 200
        assert (await tenant.get("domains")).status_code == 503


async def test_a_part_of_a_batch_cannot_lose_its_connection() -> None:
    async with contoso() as tenant:
        await script(tenant, {"kind": "reset", "path": "/domains"})
        found = parts(await tenant.http.post("$batch", json=batch_of("/domains")))
        assert found["1"]["status"] == 200
        with pytest.raises(httpx.RemoteProtocolError):
            await tenant.get("domains")


async def test_a_whole_batch_can_lose_its_connection() -> None:
    async with contoso() as tenant:
        await script(tenant, {"kind": "reset", "when": "after", "path": r"/\$batch"})
        with pytest.raises(httpx.RemoteProtocolError):
            await tenant.http.post("$batch", json=batch_of("/domains"))
        envelope, part = await tenant.sim("journal")
    assert (envelope["status"], part["status"], part["batch"]) == (None, 200, envelope["number"])


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"kind": "418"}, "no fault is called '418'"),
        ({}, "no fault is called None"),
        ({"kind": "503-json", "at": 1}, "a fault has no at"),
        ({"kind": "503-json", "nth": 0}, "nth counts from 1"),
        ({"kind": "503-json", "seconds": 1}, "503-json takes no seconds"),
        ({"kind": "503-json", "where": "envelope"}, "where is any, request or part"),
        ({"kind": "503-json", "when": "during"}, "happens before or after"),
        ({"kind": "503-json", "path": "("}, "missing )"),
        ({"kind": "no-effect", "when": "after"}, "happens before"),
        ({"kind": "reset", "where": "part"}, "no connection to lose"),
    ],
)
async def test_an_impossible_fault_is_refused_and_the_old_script_stays(fault: Mapping[str, Any], reason: str) -> None:
    async with contoso() as tenant:
        await script(tenant, {"kind": "409"})
        refused = await tenant.http.post(f"{GRAPH}/_sim/faults", json={"faults": [{"kind": "503-json"}, fault]})
        assert refused.status_code == 400
        assert reason in refused.json()["error"]
        assert [line["kind"] for line in await tenant.sim("faults")] == ["409"]


async def test_a_violation_hidden_by_a_fault_is_still_recorded() -> None:
    async with contoso() as tenant:
        await script(tenant, {"kind": "504-html", "when": "after"})
        assert (await tenant.get("users", filter="shoeSize eq 44")).status_code == 504
        assert await tenant.violations() == ["unknown-property"]
