"""The kept predictions are those of the current templates, so that the other tests can rely on them."""

import shutil
from pathlib import Path

import pytest

from tests.infra.bicep import INFRA, SCENARIOS, SNAPSHOTS, VERSION, Compiler, text_of
from tests.support.tools import missing

RENEW = "renew them with `python -m tests.infra.bicep` and look at the difference"


@pytest.fixture(autouse=True)
def version_of_the_snapshots(compiler: Compiler) -> None:
    if compiler.version() != VERSION:
        missing(f"the kept snapshots are of Bicep {VERSION}, this is {compiler.version()}")


def kept_and_predicted(compiler: Compiler, scenario: str, templates: Path = INFRA) -> tuple[str, str]:
    prediction = compiler.predict(templates / "snapshots" / f"{scenario}.bicepparam")
    assert prediction["diagnostics"] == []
    return (SNAPSHOTS / f"{scenario}.snapshot.json").read_text("utf-8"), text_of(prediction)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_kept_snapshot_equals_the_prediction_of_the_templates(compiler: Compiler, scenario: str) -> None:
    kept, predicted = kept_and_predicted(compiler, scenario)
    assert kept == predicted, RENEW


def test_every_snapshot_belongs_to_a_scenario() -> None:
    assert sorted(file.name.removesuffix(".snapshot.json") for file in SNAPSHOTS.glob("*.json")) == SCENARIOS


def test_a_changed_template_gives_another_prediction(compiler: Compiler, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(INFRA, tmp_path / "infra"))
    kept, predicted = kept_and_predicted(compiler, "defaults", copy)
    assert kept == predicted
    storage = copy / "modules" / "storage.bicep"
    text = storage.read_text("utf-8")
    storage.write_text(text.replace("allowSharedKeyAccess: false", "allowSharedKeyAccess: true"), "utf-8")
    kept, predicted = kept_and_predicted(compiler, "defaults", copy)
    assert kept.replace('"allowSharedKeyAccess": false', '"allowSharedKeyAccess": true') == predicted != kept
