"""The rehearsal reads the tenant's positions from a result of the probe."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from rehearsal.__main__ import main
from rehearsal.run.progress import Progress
from rehearsal.run.rehearse import tell_positions
from rehearsal.tenant import beliefs

SEEN = {"id": "RED-05", "ended": "seen", "switch": "old-redeem-link", "positions": ["alive"]}


def written(folder: Path, *found: dict[str, Any], **others: Any) -> Path:
    path = folder / "result.json"
    path.write_text(json.dumps({"format": 1, "beliefs": list(found)} | others), "utf-8")
    return path


def test_only_seen_beliefs_about_switches_become_positions(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        SEEN,
        {"id": "INV-01", "ended": "seen", "positions": ["holds"]},
        {"id": "INV-06", "ended": "skipped", "switch": "address-match", "reason": "nobody"},
        {"id": "INV-31", "ended": "seen", "switch": "unknown-account", "positions": []},
    )
    assert beliefs.read(path) == {"old-redeem-link": "alive"}


@pytest.mark.parametrize(
    ("positions", "taken"),
    [(["unless-restricted", "always"], "unless-restricted"), (["never", "always"], "never")],
)
def test_if_several_positions_fit_the_default_is_taken_or_else_the_first(
    tmp_path: Path, positions: list[str], taken: str
) -> None:
    path = written(tmp_path, {"id": "INV-16", "ended": "seen", "switch": "readwrite-invites", "positions": positions})
    assert beliefs.read(path) == {"readwrite-invites": taken}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "is no result of the probe"),
        ("{", "is no result of the probe"),
        ("[]", "is no result of the probe"),
        ('{"format": 1}', "is no result of the probe"),
        ('{"format": 2, "beliefs": []}', "has format 2, not 1"),
        (json.dumps({"format": 1, "beliefs": [SEEN | {"switch": "weather"}]}), "no switch is called 'weather'"),
        (json.dumps({"format": 1, "beliefs": [SEEN | {"positions": ["half"]}]}), "not 'half'"),
    ],
)
def test_a_file_that_is_no_probe_result_is_refused_with_the_reason(
    tmp_path: Path, text: str | None, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "result.json"
    if text is not None:
        path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=reason):
        beliefs.read(path)
    with pytest.raises(SystemExit):
        main(["run", "--beliefs", str(path)])
    assert reason in capsys.readouterr().err


def test_a_run_first_prints_the_unusual_positions() -> None:
    out = io.StringIO()
    tell_positions(Progress(out), {"old-redeem-link": "alive", "filter-case": "ignored"})
    tell_positions(Progress(out), {"filter-case": "ignored"})
    tell_positions(Progress(out), {})
    assert [line.partition(" s  ")[2] for line in out.getvalue().splitlines()] == [
        "the tenant as it was seen: old-redeem-link is alive",
        "the tenant as it was seen: all 1 positions are the usual ones",
    ]
