"""Stories of the numbered defects: findings A1 to A15 of the review of the first core, and public reports."""

from tests.simulation.history import Fault, History, Step
from tests.simulation.story import BOTH_HOSTS, HELD, PARTNERS, SHARED_ADDRESS, Story, send

NUMBERED: tuple[Story, ...] = (
    Story(
        "A1",
        "a tenant never shows a pending invitation, and the answer to one is lost: a second mail after the window",
        History(
            (send(0, "r1"),),
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
            (send(0, "r1", "dora"), send(200, "r2", "dora"), send(200, "r3", "emil")),
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
            (send(0, "r1"), send(5, "r1")),
            (Fault("graph invite", "anna", "another"), Fault("tables write", "conversions/anna", "kill after", nth=2)),
        ),
        "answered_again",
    ),
    Story(
        "A3b",
        "Graph refuses, and the process dies once that end is written: the invitation is sent again",
        History(
            (send(0, "r1"), send(5, "r1")),
            (Fault("graph invite", "anna", "refused"), Fault("tables write", "conversions/anna", "kill after", nth=2)),
        ),
        "answered_again",
    ),
    Story(
        "A4",
        "a dry run that the host gave up on before it had a row becomes a real invitation by a retry",
        History((send(0, "r1", dry_run=True), Step(0, "poison", "r1"), Step(1500, "retry", "r1"))),
        "unasked_invitation",
    ),
    Story(
        "A4b",
        "a request sent in assess that the host gave up on becomes a real invitation by a retry after the switch",
        History(
            (
                send(0, "r1"),
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
                send(1, "r1", redirect=PARTNERS),
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
                send(1, "r1"),
                send(1, "r2", "ben"),
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
                send(0, "r1"),
                Step(5, "set", "B2B_PAUSED", "true"),
                send(10, "r2"),
                Step(95_000, "set", "B2B_PAUSED", "false"),
            ),
            (Fault("graph invite", "anna", "reset before"),),
        ),
        "at_rest",
    ),
    Story(
        "A8",
        "a request that never ran is sent again, as its row asks, and nothing comes of it",
        History((send(0, "r1"), Step(0, "poison", "r1"), send(1900, "r1"))),
        "repeated_in_vain",
    ),
    Story(
        "A9a",
        "a draft is refused, and the host gives up on the corrected request before it has a row",
        History((send(0, "r1", broken=True), send(100, "r1"), Step(100, "poison", "r1"))),
        "lost",
    ),
    Story(
        "A9b",
        "a second malformed body writes its note between the read and the write of the corrected request",
        History(
            (send(0, "r1", broken=True), send(100, "r1"), send(100, "r1", broken=True, mail=False)),
            (Fault("tables write", "requests/r1", "hold", after=2, seconds=5),),
        ),
        "lost",
    ),
    Story(
        "A10",
        "a silent try has no answer, the next ones are not sent, and then the account shows the first: blocked",
        History(
            (Step(0, "lag", "anna", 250.0), send(0, "r1", mail=False)),
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
            (send(0, "r1", by="userPrincipalName"), Step(10, "move name", "anna", "ben")),
            (Fault("graph invite", "anna", "reset after"),),
            people=("anna", "ben"),
        ),
        "truth",
    ),
    Story(
        "A12",
        "the account lies in the recycle bin when its doubtful invitation is settled, and is restored",
        History(
            (send(0, "r1"), Step(10, "delete", "anna"), Step(1300, "restore", "anna")),
            (Fault("graph invite", "anna", "reset after"),),
        ),
        "truth",
    ),
    Story(
        "A13",
        "address and roles change while a request waits: the review shows the old address, and its approval is void",
        History(
            (
                send(0, "r1"),
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
            (send(0, "r1", "hugo"), send(0, "r1", "hugo")),
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
                send(0, "r1"),
                Step(1000, "redeem", "anna"),
                Step(3000, "convert back", "anna"),
                send(6000, "r2"),
            )
        ),
        "truth",
    ),
    Story(
        "case 5",
        "redemption was reset, and the account is requested again: completed",
        History((send(0, "r1"), Step(1000, "redeem", "anna"), Step(3000, "reset", "anna"), send(6000, "r2"))),
        "truth",
    ),
    Story(
        "case 6",
        "the account is deleted while its invitation waits: invited for ever, without a word",
        History((send(0, "r1"), Step(1000, "delete", "anna"))),
        "truth",
    ),
    Story(
        "case 7",
        "the account was deleted for good and made anew: its dead twin holds the address",
        History(
            (send(0, "r1", "dora"), Step(1000, "purge", "dora"), send(6000, "r2", "emil")),
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
            (send(0, "r1"), Step(100_000, "approve", "r1"), send(102_000, "r2"), Step(110_000, "retry", "r1")),
            (Fault("graph invite", "anna", "reset before"), Fault("graph invite", "anna", "refused", nth=2)),
            switches=(("pending-state", "unset"),),
            known=False,
        ),
        "second_mail",
    ),
)
