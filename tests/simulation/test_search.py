import pytest

from tests.simulation import years
from tests.simulation.actions import ACTIONS
from tests.simulation.directory_state import SWITCHES
from tests.simulation.generate import FAULTY_CALLS
from tests.simulation.generate_campaigns import history
from tests.simulation.history import Ask, Fault, History, Step
from tests.simulation.search import play, search, shrink, told
from tests.simulation.worlds import WORLDS, SmallWorld, every_schedule, with_fact

CHUNK, CHUNKS = 250, 12
"""Three thousand histories, in parts that the workers share."""


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_random_histories_break_no_promise(chunk: int) -> None:
    tally = search(history, range(chunk * CHUNK, (chunk + 1) * CHUNK), lambda: False)
    assert not tally.failing, told(next(iter(tally.failing.values())).history)
    assert tally.histories == CHUNK
    assert tally.median_calls >= 60


@pytest.mark.parametrize("seed", range(6))
def test_a_history_of_a_year_breaks_no_promise(seed: int) -> None:
    played = play(years.history(seed))
    assert not played.violations, told(played.history)
    assert played.calls > 100


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_no_schedule_of_a_small_world_with_one_preemption_breaks_a_promise(world: SmallWorld, known: bool) -> None:  # noqa: FBT001
    searched = list(every_schedule(with_fact(world, known=known), preemptions=1, kills=False))
    broken = [each for each in searched if each.played.violations]
    assert not broken, f"preempt {broken[0].preempt}: {broken[0].played.violations}"
    assert len(searched) > 5


def test_a_seed_always_gives_the_same_history_and_the_same_run() -> None:
    for seed in range(20):
        first, second = play(history(seed), traced=True), play(history(seed), traced=True)
        assert first.history == second.history
        assert first.trace == second.trace


def test_the_generator_draws_every_fault_action_and_switch() -> None:
    drawn = [history(seed) for seed in range(3000)]
    outcomes = {fault.outcome for each in drawn for fault in each.faults}
    assert outcomes == {outcome for _, _, those in FAULTY_CALLS for outcome in those}
    actions = {step.action for each in drawn for step in each.steps}
    assert {name for name, action in ACTIONS.items() if action.meddles} - actions <= {"lag"}
    turned = {switch for each in drawn for switch in each.switches}
    turned |= {(step.subject, step.value) for each in drawn for step in each.steps if step.action == "switch"}
    positions = {(name, position) for name, others in SWITCHES.items() for position in others[1:]}
    assert positions <= turned


def test_a_history_without_the_violation_is_not_shrunk() -> None:
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
