"""What the oracles must not take for untrue."""

from tests.simulation.history import Ask, Fault, History, Step
from tests.simulation.search import play, told
from tests.simulation.story import HELD, SHARED_ADDRESS


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


def test_a_request_for_a_name_that_nobody_had_is_not_blamed_for_an_invitation_before_the_deletion() -> None:
    """`r2` invites anna, who is deleted before `r1` looks for her name. Later she is restored."""
    history = History(
        (
            Step(0, "send", "", Ask("r1", "anna", by="userPrincipalName")),
            Step(0.1, "send", "", Ask("r2", "anna")),
            Step(0.5, "delete", "anna"),
            Step(1500, "restore", "anna"),
        ),
        (Fault("tables read", "*", "hold", seconds=61.0),),
        known=False,
    )
    assert not play(history).violations, told(history)
