"""Install the packages of requirements.txt for Azure's Linux: checked by hash, only wheels, without unused files."""

import re
import shutil
import subprocess
from pathlib import Path

from infra.package.errors import PackageError

# By default, pip takes wheels for the glibc of this machine, but the glibc of Azure's image may be older.
GLIBC = ("_2_28", "_2_27", "_2_24", "_2_17", "2014", "_2_12", "2010", "_2_5", "1")
UNUSED_FOLDERS = frozenset({"__pycache__", "tests", "test"})
UNUSED_FILES = re.compile(r".*\.(pyc|pyi|pyx|pxd|c|h)|RECORD|INSTALLER|REQUESTED")
"""Matches type stubs, sources of extension modules, and files that only pip reads. Licences and metadata stay."""
_SECONDS = 600
_SILENT = re.compile(r"connection|timed out|name resolution|network is unreachable|proxy|no such host", re.IGNORECASE)
_PASSWORD = re.compile(r"//[^/@\s]+@")
_MISMATCH = re.compile(r"do not match the hashes|hashes are required", re.IGNORECASE)


def install(python: str, version: str, requirements: Path, target: Path) -> None:
    """Install every package into ``target``.

    Raises:
        PackageError: the index does not answer (try again), a hash differs, or a package has no wheel for Azure's
            Linux.

    """
    command = [python, "-I", "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    command += ["--target", str(target), "--requirement", str(requirements), "--require-hashes", "--no-deps"]
    command += ["--no-compile", "--only-binary", ":all:", "--retries", "1", "--root-user-action", "ignore"]
    command += ["--implementation", "cp", "--python-version", version]
    command += [option for glibc in GLIBC for option in ("--platform", f"manylinux{glibc}_x86_64")]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise PackageError(f"pip did not end within {_SECONDS} s: look at the network, then try again") from None
    if done.returncode != 0:
        raise PackageError(_reason(done.stderr))


def strip(target: Path) -> None:
    """Delete the files that no import reads: tests, caches, stubs, command-line programs."""
    shutil.rmtree(target / "bin", ignore_errors=True)
    for path in sorted(target.rglob("*"), reverse=True):
        if path.is_dir() and path.name in UNUSED_FOLDERS:
            shutil.rmtree(path)
        elif path.is_file() and UNUSED_FILES.fullmatch(path.name):
            path.unlink()


def _reason(stderr: str) -> str:
    lines = [line.removeprefix("ERROR: ").strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ").strip() for line in stderr.splitlines() if line.startswith("ERROR: ")]
    if _MISMATCH.search(stderr):
        return "a package is not the one whose hash requirements.txt names: nothing of it was kept"
    if _SILENT.search(stderr):
        return "the package index does not answer: look at the network and at pip's settings, then try again"
    return f"pip: {_PASSWORD.sub('//', (errors or lines or ['it failed without a word'])[-1])}"
