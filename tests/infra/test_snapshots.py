"""The kept predictions are those of the templates: what the other tests read is what would be deployed."""

import json

import pytest

from tests.infra.bicep import SCENARIOS, SNAPSHOTS, VERSION, Compiler, text_of
from tests.infra.conftest import missing

RENEW = "renew them with `python -m tests.infra.bicep` and look at the difference"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_kept_snapshot_is_what_the_templates_give(compiler: Compiler, scenario: str) -> None:
    if compiler.version() != VERSION:
        missing(f"the kept snapshots are of Bicep {VERSION}, this is {compiler.version()}")
    prediction = compiler.predict(SNAPSHOTS / f"{scenario}.bicepparam")
    assert prediction["diagnostics"] == []
    assert (SNAPSHOTS / f"{scenario}.snapshot.json").read_text("utf-8") == text_of(prediction), RENEW


def test_no_snapshot_is_left_of_a_scenario_that_is_gone() -> None:
    assert sorted(file.name.removesuffix(".snapshot.json") for file in SNAPSHOTS.glob("*.json")) == SCENARIOS


def test_a_change_of_the_templates_would_be_noticed(compiler: Compiler) -> None:
    defaults, convert = (compiler.predict(SNAPSHOTS / f"{name}.bicepparam") for name in ("defaults", "convert"))
    assert json.dumps(defaults) != json.dumps(convert)
