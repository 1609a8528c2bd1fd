"""What the oracles must not take for untrue."""

from tests.simulation.history import Ask, History, Step
from tests.simulation.search import play, told
from tests.simulation.stories import HELD, SHARED_ADDRESS


def test_a_request_is_not_blamed_for_the_invitation_of_another_request_whose_account_had_its_name() -> None:
    """`r1` invites dora. Her name moves to emil, and so `r2`, which asked for the name, is about him: blocked."""
    history = History(
        (
            Step(0, "send", "", Ask("r1", "dora")),
            Step(0, "send", "", Ask("r2", "dora", by="userPrincipalName")),
            Step(0.2, "move name", "dora", "emil"),
        ),
        people=("dora", "emil"),
        settings=SHARED_ADDRESS,
        switches=HELD,
    )
    assert not play(history).violations, told(history)


def test_a_request_is_not_blamed_for_a_reset_after_its_end_because_one_before_it_was_in_vain() -> None:
    """Nobody had invited anna when her redemption was reset for the first time."""
    history = History(
        (
            Step(0, "reset", "anna"),
            Step(60, "send", "", Ask("r1", "anna")),
            Step(900, "redeem", "anna"),
            Step(1800, "reset", "anna"),
        )
    )
    assert not play(history).violations, told(history)
