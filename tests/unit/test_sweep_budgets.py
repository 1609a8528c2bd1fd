"""What the sweep's parts may spend, together, is less than the host gives the timer."""

import json
from datetime import timedelta
from pathlib import Path

from b2b.adapters.telemetry import FLUSH_SECONDS
from b2b.domain.sweep import BUDGETS, CLOSING, OVERRUN, Allowance, Part
from b2b.workflows.sweep.drain import HIDDEN

HOST = json.loads((Path(__file__).parents[2] / "host.json").read_text("utf-8"))


def test_every_part_has_a_budget_and_all_of_them_fit_into_one_run() -> None:
    hours, minutes, seconds = map(int, HOST["functionTimeout"].split(":"))
    limit = timedelta(hours=hours, minutes=minutes, seconds=seconds).total_seconds()
    assert set(BUDGETS) == set(Part)
    assert sum(budget.seconds + OVERRUN for budget in BUDGETS.values()) + 2 * CLOSING + FLUSH_SECONDS < limit


def test_a_poison_message_stays_hidden_for_longer_than_its_part_can_take() -> None:
    assert BUDGETS[Part.DRAIN].seconds + OVERRUN < HIDDEN


def test_the_list_is_given_up_where_reading_by_id_costs_less() -> None:
    assert [Allowance().page_limit(number) for number in (0, 19, 20, 20_000)] == [0, 0, 1, 1000]
