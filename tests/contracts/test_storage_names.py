"""The names of queues and tables are the same in code, in the rehearsal and in docs/reference/ledger.md."""

import re

from b2b.adapters import campaigns, ledger, queue
from b2b.connection import STORAGE
from rehearsal import storage
from tests.contracts.pages import read

TABLES = {ledger.CONVERSIONS, ledger.REQUESTS, campaigns.CAMPAIGNS}


def test_the_queues_have_their_documented_names() -> None:
    assert (queue.REQUESTS, queue.POISON) == ("conversion-requests", "conversion-requests-poison")
    assert f"{queue.REQUESTS}-poison" == queue.POISON
    assert STORAGE == "B2BStorage"


def test_the_tables_have_their_documented_names() -> None:
    assert {"conversions", "requests", "campaigns"} == TABLES


def test_the_rehearsal_provides_exactly_what_the_app_opens() -> None:
    assert set(storage.QUEUES) == {queue.REQUESTS, queue.POISON}
    assert set(storage.TABLES) == TABLES


def test_the_ledger_page_names_the_queues_and_the_tables() -> None:
    text = read("docs/reference/ledger.md")
    assert set(re.findall(r"`(conversion-[a-z-]+)`", text)) == {queue.REQUESTS, queue.POISON}
    assert set(re.findall(r"[Tt]able `([a-z]+)`", text)) == TABLES
