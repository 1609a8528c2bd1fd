"""How many calls to storage an invited account takes, counted at the connection and printed."""

import asyncio
import json
import time
from collections import Counter
from typing import Any
from urllib.parse import unquote

import pytest
from azure.core.pipeline.transport import HttpRequest

from b2b.domain.rate import RENEWED
from tests.support.world import MakeWorld, World, account, tenant_of

CROWD = 24
BY_ID, BY_NAME = "by object id", "by user principal name"
BUDGET = {(BY_ID, 1): 9, (BY_ID, CROWD): 10, (BY_NAME, 1): 10, (BY_NAME, CROWD): 11}
"""Most calls for each account, alone and together with others. Calls of the sweep and `OF_INSTANCE` are not
included."""
MONTHS = "months~"
LISTS = (MONTHS, "month~", "names~")
OF_LISTS = 4
"""Most calls for the lines of one account in the lists of requests, not counting the first lines of a month."""
OF_A_MONTH = 2
OF_INSTANCE = "instance"
"""Calls with which an instance learns its share of the rate: two in its first seconds, then two every four seconds."""


def asked(way: str, number: int) -> bytes:
    """Return the body of a request for an account, by one of its names."""
    person = account(number)
    named = {BY_ID: {"id": person["id"]}, BY_NAME: {"userPrincipalName": person["userPrincipalName"]}}
    return json.dumps({"requestId": f"r{number}", "invitedUser": named[way]}).encode()


def kind(request: HttpRequest) -> str:
    """Return the kind of a call to storage, without the names in it."""
    path = request.url.partition("?")[0].rsplit("/", 1)[-1]
    table = path.partition("(")[0]
    if table == "$batch":
        body = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
        table = "conversions" if "/conversions" in body else "requests"
        about = next((name for name in ("address~", *LISTS) if name in unquote(body)), "row")
    else:
        keyed = request.url
        keys = ("address~", "followed~", "open~", "pace", "body~", "instances~", *LISTS)
        about = next((name for name in keys if name in unquote(keyed)), "row")
    return f"{request.method} {table} {about.rstrip('~')}"


async def counted(world: World, way: str, people: int) -> Counter[str]:
    """Receive all messages at once; count the calls, and check that every request and account is invited."""
    calls: Counter[str] = Counter()

    async def count(request: HttpRequest) -> None:
        calls[kind(request)] += 1

    world.faulty_storage.before = count
    await asyncio.gather(*(world.receive(asked(way, number), f"m{number}") for number in range(people)))
    for number in range(people):
        state = world.conversion(account(number)["id"])
        assert state is not None
        assert (world.request(f"r{number}")["stage"], state["stage"]) == ("invited", "invited")
    return calls


@pytest.mark.parametrize(("way", "people"), BUDGET)
async def test_an_invited_account_takes_no_more_calls_to_storage_than_its_budget(
    world: MakeWorld, way: str, people: int, capsys: pytest.CaptureFixture[str], record_property: Any
) -> None:
    running = await world(tenant_of(*(account(number) for number in range(people))), B2B_INVITATIONS_PER_MINUTE="1200")
    began = time.monotonic()
    calls = await counted(running, way, people)
    of_lists = {what: times for what, times in calls.items() if f"{what.rpartition(' ')[2]}~" in LISTS}
    of_month = sum(times for what, times in of_lists.items() if MONTHS.rstrip("~") in what)
    of_instance = sum(times for what, times in calls.items() if OF_INSTANCE in what)
    listed = (sum(of_lists.values()) - of_month) / people
    each = (calls.total() - sum(of_lists.values()) - of_instance) / people
    record_property("storage calls per account", each)
    record_property("storage calls per account for the lists", listed)
    with capsys.disabled():
        said = f"{each:.2f} calls to storage per account, and {listed:.2f} for the lists"
        print(f"\n{way}, {people} at once: {said}")  # noqa: T201  a figure to read
        for what, times in sorted(calls.items()):
            print(f"  {times / people:5.2f}  {what}")  # noqa: T201
    assert each <= BUDGET[way, people]
    assert listed <= OF_LISTS
    assert of_month <= OF_A_MONTH
    assert 0 < of_instance <= 2 * (1 + int((time.monotonic() - began) / RENEWED))
