"""Tests of guards that no history reaches: each test sets up the guard's moment by hand."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from b2b.adapters.ledger import Ledger
from b2b.domain.account import from_graph
from b2b.domain.conversion import outcome
from b2b.domain.conversion.records import Change, Conversion, Doubt, Source, begin
from b2b.domain.conversion.stages import Stage
from b2b.domain.eligibility import facts
from b2b.domain.eligibility.fact import Facts
from b2b.domain.errors import LedgerConflict, Transient
from b2b.domain.invitation import Invitation
from b2b.domain.readings import Claims as TokenClaims
from b2b.domain.readings import NotThere
from b2b.domain.request import ConversionRequest, InvitedUser
from b2b.domain.request.record import RequestRecord, taken_in
from b2b.domain.sweep import Part
from b2b.settings import load
from b2b.workflows.conversion.assess import Assessor
from b2b.workflows.conversion.claims import Opening
from b2b.workflows.sweep.drain import MAX_RETURNS
from tests.simulation.app import ENVIRONMENT, POISON, QUEUES, TABLES, WORK, App
from tests.simulation.directory import Directory
from tests.simulation.gate import OPEN
from tests.simulation.people import BY_NAME, TENANT_ID
from tests.simulation.queues import Queues
from tests.simulation.tables import Tables
from tests.simulation.world import START

ANNA, BEN = BY_NAME["anna"], BY_NAME["ben"]
LATER = timedelta(minutes=10)
FOR_ANNA = ConversionRequest(invited_user=InvitedUser(id=ANNA.id))
INVITATION = Invitation(ANNA.id, ANNA.mail, "https://myapps.microsoft.com", send_message=True)


def now() -> datetime:
    return START


class Bench:
    """One process of the app on services in memory."""

    def __init__(self) -> None:
        self.tables, self.queues = Tables(TABLES, now), Queues(QUEUES, now)
        directory = Directory(now, [ANNA.seed()], {}, tenant_id=TENANT_ID)
        self.services: Any = App({}, now, OPEN, self.tables, self.queues, directory)._services
        self.ledger: Ledger = self.services.ledger

    async def add(self, stage: Stage = Stage.REQUESTED, request_id: str = "r1", **columns: Any) -> RequestRecord:
        """Write the row of a request for Anna."""
        new = taken_in(request_id, FOR_ANNA.body(), FOR_ANNA.body_hash(), Source.QUEUE, START, user_id=ANNA.id)
        return await self.ledger.requests.write(replace(new, row=replace(new.row, stage=stage, **columns)))

    async def claim(self, *doubts: Doubt, **columns: Any) -> Conversion:
        """Write Anna's claim, which request r1 leads."""
        row = Conversion(user_id=ANNA.id, stage=Stage.INVITING, request_id="r1", doubts=doubts, **columns)
        return await self.ledger.save(begin(None, row, START))


@pytest.fixture
def bench() -> Bench:
    return Bench()


class Interrupted:
    """A Graph that fails an invitation as not reached, after it has let another process write."""

    def __init__(self, meanwhile: Callable[[], Awaitable[object]]) -> None:
        self._meanwhile = meanwhile

    async def invite(self, _invitation: Invitation, _not_after: datetime) -> None:
        await self._meanwhile()
        raise Transient("Graph", "not reached")


async def test_a_late_outcome_does_not_change_the_claim_of_a_later_try(bench: Bench) -> None:
    record = await bench.add()

    async def another_try() -> None:
        row = await bench.ledger.conversions.get(ANNA.id)
        assert row is not None
        await bench.ledger.save(Change(outcome.claimed(row, "later", START, START + LATER, silent=False)))

    inviter = bench.services.receiver._converter._steps._inviter
    inviter._sender._graph = Interrupted(another_try)
    row = Conversion(user_id=ANNA.id, stage=Stage.INVITING, request_id="r1", invited_user_email_address=ANNA.mail)
    with pytest.raises(LedgerConflict):
        await inviter.invite(Opening(None, row, again=False), record, INVITATION)

    kept = await bench.ledger.conversions.get(ANNA.id)
    assert kept is not None
    assert kept.lease_until == START + LATER
    assert "later" in [doubt.attempt for doubt in kept.open_doubts]


async def test_a_member_that_gives_up_leaves_the_claim_of_its_leader_open(bench: Bench) -> None:
    await bench.add(Stage.INVITING, generation=1)
    member = await bench.add(Stage.INVITING, "r2", generation=1)
    await bench.claim(joined=1)
    assert await bench.services.receiver._converter._parking._endings.fail(member, "given-up", "too long")
    claim, leader = await bench.ledger.conversions.get(ANNA.id), await bench.ledger.requests.get("r1")
    assert claim is not None
    assert leader is not None
    assert (claim.stage, leader.stage) == (Stage.INVITING, Stage.INVITING)


async def test_a_poison_message_goes_back_to_work_while_its_invitation_may_have_been_sent(bench: Bench) -> None:
    await bench.add(Stage.INVITING, generation=1, poison_returns=MAX_RETURNS)
    await bench.claim(Doubt("a1", START, START, silent=False))
    bench.queues.put(POISON, json.dumps({"requestId": "r1", "invitedUser": {"id": ANNA.id}}))

    await bench.services.sweep.turn(Part.DRAIN)

    assert [message.content for message in bench.queues.stored(POISON)] == []
    assert len(bench.queues.stored(WORK)) == 1
    after = await bench.ledger.requests.get("r1")
    assert after is not None
    assert after.stage is Stage.INVITING


class Answering:
    """A directory that gives the same answers to every question."""

    def __init__(self, known: Facts) -> None:
        self._known = known

    async def read(self, _questions: object) -> Facts:
        return self._known


class Tenant:
    async def claims(self) -> TokenClaims:
        return TokenClaims(TENANT_ID, frozenset())


def assessor_of(known: Facts) -> Assessor:
    return Assessor(Answering(known), None, Tenant(), load(ENVIRONMENT), now)  # type: ignore[arg-type]


async def test_an_answer_about_another_account_is_not_used() -> None:
    another = Facts({facts.ACCOUNT: (from_graph(BEN.seed()),)})
    with pytest.raises(Transient, match="another account"):
        await assessor_of(another).look_up(FOR_ANNA)


@pytest.mark.parametrize("missing", [facts.MEMBERSHIPS, facts.ROLE_ASSIGNMENTS])
async def test_relations_missing_on_a_replica_are_not_taken_for_an_empty_list(missing: Any) -> None:
    lagging = Facts({facts.ACCOUNT: (from_graph(ANNA.seed()),), missing: NotThere()})
    assessor = assessor_of(lagging)
    with pytest.raises(Transient, match="replica lags"):
        await assessor.assess(FOR_ANNA, await assessor.look_up(FOR_ANNA), reserves=True)
