"""Build the package from start to end. Afterwards there is either the complete new package, or none."""

import json
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from infra.package import archive, interpreter, packages
from infra.package.errors import PackageError
from infra.package.place import APP_FILES, APP_FOLDERS, SITE_PACKAGES, Place
from infra.package.trim import trim

IMPORTS = Path(__file__).parent / "imports.py"
IGNORE_FILE = ".funcignore"
# Without an ignore file of its own, azd leaves `__pycache__` out of every Python package.
_IGNORE_NOTHING = "# Everything here is deployed, the compiled files in __pycache__ too.\n"
_SECONDS = 300
_SCRATCH = ".building-"
_ABANDONED = 3600
"""Age in seconds from which a scratch folder is deleted. No build takes so long, so its build was killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What a build produced."""

    archive: Path
    python: str
    files: int
    compiled: int
    unpacked_bytes: int
    zipped_bytes: int
    seconds: float

    def __str__(self) -> str:
        zipped, unpacked = (size / 1_000_000 for size in (self.zipped_bytes, self.unpacked_bytes))
        return (
            f"Python {self.python}: {zipped:.1f} MB zipped, {unpacked:.0f} MB in {self.files} files,"
            f" {self.compiled} modules compiled, in {self.seconds:.0f} s"
        )


def build(place: Place, version: str, machine: interpreter.Machine, *, trimmed: bool = False) -> Built:
    """Build the package for one version of Python, with all dependencies.

    Raises:
        PackageError: no package was built. The text says why and what to do before the next try.

    """
    began = time.monotonic()
    clear(place)
    machine.check()
    python = interpreter.find(version)
    if place.stray_packages.exists():
        raise PackageError(f"{place.stray_packages} is another tool's and may hold anything: remove it, then build")
    with _scratch(place) as name:
        app = Path(name, "app")
        _copy_app(place, app)
        site_packages = app / SITE_PACKAGES
        packages.install(python, version, place.requirements, site_packages)
        packages.strip(site_packages)
        compiled = _compile(python, app)
        if trimmed:
            trim(site_packages, compiled)
        _finish(place, Path(name), {"python": version, "packages": "included"})
    return _measured(place, version, time.monotonic() - began)


def build_source(place: Place, version: str) -> Built:
    """Build what Azure's remote build takes: the app and requirements.txt, without the dependencies.

    Raises:
        PackageError: no package was built, because this version of Python is not supported.

    """
    began = time.monotonic()
    clear(place)
    if version not in interpreter.SUPPORTED:
        raise PackageError(f"Python {version} is not supported: {', '.join(interpreter.SUPPORTED)}")
    with _scratch(place) as name:
        _copy_app(place, Path(name, "app"))
        _finish(place, Path(name), {"python": version, "packages": "remote build"})
    return _measured(place, version, time.monotonic() - began)


def clear(place: Place) -> None:
    """Delete the package of an earlier build, so that it is not deployed if this build fails.

    Scratch folders of builds that were killed are deleted, too.
    """
    place.archive.unlink(missing_ok=True)
    shutil.rmtree(place.app, ignore_errors=True)
    for scratch in place.output.glob(f"{_SCRATCH}*"):
        if time.time() - scratch.stat().st_mtime > _ABANDONED:
            shutil.rmtree(scratch, ignore_errors=True)


def _scratch(place: Place) -> tempfile.TemporaryDirectory[str]:
    """Return a temporary folder beside the package, so that one rename moves the finished package into place."""
    place.output.mkdir(exist_ok=True)
    return tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=place.output)


def _copy_app(place: Place, app: Path) -> None:
    app.mkdir()
    for name in APP_FILES:
        shutil.copyfile(place.root / name, app / name)
    for name in APP_FOLDERS:
        shutil.copytree(place.root / name, app / name, ignore=shutil.ignore_patterns("__pycache__"))


def _compile(python: str, app: Path) -> list[Path]:
    """Compile the modules that the app imports, and return the paths of these modules."""
    command = [python, "-I", "-S", str(IMPORTS), str(app), str(app / SITE_PACKAGES)]
    # The app gets none of the builder's variables, so that it does not start to work or call the builder's Azure.
    try:
        done = subprocess.run(command, env={}, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise PackageError(f"the app did not start from its package within {_SECONDS} s") from None
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        raise PackageError(f"the app cannot be imported from its package: {said[-1]}")
    return [app / name for name in json.loads(done.stdout)]


def _finish(place: Place, scratch: Path, about: dict[str, str]) -> None:
    app, zipped = scratch / "app", scratch / place.archive.name
    (app / IGNORE_FILE).write_text(_IGNORE_NOTHING, "utf-8")
    archive.write(app, zipped, frozenset({IGNORE_FILE}), json.dumps(about))
    app.replace(place.app)
    zipped.replace(place.archive)


def _measured(place: Place, version: str, seconds: float) -> Built:
    files = [path for path in archive.files_of(place.app) if path.name != IGNORE_FILE]
    sizes = [path.stat().st_size for path in files]
    return Built(
        archive=place.archive,
        python=version,
        files=len(sizes),
        compiled=sum(path.suffix == ".pyc" for path in files),
        unpacked_bytes=sum(sizes),
        zipped_bytes=place.archive.stat().st_size,
        seconds=seconds,
    )
