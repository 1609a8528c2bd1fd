"""Storage for every test that needs it: one Azurite per run, one account per test."""

import signal
from collections.abc import Iterator

import hypothesis
import pytest

from rehearsal.storage import Azurite, provision
from tests.support.tally import FIGURES, told

ACCOUNTS = 1000

# A shell that starts a command in the background tells it to ignore Ctrl-C; tests and what they start must not.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Whether an example takes longer than 200 ms says something about the machine and nothing about the code.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """One Azurite process for the whole run, started when the first test asks for it."""
    with Azurite(accounts=ACCOUNTS) as running:
        yield running


@pytest.fixture
def storage(azurite: Azurite) -> str:
    """The connection string of an account that no other test sees, with the app's queues and tables in it."""
    connection_string = azurite.connection_string(azurite.account())
    provision(connection_string)
    return connection_string


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many cases the fault sweep ran."""
    reports = [report for group in ("passed", "failed") for report in terminalreporter.stats.get(group, ())]
    recorded = [value for report in reports for name, value in report.user_properties if name == FIGURES]
    if lines := told(recorded):
        terminalreporter.section("fault sweep")
        for line in lines:
            terminalreporter.write_line(line)
