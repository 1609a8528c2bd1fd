"""Histories that once ended badly, as named steps. Each must end well.

A story names its fault by kind of call and subject, so it stays the same story when the app is rebuilt.
"""

from dataclasses import dataclass

from tests.simulation.history import Ask, Fault, History, Step


@dataclass(frozen=True)
class Story:
    """One defect: what went wrong, and the history that shows it."""

    name: str
    said: str
    history: History
    oracle: str
    """The oracle that noticed it first."""


PARTNERS = "https://partners.contoso.com/start"
BOTH_HOSTS = ("B2B_ALLOWED_REDIRECT_HOSTS", "myapps.microsoft.com,partners.contoso.com")
SHARED_ADDRESS = (
    ("B2B_RULE_OVERRIDES", '{"address-in-use": "warn", "address-not-on-account": "warn", "address-unlikely": "off"}'),
)
HELD = (("held-address", "accepted"),)


def _send(at: float, request: str | None, person: str = "anna", **more: object) -> Step:
    return Step(at, "send", "", Ask(request, person, **more))  # type: ignore[arg-type]


STORIES: tuple[Story, ...] = (
    Story(
        "A1",
        "a tenant never shows a pending invitation, and the answer to one is lost: a second mail after the window",
        History(
            (_send(0, "r1"),),
            (Fault("graph invite", "anna", "reset after"),),
            switches=(("pending-state", "unset"),),
            known=False,
        ),
        "second_mail",
    ),
    Story(
        "A2",
        "two accounts share an address, and the reservation that one of them holds is old",
        History(
            (_send(0, "r1", "dora"), _send(200, "r2", "dora"), _send(200, "r3", "emil")),
            (
                Fault("graph invite", "dora", "refused"),
                Fault("tables write", "conversions/dora", "hold", after=2, seconds=5),
            ),
            people=("dora", "emil"),
            settings=SHARED_ADDRESS,
            switches=HELD,
        ),
        "second_mail",
    ),
    Story(
        "A3a",
        "Graph invites another account, and the process dies once that end is written: the stranger is mailed again",
        History(
            (_send(0, "r1"), _send(5, "r1")),
            (Fault("graph invite", "anna", "another"), Fault("tables write", "conversions/anna", "kill after", nth=2)),
        ),
        "answered_again",
    ),
    Story(
        "A3b",
        "Graph refuses, and the process dies once that end is written: the invitation is sent again",
        History(
            (_send(0, "r1"), _send(5, "r1")),
            (Fault("graph invite", "anna", "refused"), Fault("tables write", "conversions/anna", "kill after", nth=2)),
        ),
        "answered_again",
    ),
    Story(
        "A4",
        "a dry run that the host gave up on before it had a row becomes a real invitation by a retry",
        History((_send(0, "r1", dry_run=True), Step(0, "poison", "r1"), Step(1500, "retry", "r1"))),
        "unasked_invitation",
    ),
    Story(
        "A4b",
        "a request sent in assess that the host gave up on becomes a real invitation by a retry after the switch",
        History(
            (
                _send(0, "r1"),
                Step(0, "poison", "r1"),
                Step(900, "set", "B2B_MODE", "convert"),
                Step(1500, "retry", "r1"),
            ),
            settings=(("B2B_MODE", "assess"),),
            known=False,
        ),
        "unasked_invitation",
    ),
    Story(
        "A5",
        "a redirect host is no longer allowed while a request waits that was taken in with it",
        History(
            (
                Step(0, "set", "B2B_PAUSED", "true"),
                _send(1, "r1", redirect=PARTNERS),
                Step(100, "set", "B2B_ALLOWED_REDIRECT_HOSTS", "myapps.microsoft.com"),
                Step(2000, "set", "B2B_PAUSED", "false"),
            ),
            settings=(BOTH_HOSTS,),
        ),
        "at_rest",
    ),
    Story(
        "A6",
        "a row that cannot be read stands before a request that lost its message",
        History(
            (
                Step(0, "set", "B2B_PAUSED", "true"),
                _send(1, "r1"),
                _send(1, "r2", "ben"),
                Step(100, "foreign row", "r1"),
                Step(100, "lose", "r2"),
                Step(200, "set", "B2B_PAUSED", "false"),
            ),
            people=("anna", "ben"),
        ),
        "at_rest",
    ),
    Story(
        "A7",
        "an administrator pauses for more than a day, and a joined request ends the conversion that it joined",
        History(
            (
                _send(0, "r1"),
                Step(5, "set", "B2B_PAUSED", "true"),
                _send(10, "r2"),
                Step(95_000, "set", "B2B_PAUSED", "false"),
            ),
            (Fault("graph invite", "anna", "reset before"),),
        ),
        "at_rest",
    ),
    Story(
        "A8",
        "a request that never ran is sent again, as its row asks, and nothing comes of it",
        History((_send(0, "r1"), Step(0, "poison", "r1"), _send(1900, "r1"))),
        "repeated_in_vain",
    ),
    Story(
        "A9a",
        "a draft is refused, and the host gives up on the corrected request before it has a row",
        History((_send(0, "r1", broken=True), _send(100, "r1"), Step(100, "poison", "r1"))),
        "lost",
    ),
    Story(
        "A9b",
        "a second malformed body writes its note between the read and the write of the corrected request",
        History(
            (_send(0, "r1", broken=True), _send(100, "r1"), _send(100, "r1", broken=True, mail=False)),
            (Fault("tables write", "requests/r1", "hold", after=2, seconds=5),),
        ),
        "lost",
    ),
    Story(
        "A10",
        "a silent try has no answer, the next ones are not sent, and then the account shows the first: blocked",
        History(
            (Step(0, "lag", "anna", 250.0), _send(0, "r1", mail=False)),
            (
                Fault("graph invite", "anna", "reset after"),
                *(Fault("graph invite", "anna", "unreachable", nth=number) for number in range(2, 8)),
            ),
        ),
        "truth",
    ),
    Story(
        "A11",
        "a name moves to another account while its first account's invitation is in doubt",
        History(
            (_send(0, "r1", by="userPrincipalName"), Step(10, "move name", "anna", "ben")),
            (Fault("graph invite", "anna", "reset after"),),
            people=("anna", "ben"),
        ),
        "truth",
    ),
    Story(
        "A12",
        "the account lies in the recycle bin when its doubtful invitation is settled, and is restored",
        History(
            (_send(0, "r1"), Step(10, "delete", "anna"), Step(1300, "restore", "anna")),
            (Fault("graph invite", "anna", "reset after"),),
        ),
        "truth",
    ),
    Story(
        "A13",
        "address and roles change while a request waits: the review shows the old address, and its approval is void",
        History(
            (
                _send(0, "r1"),
                Step(10, "change", "anna", {"mail": "anna.new@fabrikam.com"}),
                Step(10, "give role", "anna", "Helpdesk Administrator"),
                Step(2000, "approve", "r1"),
            ),
            (Fault("graph invite", "anna", "reset before"),),
        ),
        "void_approval",
    ),
    Story(
        "A14",
        "of two deliveries one ends the request and the other meets trouble: it parks what has ended",
        History(
            (_send(0, "r1", "hugo"), _send(0, "r1", "hugo")),
            (Fault("graph read", "*", "unreachable", seconds=5),),
            people=("hugo",),
            known=False,
        ),
        "ended",
    ),
    Story(
        "case 4",
        "the account was converted back to internal, and is requested again: completed at once",
        History(
            (
                _send(0, "r1"),
                Step(1000, "redeem", "anna"),
                Step(3000, "convert back", "anna"),
                _send(6000, "r2"),
            )
        ),
        "truth",
    ),
    Story(
        "case 5",
        "redemption was reset, and the account is requested again: completed",
        History((_send(0, "r1"), Step(1000, "redeem", "anna"), Step(3000, "reset", "anna"), _send(6000, "r2"))),
        "truth",
    ),
    Story(
        "case 6",
        "the account is deleted while its invitation waits: invited for ever, without a word",
        History((_send(0, "r1"), Step(1000, "delete", "anna"))),
        "truth",
    ),
    Story(
        "case 7",
        "the account was deleted for good and made anew: its dead twin holds the address",
        History(
            (_send(0, "r1", "dora"), Step(1000, "purge", "dora"), _send(6000, "r2", "emil")),
            people=("dora", "emil"),
            settings=SHARED_ADDRESS,
            switches=HELD,
        ),
        "dead_twin",
    ),
    Story(
        "A15",
        "a request that was approved in doubt is refused, another one invites, and a retry of the first mails again",
        History(
            (_send(0, "r1"), Step(100_000, "approve", "r1"), _send(102_000, "r2"), Step(110_000, "retry", "r1")),
            (Fault("graph invite", "anna", "reset before"), Fault("graph invite", "anna", "refused", nth=2)),
            switches=(("pending-state", "unset"),),
            known=False,
        ),
        "second_mail",
    ),
    Story(
        "refused in doubt",
        "a person refuses the review of an unknown outcome, and the next request for the account sends a second mail",
        History(
            (_send(0, "r1"), Step(100_000, "refuse", "r1"), _send(102_000, "r2")),
            (Fault("graph invite", "anna", "reset after"),),
            switches=(("pending-state", "unset"),),
            known=False,
        ),
        "second_mail",
    ),
    Story(
        "refused after a stranger",
        "Graph invites another account, a person refuses the review, and the next request mails the address again",
        History(
            (_send(0, "r1"), Step(20, "refuse", "r1"), _send(30, "r2")),
            (Fault("graph invite", "anna", "another"),),
        ),
        "second_mail",
    ),
    Story(
        "reset at once",
        "redemption is reset within the replication window after it, and the account is requested again: completed",
        History((_send(0, "r1"), Step(1150, "redeem", "anna"), Step(1350, "reset", "anna"), _send(1370, "r2"))),
        "truth",
    ),
    Story(
        "undone at once",
        "the account is made internal again within the window after redemption, and is requested again: completed",
        History((_send(0, "r1"), Step(1150, "redeem", "anna"), Step(1350, "convert back", "anna"), _send(1370, "r2"))),
        "truth",
    ),
    Story(
        "reset before it was seen",
        "in a tenant that never shows a pending invitation, one is redeemed and reset between two sweeps, and the app "
        "takes that for proof of the contrary: the next lost answer costs a second mail",
        History(
            (_send(0, "r1"), Step(605, "redeem", "anna"), Step(700, "reset", "anna"), _send(2000, "r2", "ben")),
            (Fault("graph invite", "ben", "reset after"),),
            people=("anna", "ben"),
            switches=(("pending-state", "unset"),),
            known=False,
        ),
        "second_mail",
    ),
    Story(
        "frozen at the door",
        "a process freezes before it writes a request's row, another one rejects the request by today's settings, and "
        "the first wakes up and takes it in after all",
        History(
            (_send(0, "r1", redirect=PARTNERS), Step(230, "set", "B2B_ALLOWED_REDIRECT_HOSTS", "myapps.microsoft.com")),
            (Fault("tables write", "requests/r1", "freeze", seconds=3600.0),),
            settings=(BOTH_HOSTS,),
        ),
        "ended",
    ),
    Story(
        "frozen before the door",
        "the same, frozen before the very first write for a request that brings no id",
        History(
            (_send(0, None, redirect=PARTNERS), Step(230, "set", "B2B_ALLOWED_REDIRECT_HOSTS", "myapps.microsoft.com")),
            (Fault("tables write", "requests/*", "freeze", seconds=3600.0),),
            settings=(BOTH_HOSTS,),
        ),
        "ended",
    ),
    Story(
        "approved in vain",
        "the address changes while an unknown outcome waits for a person: each approval leads to the same review again",
        History(
            (
                _send(0, "r1"),
                Step(100_000, "change", "anna", {"mail": "anna.new@fabrikam.com"}),
                Step(101_000, "approve", "r1"),
                Step(102_000, "approve", "r1"),
            ),
            (Fault("graph invite", "anna", "reset before"),),
            switches=(("pending-state", "unset"),),
            known=False,
        ),
        "void_approval",
    ),
    Story(
        "two reviews of one doubt",
        "two requests wait for a person about the same doubt, and both are approved: a mail for each",
        History(
            (
                _send(0, "r1"),
                Step(100_000, "refuse", "r1"),
                _send(101_000, "r2"),
                _send(101_000, "r3"),
                Step(103_000, "approve", "r3"),
                Step(106_000, "approve", "r2"),
            ),
            (Fault("graph invite", "anna", "reset after"),),
            switches=(("pending-state", "unset"),),
            known=False,
        ),
        "second_mail",
    ),
    Story(
        "joined a review",
        "a request joins a review, which is approved, and Graph refuses: the joined request waits for a person who can "
        "decide nothing any more",
        History(
            (_send(0, "r1"), _send(90_000, "r2"), Step(100_000, "approve", "r1")),
            (Fault("graph invite", "anna", "reset before"), Fault("graph invite", "anna", "refused", nth=2)),
            switches=(("pending-state", "unset"),),
            known=False,
        ),
        "left_behind",
    ),
    Story(
        "joined a review that came again",
        "the same, and the first approval leads to another review",
        History(
            (
                _send(0, "r1"),
                _send(90_000, "r2"),
                Step(95_000, "give role", "anna", "Helpdesk Administrator"),
                Step(100_000, "approve", "r1"),
                Step(102_000, "approve", "r1"),
            ),
            (Fault("graph invite", "anna", "reset before"),),
            switches=(("pending-state", "unset"),),
            known=False,
        ),
        "left_behind",
    ),
    Story(
        "found later",
        "a person refuses the review of an unknown outcome, and the next request finds the invitation redeemed: it is "
        "completed, and says that the outcome is unknown",
        History(
            (_send(0, "r1"), Step(100_000, "refuse", "r1"), Step(101_000, "redeem", "anna"), _send(102_000, "r2")),
            (Fault("graph invite", "anna", "reset after"),),
            switches=(("pending-state", "unset"),),
            known=False,
        ),
        "truth",
    ),
    Story(
        "another address since",
        "the address of an account changes while its invitation is in doubt, and another account is invited with the "
        "address that the invitation may have gone to",
        History(
            (
                _send(0, "r1", "dora"),
                Step(100_000, "change", "dora", {"mail": "dora.new@fabrikam.com"}),
                Step(101_000, "approve", "r1"),
                _send(103_000, "r2", "emil"),
            ),
            (Fault("graph invite", "dora", "reset after"),),
            people=("dora", "emil"),
            settings=SHARED_ADDRESS,
            switches=(*HELD, ("pending-state", "unset")),
            known=False,
        ),
        "second_mail",
    ),
    Story(
        "unreadable leader",
        "the row of a request that leads is of another version for good: the requests that joined it wait for ever",
        History(
            (_send(0, "r1"), _send(60, "r2"), Step(100, "foreign row", "r1")),
            (Fault("graph invite", "anna", "throttled", seconds=300.0),),
            settings=(("B2B_GIVE_UP_SECONDS", "7200"),),
        ),
        "at_rest",
    ),
    Story(
        "unreadable leader in doubt",
        "the same, and the answer to its invitation was lost before anything went out",
        History(
            (_send(0, "r1"), _send(60, "r2"), Step(100, "foreign row", "r1")),
            (Fault("graph invite", "anna", "reset before"),),
            settings=(("B2B_GIVE_UP_SECONDS", "7200"),),
        ),
        "at_rest",
    ),
    Story(
        "unreadable while it ends",
        "the person redeems while the request's row is of another version: later it shows invited for ever",
        History(
            (_send(0, "r1"), Step(10, "foreign row", "r1"), Step(900, "redeem", "anna"), Step(1500, "own row", "r1"))
        ),
        "told",
    ),
    Story(
        "asked again and held up",
        "an invitation is undone before it was seen, another one is approved, and a rule sends it to a person again: "
        "the first request stays invited, and nobody follows its account any more",
        History(
            (
                _send(0, "r1"),
                Step(300, "convert back", "anna"),
                _send(1500, "r2"),
                Step(1600, "give role", "anna", "Helpdesk Administrator"),
                Step(2200, "approve", "r2"),
                Step(3000, "invite by hand", "anna"),
                Step(4000, "redeem", "anna"),
            )
        ),
        "truth",
    ),
    Story(
        "called off for its address",
        "a request is called off while its invitation waits, and the request that joined it is sent to its address",
        History(
            (_send(0, "r1", address="x@fabrikam.com"), _send(5, "r2"), Step(10, "cancel", "r1")),
            (Fault("graph invite", "anna", "unreachable"),),
            settings=SHARED_ADDRESS,
        ),
        "addressed",
    ),
    Story(
        "called off beside an unreadable row",
        "a request is called off while the row of the request that joined it cannot be read, and both are cancelled",
        History(
            (
                _send(0, "r1"),
                _send(5, "r2"),
                Step(8, "foreign row", "r2"),
                Step(10, "cancel", "r1"),
                Step(100, "own row", "r2"),
            ),
            (Fault("graph invite", "anna", "unreachable"),),
        ),
        "truth",
    ),
    Story(
        "called off beside its claim",
        "a request is called off while its first delivery is about to claim: the caller reads 202, and the invitation "
        "goes out",
        History(
            (_send(0, "r1"), Step(0.1, "cancel", "r1")),
            (
                Fault("graph read", "anna", "hold", seconds=0.5),
                Fault("tables write", "requests/r1", "hold", nth=2, seconds=1.5),
                Fault("graph invite", "anna", "slow", seconds=5.0),
            ),
        ),
        "decided",
    ),
)
BY_NAME = {story.name: story for story in STORIES}
