"""Histories in which no oracle may report anything: each was found by a search and reported once."""

from tests.simulation.history import Ask, Fault, History, Step
from tests.simulation.search import play, told
from tests.simulation.story import HELD, SHARED_ADDRESS


def test_a_request_may_be_blocked_although_the_former_holder_of_its_name_was_invited() -> None:
    """`r1` invites dora. Then her name moves to emil, so `r2`, which asks for that name, concerns emil."""
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


def test_no_oracle_objects_to_a_redemption_that_is_reset_after_the_requests_end() -> None:
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


def test_a_request_may_end_as_not_found_although_another_one_invited_the_account() -> None:
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


def test_a_request_by_mail_is_blocked_rightly_once_the_account_has_another_mail() -> None:
    """The process of `r1` dies before the lookup. Anna's mail changes, and another request has her invited."""
    history = History(
        (
            Step(0, "post", "", Ask("r1", "anna", by="mail")),
            Step(0.24, "change", "anna", {"mail": "anna.new@fabrikam.com"}),
            Step(48.7, "send", "", Ask("dry", "anna", dry_run=True)),
            Step(49.7, "release", "dry"),
        ),
        (Fault("tables read", "*", "kill before", nth=2),),
    )
    assert not play(history).violations, told(history)


def test_an_address_may_count_as_requested_twice_although_no_other_account_has_it() -> None:
    """Anna is renamed after `r1` has her invited, so `r2` finds no account of that name, and her address taken."""
    history = History(
        (
            Step(0, "send", "", Ask("r1", "anna", address="ANNA@FABRIKAM.COM")),
            Step(1.1, "rename", "anna", "anna.new@contoso.com"),
            Step(100, "send", "", Ask("r2", "anna", by="userPrincipalName", mail=True, address="anna@fabrikam.com")),
        ),
        known=False,
    )
    assert not play(history).violations, told(history)


def test_a_request_that_lost_its_message_while_it_waited_for_the_mode_is_repaired() -> None:
    """Repair sends a new message half an hour after the wait should end. The four sweeps before change nothing."""
    history = History(
        (
            Step(0, "send", "", Ask("r1", "ben", mail=True)),
            Step(253, "set", "B2B_MODE", "assess"),
            Step(653, "set", "B2B_MODE", "convert"),
            Step(1246, "lose", "r1"),
        ),
        (Fault("tables write", "conversions/*", "kill before"),),
        people=("iris", "ben"),
    )
    assert not play(history).violations, told(history)


def test_a_review_counts_as_shown_although_the_clock_that_wrote_it_is_fast() -> None:
    """Graph invites another account; the owner is shown that and approves, so the second mail was asked for."""
    people = (Ask("anna-id", "anna", mail=True), Ask("anna-mail", "anna", by="mail", mail=True))
    history = History(
        (
            Step(0, "list in", "spring", people),
            Step(60, "judge list", "spring"),
            Step(64, "release list", "spring"),
            Step(76, "decide list", "spring", "approve"),
        ),
        (Fault("graph invite", "*", "another"),),
        known=False,
        schedule=36520,
        skew=20.0,
    )
    assert not play(history).violations, told(history)


def test_two_entries_of_one_account_in_the_schedule_become_one() -> None:
    """Two sweeps at the same time each put Ben off; runs that take one entry at a time must not keep both entries."""
    history = History(
        (
            Step(0, "send base64", "", Ask("r1", "ben", mail=True)),
            Step(0.3, "set", "B2B_PAUSED", "true"),
            Step(47.76789384379755, "sweep"),
            Step(47.76789384379755, "sweep"),
            Step(1500.3, "set", "B2B_PAUSED", "false"),
        ),
        (Fault("graph invite", "*", "late", seconds=10.0),),
        people=("hugo", "ben"),
        switches=(("pending-state", "unset"),),
        known=False,
        budget=1,
        skew=-59.0,
    )
    assert not play(history).violations, told(history)


def test_two_requests_and_a_retry_may_make_three_attempts_that_graph_refuses() -> None:
    """The process of `r1` dies, Graph refuses `r2` and its retry, and then the message of `r1` comes again."""
    history = History(
        (
            Step(0, "send base64", "", Ask("r1", "dora", mail=False)),
            Step(0.1, "send base64", "", Ask("r2", "dora", mail=False)),
            Step(249.2, "retry", "r2"),
        ),
        (Fault("tables write", "conversions/*", "kill after"),),
        people=("dora", "emil"),
        switches=(("address-match", "mail-only"), ("held-address", "refused-in-words-of-the-portal")),
        settings=(
            ("B2B_ALLOWED_REDIRECT_HOSTS", "myapps.microsoft.com,partners.contoso.com"),
            (
                "B2B_RULE_OVERRIDES",
                '{"address-in-use": "warn", "address-not-on-account": "warn", "address-unlikely": "off"}',
            ),
        ),
        lag=927736,
        lists=True,
        skew=-20.0,
    )
    assert not play(history).violations, told(history)


def test_a_request_may_show_as_its_own_an_invitation_that_lag_hid_at_first() -> None:
    """The request is judged while a replica shows Ben without the invitation, waits, and then shows it as its own."""
    history = History(
        (
            Step(0, "send", "", Ask("r1", "iris", by="userPrincipalName")),
            Step(0, "send", "", Ask("r2", "iris")),
            Step(0, "invite by hand", "ben"),
            Step(0.1, "send", "", Ask("adopting", "ben")),
            Step(1500, "redeem", "ben"),
        ),
        (Fault("graph invite", "*", "throttled", nth=2, seconds=30.0), Fault("graph invite", "*", "unreachable")),
        people=("iris", "ben"),
        settings=(("B2B_INVITATIONS_PER_MINUTE", "6"),),
        schedule=960629,
        lag=828900,
        budget=2,
        skew=59.0,
    )
    assert not play(history).violations, told(history)
