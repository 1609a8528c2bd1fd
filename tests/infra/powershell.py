"""Find and run PowerShell for the tests that need it."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.infra.bicep import ROOT

HOW_TO_GET_ONE = "no PowerShell 7: put pwsh on PATH, or its path into PWSH"


def find_powershell() -> str | None:
    """Return the path of pwsh from the variable PWSH, from PATH, or next to the repository; None if there is none."""
    beside = ROOT.parent / "shared" / "tools" / "pwsh"
    return os.environ.get("PWSH") or shutil.which("pwsh") or (str(beside) if beside.exists() else None)


def powershell(
    pwsh: str, *arguments: str, environment: Mapping[str, str], cwd: Path = ROOT
) -> "subprocess.CompletedProcess[str]":
    """Run PowerShell with these arguments and return the ended process."""
    return subprocess.run(  # noqa: S603  the PowerShell chosen by the caller
        [pwsh, "-NoProfile", "-NonInteractive", *arguments],
        cwd=cwd,
        env={"NO_COLOR": "1", "TERM": "dumb", **environment},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
