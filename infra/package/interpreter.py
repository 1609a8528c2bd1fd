"""Find the Python that builds. It must have the version that the package is for, on the platform that Azure uses.

pip evaluates the conditions in requirements.txt for the Python that runs pip, and a compiled file fits one version.
"""

import json
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass

from infra.package.errors import PackageError

SUPPORTED = ("3.11", "3.12", "3.13")
"""The same versions as in infra/main.bicep and in the workflow's tests."""
DEFAULT = SUPPORTED[0]
ELSEWHERE = "build in a container (docs/reference/package.md)"
_PROBE = """
import importlib.util, json, platform, sys
print(json.dumps({
    "version": "%d.%d" % sys.version_info[:2],
    "implementation": platform.python_implementation(),
    "pip": importlib.util.find_spec("pip") is not None,
}))
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """The properties of a machine that decide whether it can build a package."""

    system: str
    processor: str
    libc: str

    @classmethod
    def this(cls) -> "Machine":
        """Return the machine that this process runs on."""
        return cls(platform.system(), platform.machine(), platform.libc_ver()[0])

    def check(self) -> None:
        """Refuse a machine that cannot import the modules that run in Azure.

        Raises:
            PackageError: the machine is not Linux on x86-64 with glibc. Build in a container instead.

        """
        if self.system != "Linux":
            raise PackageError(f"packages are built on Linux x86-64, this is {self.system}: {ELSEWHERE}")
        if self.processor not in {"x86_64", "AMD64"}:
            raise PackageError(f"packages are built on Linux x86-64, this is {self.processor}: {ELSEWHERE}")
        if self.libc != "glibc":
            raise PackageError(f"packages are built where the C library is glibc, as in Azure: {ELSEWHERE}")


def find(version: str, seconds: float = 60.0) -> str:
    """Return the path of a Python interpreter of this version that has pip.

    Raises:
        PackageError: the version is not supported, or this machine has no such interpreter.

    """
    if version not in SUPPORTED:
        raise PackageError(f"Python {version} is not supported: {', '.join(SUPPORTED)}")
    running = "{}.{}".format(*sys.version_info[:2]) == version
    path = sys.executable if running else shutil.which(f"python{version}")
    if path is None:
        others = " or ".join(each for each in SUPPORTED if each != version)
        raise PackageError(
            f"python{version} is not on PATH: install it, build for another version that the app may run on "
            f"(DEPLOY_PYTHON_VERSION={others}), or {ELSEWHERE}"
        )
    found = _probe(path, seconds)
    if found.get("version") != version or found.get("implementation") != "CPython":
        raise PackageError(f"{path} does not start as CPython {version}: install it, or {ELSEWHERE}")
    if not found["pip"]:
        raise PackageError(f"{path} has no pip: install it (python{version} -m ensurepip), or {ELSEWHERE}")
    return path


def _probe(path: str, seconds: float) -> dict[str, object]:
    try:
        done = subprocess.run([path, "-I", "-c", _PROBE], capture_output=True, text=True, timeout=seconds, check=False)
        return dict(json.loads(done.stdout)) if done.returncode == 0 else {}
    except (subprocess.TimeoutExpired, ValueError):
        return {}
