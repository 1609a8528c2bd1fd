from tests.simulation.actions import ACTIONS
from tests.simulation.generate import FAULTY_CALLS, history
from tests.simulation.history import Ask, Fault, History, Step
from tests.simulation.search import play, search, shrink, told

HISTORIES = 300
OPEN = frozenset(
    {
        "second_mail",
        "unasked_invitation",
        "answered_again",
        "lost",
        "at_rest",
        "truth",
        "void_approval",
        "ended",
        "repeated_in_vain",
        "dead_twin",
        "bounded",
        "sound",
    }
)
"""Oracles that the app does not satisfy yet; a search must find nothing else."""


def test_random_histories_break_no_promise_that_the_app_keeps() -> None:
    tally = search(history, range(HISTORIES), lambda: False)
    broken = {seed: played for seed, played in tally.failing.items() if played.oracles - OPEN}
    assert not broken, told(next(iter(broken.values())).history)
    assert tally.histories == HISTORIES
    assert tally.median_calls >= 60


def test_a_seed_is_the_same_history_and_the_same_run_each_time() -> None:
    for seed in range(20):
        first, second = play(history(seed), traced=True), play(history(seed), traced=True)
        assert first.history == second.history
        assert first.trace == second.trace


def test_the_generator_draws_every_fault_and_every_meddler() -> None:
    drawn = [history(seed) for seed in range(3000)]
    outcomes = {fault.outcome for each in drawn for fault in each.faults}
    assert outcomes == {outcome for _, _, those in FAULTY_CALLS for outcome in those}
    actions = {step.action for each in drawn for step in each.steps}
    assert {name for name, action in ACTIONS.items() if action.meddles} - actions <= {"lag"}


def test_a_failing_history_is_shrunk_to_what_it_takes() -> None:
    noisy = History(
        steps=(
            Step(0, "send", "", Ask("r1", "anna")),
            Step(0, "send", "", Ask("r2", "ben")),
            Step(50, "restart"),
            Step(100, "set", "B2B_MODE", "assess"),
        ),
        faults=(Fault("graph read", "ben", "busy"),),
        people=("anna", "ben"),
        known=False,
        schedule=3,
        lag=4,
    )
    small = shrink(noisy, "never", tries=50)
    assert small == noisy
    assert "what happened" in told(History((Step(0, "send", "", Ask("r1", "anna")),), known=False))
