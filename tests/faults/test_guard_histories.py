import pytest

from tests.faults.campaign_histories import OF_CAMPAIGNS
from tests.faults.guard_histories import NARROW, Narrow
from tests.simulation.oracles import judge
from tests.simulation.reading import ask_all
from tests.simulation.runner import Runner
from tests.simulation.search import told


@pytest.mark.parametrize("narrow", [*NARROW, *OF_CAMPAIGNS], ids=lambda narrow: narrow.name)
def test_a_history_that_needs_one_guard_ends_well(narrow: Narrow) -> None:
    runner = Runner(narrow.history)
    world = runner.play()
    assert {hit.partition(": ")[2] for hit in runner.hit} == {fault.outcome for fault in narrow.history.faults}
    assert not judge(world), told(narrow.history)
    if narrow.invited_within is not None:
        assert world.sent[-1].at <= narrow.invited_within
    if narrow.most_calls is not None:
        assert world.calls <= narrow.most_calls
    if narrow.stage is not None:
        assert ask_all(world)["r1"]["stage"] == narrow.stage
