"""A caller that uses the routes of a campaign as its owner does."""

import csv
import io
import json
from typing import Any

from b2b.api.answers import Reply
from b2b.domain.campaign.csv_out import MARK
from tests.support.client import Client
from tests.support.world import World, account
from tests.workflows.campaigning import work

SPRING = "spring"
NO_MAIL, EMPLOYEE = account(3, mail=None), account(4, employeeType="Employee")
PEOPLE = [account(1), account(2), NO_MAIL, EMPLOYEE]
HEADER = "userPrincipalName,invitedUserEmailAddress,reference,Lieferant\r\n"
LIST = HEADER + "".join(
    f"{each['userPrincipalName']},{each['mail'] or 'partner3@fabrikam.com'},{number},=Acme {number}\r\n"
    for number, each in enumerate(PEOPLE, 1)
)
WORD = {"reason": "ticket 4711"}
Made = tuple[World, "Caller"]


class Caller:
    """Calls the routes of one campaign."""

    def __init__(self, world: World, campaign: str = SPRING, headers: dict[str, str] | None = None) -> None:
        self._world, self._campaign, self._headers = world, campaign, headers or {}

    async def call(self, route: str, body: Any = None, query: dict[str, str] | None = None, **path: str) -> Reply:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        client = Client(self._world.services.api, self._headers)
        return await client.call(route, body=raw, query=query or {}, campaignId=self._campaign, **path)

    async def send(self, text: str | bytes, content_type: str = "text/csv", **query: str) -> Reply:
        caller = Caller(self._world, self._campaign, {**self._headers, "content-type": content_type})
        return await caller.call("send_list", text.encode() if isinstance(text, str) else text, query)

    async def run(self, route: str, body: Any = None) -> dict[str, Any]:
        """Start a run by a route, let the app process it, and return its status from the address in the answer."""
        ordered = await self.call(route, body)
        assert ordered.status == 202, ordered.body
        run_id = ordered.body["runId"]
        assert ordered.headers["Location"].endswith(f"/api/campaigns/{self._campaign}/runs/{run_id}")
        assert (await self.call("run_status", runId=run_id)).status == 202
        await work(self._world)
        done = await self.call("run_status", runId=run_id)
        assert done.status == 200, done.body
        return {each["name"]: each["count"] for each in done.body["outcomes"]}

    async def members(self, **query: str) -> list[dict[str, Any]]:
        page = await self.call("list_members", query=query)
        assert page.status == 200, page.body
        found: list[dict[str, Any]] = page.body["members"]
        return found

    async def stages(self) -> dict[str, str]:
        return {each["reference"]: each["stage"] for each in await self.members()}

    async def to_decide(self) -> dict[str, list[dict[str, Any]]]:
        found = await self.call("decisions_waiting")
        return {
            group["rule"]: [{name: each[name] for name in ("member", "findings")} for each in group["members"]]
            for group in found.body["groups"]
        }


def error(reply: Reply) -> tuple[int, str, str | None]:
    told = reply.body["error"]
    assert told["message"].rstrip(".")
    assert reply.headers["x-ms-error-code"] == told["code"]
    return reply.status, told["code"], told["target"]


def table(reply: Reply) -> list[dict[str, str]]:
    assert reply.status == 200, reply.body
    assert reply.media == "text/csv"
    text = reply.sent.decode()
    assert text.startswith(MARK)
    return list(csv.DictReader(io.StringIO(text.removeprefix(MARK), newline="")))
