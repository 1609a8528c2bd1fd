"""The time budgets of the sweep's parts fit into the host's limit for one run."""

import json
from datetime import timedelta
from pathlib import Path

from b2b.adapters.telemetry import FLUSH_SECONDS
from b2b.domain.sweep import BUDGETS, CLOSING, OVERRUN, Allowance, Part
from b2b.workflows.sweep.drain import HIDDEN

HOST = json.loads((Path(__file__).parents[2] / "host.json").read_text("utf-8"))


def test_every_part_has_a_budget_and_all_fit_into_the_function_timeout() -> None:
    hours, minutes, seconds = map(int, HOST["functionTimeout"].split(":"))
    limit = timedelta(hours=hours, minutes=minutes, seconds=seconds).total_seconds()
    assert set(BUDGETS) == set(Part)
    assert sum(budget.seconds + OVERRUN for budget in BUDGETS.values()) + 2 * CLOSING + FLUSH_SECONDS < limit


def test_a_poison_message_is_hidden_longer_than_its_part_can_run() -> None:
    assert BUDGETS[Part.DRAIN].seconds + OVERRUN < HIDDEN


def test_the_page_limit_of_the_list_is_the_cost_of_reading_by_id() -> None:
    assert [Allowance().page_limit(number) for number in (0, 19, 20, 20_000)] == [0, 0, 1, 1000]
