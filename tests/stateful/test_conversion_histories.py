"""Whatever order things happen in: one invitation, no lost request, a true ledger.

`make test` plays a few histories, the same ones each time; FAULTS=all plays many, other ones each time.
"""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from rehearsal.tenant import running
from tests.stateful.host import Storage
from tests.stateful.machine import Conversions
from tests.stateful.people import SEED, SWITCHES

ALL = os.environ.get("FAULTS") == "all"


@pytest.mark.timeout(3600)
def test_no_history_loses_or_repeats_anything(storage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    account = Storage(storage)
    played = 0

    with running(SEED, switches=SWITCHES) as tenant:
        for name, value in tenant.identity_env.items():
            monkeypatch.setenv(name, value)

        def history() -> Conversions:
            nonlocal played
            played += 1
            return Conversions(tenant, account)

        try:
            run_state_machine_as_test(
                history,  # type: ignore[arg-type]  # any callable that makes a machine will do
                settings=settings(
                    max_examples=200 if ALL else 20,
                    stateful_step_count=20 if ALL else 14,
                    deadline=None,
                    derandomize=not ALL,
                    database=None,
                    print_blob=True,
                    report_multiple_bugs=False,
                    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
                ),
            )
        finally:
            account.close()
            print(f"\n{played} histories")  # noqa: T201  the figure that this test is read for
