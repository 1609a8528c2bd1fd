"""The whole sample through the workflows, with both profiles: every account ends as the sample expects."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from rehearsal.sample import Account, Profile, load
from tests.support.world import MakeWorld, World

WHOLE = load()
CHANGED_FIRST = {change.account for change in WHOLE.changes if change.when == "before"}
SAMPLE = replace(WHOLE, accounts=tuple(each for each in WHOLE.accounts if each.name not in CHANGED_FIRST))
"""The sample without the accounts that an administrator changes before their request; `make run` plays those."""


async def hand_in(world: World, account: Account, number: int) -> str:
    """Send one request in its own way and let the app process it; return the id of its row."""
    request = account.request
    if request.by != "http":
        before = {row["PartitionKey"] for row in world.all_requests()}
        await world.receive(request.message.encode(), f"message-{number}")
        return (request.request_id if request.by != "queue-cloudevent" else None) or (
            {row["PartitionKey"] for row in world.all_requests()} - before
        ).pop()
    reply = await world.api.submit(request.text.encode(), "http://localhost")
    assert reply.status == 202, reply.body
    request_id = str(reply.body["requestId"])
    await world.redeliver(request_id)
    return request_id


@pytest.mark.parametrize("profile", ["current", "2020"])
async def test_every_request_of_the_sample_ends_as_expected(world: MakeWorld, profile: Profile) -> None:
    running = await world(SAMPLE.seed(), B2B_ELIGIBILITY_PROFILE=profile, **SAMPLE.settings)
    found = {}
    for wave in sorted({account.request.wave for account in SAMPLE.accounts}):
        of_wave = [account for account in SAMPLE.accounts if account.request.wave == wave]
        for number, account in enumerate(of_wave):
            found[account.name] = await hand_in(running, account, wave * 1000 + number)
    for account in SAMPLE.accounts:
        if account.user_id is None or account.redeem is None:
            continue
        state = running.conversion(account.user_id)
        if state is not None and state["stage"] == "invited":
            running.tenant.control.redeem(account.user_id, account.redeem, signed_in=account.redeem_as)
    await running.services.sweep.run()
    wrong = differences(running, SAMPLE.accounts, found, profile)
    assert not {json.dumps({**entry, "number": 0, "time": 0}) for entry in running.tenant.control.violations()}
    assert not wrong, "\n".join(wrong)


def differences(world: World, accounts: Sequence[Account], found: dict[str, str], profile: Profile) -> list[str]:
    """Return a line for each request that did not end as expected."""
    rows = {str(row["PartitionKey"]): row for row in world.all_requests()}
    wrong = []
    for account in accounts:
        row, expect = rows[found[account.name]], account.expect[profile]
        rules = tuple(sorted({finding["rule"] for finding in json.loads(str(row.get("findings", "[]")))}))
        got = (row["stage"], row.get("verdict"), rules)
        if got != (expect.stage, expect.verdict, expect.findings):
            wrong.append(f"{account.name}: expected {expect}, got {got} {row.get('lastError', '')}")
    return wrong
