"""The waits that the rehearsal tenant asks for when a client comes back too early."""

from rehearsal.tenant.clock import Clock
from rehearsal.tenant.faults.retry_after import LONGEST, RetryAfterLedger

CLIENT, LIMIT = "process-1", "invitations"


def test_each_call_before_the_wait_is_over_doubles_the_wait_up_to_a_limit() -> None:
    """Eight threads that each know only their own wait come too early thousands of times."""
    clock = Clock()
    ledger = RetryAfterLedger(clock)
    ledger.make(CLIENT, LIMIT, 4.0)
    waits = []
    for _ in range(2000):
        clock.advance(2.0)
        breach = ledger.breach(CLIENT, LIMIT)
        assert breach is not None
        waits.append(breach.seconds)
    assert waits[:6] == [8.0, 16.0, 32.0, 64.0, LONGEST, LONGEST]
    assert set(waits[6:]) == {LONGEST}


def test_a_wait_beyond_the_limit_is_not_shortened() -> None:
    clock = Clock()
    ledger = RetryAfterLedger(clock)
    ledger.make(CLIENT, LIMIT, 3 * LONGEST)
    clock.advance(2.0)
    breach = ledger.breach(CLIENT, LIMIT)
    assert breach is not None
    assert breach.seconds == 3 * LONGEST
