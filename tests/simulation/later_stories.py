"""Defects of the rebuilt core that were found by search or by review."""

from tests.simulation.history import Ask, Fault, History, Step
from tests.simulation.story import BOTH_HOSTS, HELD, PARTNERS, SHARED_ADDRESS, Story, send

LATER: tuple[Story, ...] = (
    Story(
        "refused in doubt",
        "a person refuses the review of an unknown outcome, and the next request for the account sends a second mail",
        History(
            (send(0, "r1"), Step(100_000, "refuse", "r1"), send(102_000, "r2")),
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
            (send(0, "r1"), Step(20, "refuse", "r1"), send(30, "r2")),
            (Fault("graph invite", "anna", "another"),),
        ),
        "second_mail",
    ),
    Story(
        "reset at once",
        "redemption is reset within the replication window after it, and the account is requested again: completed",
        History((send(0, "r1"), Step(1150, "redeem", "anna"), Step(1350, "reset", "anna"), send(1370, "r2"))),
        "truth",
    ),
    Story(
        "undone at once",
        "the account is made internal again within the window after redemption, and is requested again: completed",
        History((send(0, "r1"), Step(1150, "redeem", "anna"), Step(1350, "convert back", "anna"), send(1370, "r2"))),
        "truth",
    ),
    Story(
        "reset before it was seen",
        "in a tenant that never shows a pending invitation, one is redeemed and reset between two sweeps, and the app "
        "takes that for proof of the contrary: the next lost answer costs a second mail",
        History(
            (send(0, "r1"), Step(605, "redeem", "anna"), Step(700, "reset", "anna"), send(2000, "r2", "ben")),
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
            (send(0, "r1", redirect=PARTNERS), Step(230, "set", "B2B_ALLOWED_REDIRECT_HOSTS", "myapps.microsoft.com")),
            (Fault("tables write", "requests/r1", "freeze", seconds=3600.0),),
            settings=(BOTH_HOSTS,),
        ),
        "ended",
    ),
    Story(
        "frozen before the door",
        "the same, frozen before the very first write for a request that brings no id",
        History(
            (send(0, None, redirect=PARTNERS), Step(230, "set", "B2B_ALLOWED_REDIRECT_HOSTS", "myapps.microsoft.com")),
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
                send(0, "r1"),
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
                send(0, "r1"),
                Step(100_000, "refuse", "r1"),
                send(101_000, "r2"),
                send(101_000, "r3"),
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
            (send(0, "r1"), send(90_000, "r2"), Step(100_000, "approve", "r1")),
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
                send(0, "r1"),
                send(90_000, "r2"),
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
            (send(0, "r1"), Step(100_000, "refuse", "r1"), Step(101_000, "redeem", "anna"), send(102_000, "r2")),
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
                send(0, "r1", "dora"),
                Step(100_000, "change", "dora", {"mail": "dora.new@fabrikam.com"}),
                Step(101_000, "approve", "r1"),
                send(103_000, "r2", "emil"),
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
            (send(0, "r1"), send(60, "r2"), Step(100, "foreign row", "r1")),
            (Fault("graph invite", "anna", "throttled", seconds=300.0),),
            settings=(("B2B_GIVE_UP_SECONDS", "7200"),),
        ),
        "at_rest",
    ),
    Story(
        "unreadable leader in doubt",
        "the same, and the answer to its invitation was lost before anything went out",
        History(
            (send(0, "r1"), send(60, "r2"), Step(100, "foreign row", "r1")),
            (Fault("graph invite", "anna", "reset before"),),
            settings=(("B2B_GIVE_UP_SECONDS", "7200"),),
        ),
        "at_rest",
    ),
    Story(
        "unreadable while it ends",
        "the person redeems while the request's row is of another version: later it shows invited for ever",
        History(
            (send(0, "r1"), Step(10, "foreign row", "r1"), Step(900, "redeem", "anna"), Step(1500, "own row", "r1"))
        ),
        "told",
    ),
    Story(
        "asked again and held up",
        "an invitation is undone before it was seen, another one is approved, and a rule sends it to a person again: "
        "the first request stays invited, and nobody follows its account any more",
        History(
            (
                send(0, "r1"),
                Step(300, "convert back", "anna"),
                send(1500, "r2"),
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
            (send(0, "r1", address="x@fabrikam.com"), send(5, "r2"), Step(10, "cancel", "r1")),
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
                send(0, "r1"),
                send(5, "r2"),
                Step(8, "foreign row", "r2"),
                Step(10, "cancel", "r1"),
                Step(100, "own row", "r2"),
            ),
            (Fault("graph invite", "anna", "unreachable"),),
        ),
        "truth",
    ),
    Story(
        "unreadable while the next one begins",
        "the row of a request that joined cannot be read when its conversion ends; once another request has begun the "
        "next generation, the row can be read again: that request stays inviting for ever",
        History(
            (
                send(0, "r1"),
                send(5, "r2"),
                Step(8, "foreign row", "r2"),
                Step(10, "change", "anna", {"mail": None}),
                send(600, "r3"),
                Step(700, "own row", "r2"),
            ),
            (Fault("graph invite", "anna", "unreachable"),),
        ),
        "at_rest",
    ),
    Story(
        "completed by a process that dies",
        "the process that records a redemption dies before the request is told; the redemption is reset, and another "
        "request begins the next generation before the next sweep: the first one stays invited for ever",
        History(
            (
                send(0, "r1"),
                Step(100, "redeem", "anna"),
                Step(650, "reset", "anna"),
                send(700, "r3"),
                Step(5000, "redeem", "anna"),
            ),
            (Fault("tables write", "conversions/anna", "kill after", after=2),),
        ),
        "truth",
    ),
    Story(
        "called off by a process that dies",
        "the process that cancels a request dies once another request leads in its place; the other one is blocked, "
        "and a third request begins the next generation: the first one stays inviting for ever",
        History(
            (
                send(0, "r1"),
                send(5, "r2"),
                Step(10, "change", "anna", {"mail": None}),
                Step(12, "cancel", "r1"),
                send(600, "r3"),
            ),
            (
                Fault("graph invite", "anna", "unreachable"),
                Fault("queue send", "*", "kill after", after=4),
                Fault("graph read", "anna", "unreachable", after=4),
            ),
        ),
        "at_rest",
    ),
    Story(
        "called off beside its claim",
        "a request is called off while its first delivery is about to claim: the caller reads 202, and the invitation "
        "goes out",
        History(
            (send(0, "r1"), Step(0.1, "cancel", "r1")),
            (
                Fault("graph read", "anna", "hold", seconds=0.5),
                Fault("tables write", "requests/r1", "hold", nth=2, seconds=1.5),
                Fault("graph invite", "anna", "slow", seconds=5.0),
            ),
        ),
        "decided",
    ),
    Story(
        "asked for before the invitation",
        "the first message of a request comes late; meanwhile another request had the account invited, and an "
        "administrator made it internal again: the late message invites a second time",
        History(
            (
                Step(0, "post", value=Ask("r1", "anna")),
                send(0, "r2"),
                Step(5, "sweep"),
                Step(80, "convert back", "anna"),
            ),
            (Fault("tables read", "*", "kill before"),),
        ),
        "second_mail",
    ),
    Story(
        "two clicks on resend",
        "an administrator clicks twice, and the person gets two mails for one decision",
        History((send(0, "r1"), Step(1500, "resend", "anna"), Step(1500, "resend", "anna"))),
        "one_mail_a_decision",
    ),
    Story(
        "a resend that nobody heard of",
        "the answer to a resend is lost, the caller repeats the call, and the person gets the mail twice",
        History(
            (send(0, "r1"), Step(1500, "resend", "anna"), Step(1700, "resend", "anna")),
            (Fault("graph invite", "anna", "reset after", nth=2),),
        ),
        "one_mail_a_decision",
    ),
    Story(
        "adopted too late",
        "someone else's invitation is void when it is adopted, and the app invites the account instead",
        History(
            (
                Step(0, "invite by hand", "anna"),
                send(400, "r1"),
                Step(1500, "convert back", "anna"),
                Step(2500, "adopt", "r1"),
            ),
        ),
        "adopted_quietly",
    ),
)
