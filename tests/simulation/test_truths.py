"""Ends of requests that the oracle of truth must accept."""

from tests.simulation.history import Ask, Fault, History, Step
from tests.simulation.search import play, told
from tests.simulation.story import HELD, SHARED_ADDRESS


def test_an_invitation_for_the_former_holder_of_a_name_is_no_untruth() -> None:
    """`r1` invites dora. Then her name moves to emil, so `r2`, which asks for that name, is about emil: blocked."""
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


def test_a_reset_after_the_end_is_no_untruth() -> None:
    """Anna's redemption is reset twice; nobody had invited her before the first reset."""
    history = History(
        (
            Step(0, "reset", "anna"),
            Step(60, "send", "", Ask("r1", "anna")),
            Step(900, "redeem", "anna"),
            Step(1800, "reset", "anna"),
        )
    )
    assert not play(history).violations, told(history)


def test_an_invitation_before_a_deletion_is_no_untruth_of_a_name_not_found() -> None:
    """`r2` invites anna, who is deleted before `r1` looks up her name, and restored later."""
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
