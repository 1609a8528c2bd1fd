"""PowerShell for the tests that need it, found as the Bicep compiler is."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.infra.bicep import ROOT

HOW_TO_GET_ONE = "no PowerShell 7: put pwsh on PATH, or its path into PWSH"


def find_powershell() -> str | None:
    """The pwsh named in PWSH, on PATH, or beside the repository."""
    beside = ROOT.parent / "shared" / "tools" / "pwsh"
    return os.environ.get("PWSH") or shutil.which("pwsh") or (str(beside) if beside.exists() else None)


def powershell(
    pwsh: str, *arguments: str, environment: Mapping[str, str], cwd: Path = ROOT
) -> "subprocess.CompletedProcess[str]":
    """Run a script or a command."""
    return subprocess.run(  # noqa: S603  the PowerShell that the tester chose
        [pwsh, "-NoProfile", "-NonInteractive", *arguments],
        cwd=cwd,
        env={"NO_COLOR": "1", "TERM": "dumb", **environment},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
