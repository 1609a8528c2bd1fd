"""Unpack the app's deployment zip, and make a Python for it that has only the Functions runtime library."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "requirements-host.txt"
PLACE = ROOT / ".rehearsal"
_INSTALL_SECONDS = 300
_OWN = {"azure_functions_runtime", "azurefunctions"}


class PackageUnusableError(Exception):
    """The package cannot be run on this machine; the text gives the reason and the remedy."""


@dataclass(frozen=True, slots=True)
class Packaged:
    """An unpacked package, and the Python to run it."""

    app: Path
    interpreter: Path
    python: str
    compiled: frozenset[str]
    """The names of the compiled files in the zip."""

    def compiled_since(self) -> list[str]:
        """Return the names of compiled files that were not in the zip, so that the interpreter had to make them."""
        made = {str(path.relative_to(self.app)) for path in self.app.rglob("*.pyc")}
        return sorted(made - self.compiled)


@contextmanager
def unpacked(archive: Path) -> Iterator[Packaged]:
    """Unpack a package that `make package` built. The files are deleted when the context ends.

    Raises:
        PackageUnusableError: the file is no such package, or its Python version is not installed.

    """
    try:
        with zipfile.ZipFile(archive) as package:
            about = json.loads(package.comment or b"{}")
            if about.get("packages") != "included":
                raise PackageUnusableError(f"{archive} does not bring its packages: make it with `make package`")
            interpreter = bare_interpreter(about["python"])
            with tempfile.TemporaryDirectory(prefix="package-") as name:
                package.extractall(name)
                compiled = frozenset(entry for entry in package.namelist() if entry.endswith(".pyc"))
                yield Packaged(Path(name), interpreter, about["python"], compiled)
    except (FileNotFoundError, zipfile.BadZipFile) as error:
        raise PackageUnusableError(f"{archive} is no package ({error}): make it with `make package`") from None


def bare_interpreter(version: str, place: Path = PLACE) -> Path:
    """Return a Python of this version that has only the runtime library. Create it if it is missing.

    Raises:
        PackageUnusableError: this Python version is not installed, or the library cannot be installed.

    """
    home = place / f"bare-{version}"
    python, mark = home / "bin" / "python", home / f"installed-{_stamp()}"
    if not mark.exists():
        running = "{}.{}".format(*sys.version_info[:2]) == version
        base = sys.executable if running else shutil.which(f"python{version}")
        if base is None:
            raise PackageUnusableError(f"the package is for Python {version}: python{version} is not on PATH")
        _run([base, "-m", "venv", "--clear", "--without-pip", str(home)])
        pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
        options = ["--quiet", "--no-deps", "--ignore-requires-python", "--root-user-action", "ignore"]
        _run([*pip, "install", *options, "--requirement", str(REQUIREMENTS)])
        others = {entry.name for entry in _packages(home)} - _OWN
        if others:
            raise PackageUnusableError(f"{home} holds more than the runtime library: {', '.join(sorted(others))}")
        mark.touch()
    return python


def _packages(home: Path) -> Iterator[os.DirEntry[str]]:
    (site,) = home.glob("lib/python*/site-packages")
    yield from (entry for entry in os.scandir(site) if not entry.name.endswith((".dist-info", ".pth", "__pycache__")))


def _stamp() -> str:
    pins = [line for line in REQUIREMENTS.read_text("utf-8").splitlines() if "==" in line]
    return "-".join(pin.split("==")[1] for pin in pins)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False)
    if done.returncode != 0:
        raise PackageUnusableError(f"{' '.join(command[:4])} … failed: {done.stderr.strip().splitlines()[-1]}")
