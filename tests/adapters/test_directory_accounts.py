"""Accounts read from the double of Graph by each of their names, alone and by the hundred."""

from typing import Any

import pytest

from b2b.adapters.directory import NOBODY, Directory
from b2b.domain.account import SELECT, Account
from b2b.domain.eligibility import facts
from b2b.domain.errors import AccessDenied, Transient
from b2b.domain.readings import NotThere
from b2b.domain.request import InvitedUser
from tests.adapters.directory_support import NOT_A_USER, TENANT, ask, without
from tests.adapters.graph_support import Wire, batch, graph_of, graph_over
from tests.rehearsal.tenant_support import (
    ANNA,
    BEN,
    GONE,
    GUEST,
    SEED,
)


async def test_without_permission_to_read_accounts_every_read_is_denied() -> None:
    async with graph_of(TENANT, roles=without("User.Read.All")) as (graph, _):
        directory = Directory(graph)
        for work in (
            directory.read({facts.ACCOUNT: InvitedUser(id=ANNA), facts.DOMAINS: None}),
            directory.accounts([ANNA]),
            directory.check(),
        ):
            with pytest.raises(AccessDenied, match=r"User\.Read\.All"):
                await work


@pytest.mark.parametrize(
    "user",
    [
        InvitedUser(id=ANNA),
        InvitedUser(user_principal_name="anna@contoso.com"),
        InvitedUser(mail="anna@fabrikam.com"),
        InvitedUser(mail="anna.fischer@fabrikam.com"),
    ],
    ids=["id", "upn", "mail", "otherMails"],
)
async def test_an_account_is_found_by_each_of_its_names(user: InvitedUser) -> None:
    (account,) = await ask(facts.ACCOUNT, user)
    assert isinstance(account, Account)
    assert (account.id, account.mail, account.other_mails) == (
        ANNA,
        "anna@fabrikam.com",
        ["anna.fischer@fabrikam.com"],
    )


async def test_a_name_with_reserved_characters_is_found() -> None:
    """The name of a guest contains a hash, which would end the path of a URL; names may also contain an apostrophe."""
    (account,) = await ask(
        facts.ACCOUNT, InvitedUser(user_principal_name="carla_litware.com#EXT#@contoso.onmicrosoft.com")
    )
    assert (account.id, account.external_user_state) == (GUEST, "PendingAcceptance")
    named = {"id": NOT_A_USER, "userPrincipalName": "o'hara@contoso.com", "mail": "o'hara@fabrikam.com"}
    seed = TENANT | {"users": [named]}
    for user in (
        InvitedUser(user_principal_name="o'hara@contoso.com"),
        InvitedUser(mail="o'hara@fabrikam.com"),
    ):
        (account,) = await ask(facts.ACCOUNT, user, seed)
        assert account.id == NOT_A_USER


async def test_a_name_that_begins_with_a_dollar_sign_is_found() -> None:
    """Graph refuses such a name in the path of /users, but accepts it in parentheses and quotes."""
    named = {"id": NOT_A_USER, "userPrincipalName": "$svc.o'hara@contoso.com", "mail": "svc@fabrikam.com"}
    user = InvitedUser(user_principal_name="$svc.o'hara@contoso.com")
    (account,) = await ask(facts.ACCOUNT, user, TENANT | {"users": [named]})
    assert account.id == NOT_A_USER


async def test_a_property_that_graph_omits_is_recorded_and_raises_no_error() -> None:
    async with graph_over(Wire(batch(lambda _: {"status": 200, "body": NO_STATE}))) as graph:
        (account,) = (await Directory(graph).read({facts.ACCOUNT: InvitedUser(id=ANNA)}))[facts.ACCOUNT]
    assert set(account.withheld) == set(SELECT) - {"id", "userPrincipalName"}


@pytest.mark.parametrize(
    ("user", "answer"),
    [
        (InvitedUser(id=NOT_A_USER), NotThere()),
        (InvitedUser(user_principal_name="nobody@contoso.com"), NotThere()),
        (InvitedUser(mail="nobody@fabrikam.com"), ()),
        (InvitedUser(mail="o'hara@fabrikam.com"), ()),
    ],
)
async def test_a_missing_account_is_not_there_by_name_and_an_empty_list_by_address(
    user: InvitedUser, answer: Any
) -> None:
    assert await ask(facts.ACCOUNT, user) == answer


async def test_all_accounts_with_an_address_are_found() -> None:
    twin = {"id": NOT_A_USER, "userPrincipalName": "twin@contoso.com", "otherMails": ["anna@fabrikam.com"]}
    found = await ask(facts.ACCOUNT, InvitedUser(mail="anna@fabrikam.com"), TENANT | {"users": [*SEED["users"], twin]})
    assert {account.id for account in found} == {ANNA, NOT_A_USER}


async def test_accounts_are_read_with_exactly_the_selected_fields() -> None:
    async with graph_of(TENANT) as (graph, tenant):
        await Directory(graph).read({facts.ACCOUNT: InvitedUser(id=ANNA)})
        await Directory(graph).accounts([BEN])
        await Directory(graph).read({facts.ACCOUNT: InvitedUser(mail="anna@fabrikam.com")})
    selects = [entry.query["$select"] for entry in tenant.journal.entries if entry.batch is not None]
    assert selects == [",".join(SELECT)] * 3
    assert len(SELECT) == len(set(SELECT))


async def test_accounts_are_read_in_batches_of_twenty() -> None:
    missing = [f"0a000000-0000-4000-8000-{number:012d}" for number in range(100, 125)]
    async with graph_of(TENANT) as (graph, tenant):
        found = await Directory(graph).accounts([ANNA, *missing, BEN])
    assert {user_id for user_id, account in found.items() if account is not None} == {ANNA, BEN}
    assert list(found) == [ANNA, *missing, BEN]
    assert sum(entry.path.endswith("$batch") for entry in tenant.journal.entries) == 2


async def test_the_health_check_reads_an_account_that_does_not_exist() -> None:
    async with graph_of(TENANT) as (graph, tenant):
        await Directory(graph).check()
    (entry,) = [entry for entry in tenant.journal.entries if entry.batch is not None]
    assert (entry.path, entry.status) == (f"/v1.0/users/{NOBODY}", 404)


NO_STATE = {"id": ANNA, "userPrincipalName": "anna@contoso.com"}
"""An account without externalUserState: if that counted as empty, the account would look internal."""


@pytest.mark.parametrize(
    "part", [{"status": 200, "body": {}}, {"status": 200, "body": NO_STATE}, {"status": 400}, {"status": 500}]
)
async def test_an_unreadable_account_is_left_out_of_the_result(part: dict[str, Any]) -> None:
    async with graph_over(Wire(batch(lambda _: part))) as graph:
        assert await Directory(graph).accounts([ANNA]) == {}


async def test_accounts_in_the_recycle_bin_are_found() -> None:
    async with graph_of(TENANT) as (graph, tenant):
        assert await Directory(graph).deleted([GONE, NOT_A_USER, ANNA]) == {GONE}
        assert await Directory(graph).accounts([GONE]) == {GONE: None}
    assert sum(entry.path.endswith("$batch") for entry in tenant.journal.entries) == 2


@pytest.mark.parametrize("status", [400, 429, 500, 503])
async def test_an_unreadable_recycle_bin_is_an_outage_and_not_empty(status: int) -> None:
    """If it counted as empty, an account that can be restored would count as permanently deleted."""
    async with graph_over(Wire(batch(lambda _: {"status": status}))) as graph:
        with pytest.raises(Transient):
            await Directory(graph).deleted([GONE])


async def test_a_recycle_bin_without_permission_is_denied_and_not_empty() -> None:
    async with graph_over(Wire(batch(lambda _: {"status": 403}))) as graph:
        with pytest.raises(AccessDenied):
            await Directory(graph).deleted([GONE])
