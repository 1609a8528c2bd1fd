"""The cost of a page of members does not grow with the campaign, and each page reports its cost."""

from dataclasses import replace
from typing import Any

import pytest

from b2b.adapters.ledger import Ledger
from b2b.domain.campaign.filters import Filter
from b2b.domain.campaign.member import Member, MemberStage
from b2b.domain.campaign.records import created
from b2b.domain.findings import Severity
from b2b.workflows.campaigns.desk import PAGE, SCANNED, SCANS, CampaignDesk
from tests.simulation.storage_contract import Memory, Recording
from tests.unit.campaign.people import NOON, finding, member

MEMBERS = 100_000
MOST_CALLS = 2


def members() -> list[Member]:
    """Return 100,000 members of one campaign: one in a hundred is invited, and a single one has a finding to fix."""
    plain = member(1, invited_address="someone@fabrikam.com")
    rare = member(1, finding("no-external-address", Severity.FIX), invited_address="someone@adatum.com")
    return [
        replace(
            rare if number == MEMBERS // 2 + 1 else plain,
            key=f"{number:032x}",
            stage=MemberStage.JUDGED if number % 100 else MemberStage.INVITED,
        )
        for number in range(MEMBERS)
    ]


@pytest.mark.timeout(300)
async def test_a_page_by_stage_takes_two_calls_and_every_page_reports_its_cost(
    capsys: pytest.CaptureFixture[str], record_property: Any
) -> None:
    gate = Recording()
    memory = Memory(gate)
    ledger = Ledger(memory.tables)
    await ledger.campaigns.create(created("spring", "Suppliers", NOON, "key"))
    assert await ledger.campaigns.store([(row, None) for row in members()])
    desk = CampaignDesk(ledger, None, None, lambda: NOON)  # type: ignore[arg-type]  # a page decides nothing
    wanted = {
        "stage=judged": (Filter(stage=MemberStage.JUDGED), PAGE),
        "stage=invited": (Filter(stage=MemberStage.INVITED), PAGE),
        "domain=fabrikam.com": (Filter(domain="fabrikam.com"), PAGE),
        "rule=no-external-address": (Filter(rule="no-external-address"), 0),
        "stage=invited&rule=no-external-address": (
            Filter(stage=MemberStage.INVITED, rule="no-external-address"),
            0,
        ),
    }
    for name, (chosen, expected) in wanted.items():
        before = len(gate.calls)
        page = await desk.page("spring", chosen)
        calls = len(gate.calls) - before
        with capsys.disabled():
            print(f"\n{name}: {len(page.members)} of {MEMBERS} members, {calls} calls, {page.read} looked at")  # noqa: T201
        record_property(name, calls)
        assert (len(page.members), page.calls) == (expected, calls)
        assert calls <= (MOST_CALLS if chosen.by_stage_alone else SCANS + 1)
        assert page.read <= SCANNED * SCANS
