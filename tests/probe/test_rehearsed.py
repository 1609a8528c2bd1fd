"""The rehearsal reads a result of the probe, and its tenant then behaves like the probed one."""

import io

import pytest

from probe.questions import QUESTIONS
from probe.run import DONE
from rehearsal.run import rehearse
from rehearsal.tenant import beliefs
from rehearsal.tenant.serving.app import create_app
from tests.end_to_end.test_run import few
from tests.probe.support import TENANT, Lab

ASKED = [question for question in QUESTIONS if question.switch and question.id not in ("INV-15", "INV-16")]


@pytest.mark.parametrize("which", [0, 1])
def test_a_tenant_made_from_a_result_has_the_positions_of_the_probed_one(lab: Lab, which: int) -> None:
    """The test uses the first or the last position of each switch except `tenant-version`."""
    lab.start_over()
    for question in ASKED:
        if question.switch != "tenant-version":
            lab.control.set_switch(str(question.switch), question.positions[-which])
    assert lab.run(*(question.id for question in ASKED)) == DONE, lab.person.said
    seen = beliefs.read(lab.folder / "result.json")
    assert set(seen) >= {question.switch for question in ASKED} - {"tenant-version"}

    twin = create_app(TENANT, switches=seen).state.tenant.switches.positions()
    asked = lab.control.switches()
    assert {name: twin[name] for name in seen} == {name: asked[name] for name in seen}


def test_a_rehearsal_of_the_sample_uses_the_probed_positions(lab: Lab) -> None:
    lab.start_over(old_redeem_link="alive", batch_order="as-sent")
    assert lab.run("RED-05", "BATCH-04") == DONE
    seen = beliefs.read(lab.folder / "result.json")
    out = io.StringIO()
    assert rehearse("current", sample=few(), positions=seen, out=out, log_file=lab.folder / "host.log") == 0
    told = [line for line in out.getvalue().splitlines() if "the tenant as it was seen" in line]
    assert [line.partition(": ")[2] for line in told] == ["batch-order is as-sent", "old-redeem-link is alive"]
