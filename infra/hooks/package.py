"""The hook that builds the package for azd: on this machine, or in a container if this machine cannot build it."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from infra.hooks.errors import HookError
from infra.hooks.tools import Tools
from infra.package.build import build, build_source
from infra.package.errors import PackageError
from infra.package.interpreter import DEFAULT, SUPPORTED, Machine, find
from infra.package.place import Place

WAYS = ("auto", "here", "container", "remote-build")
IMAGE = "python:{version}-bookworm"
_HANDED_ON = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL")
"""Environment variables of this machine's pip that pip in the container gets, too."""


def prepackage(tools: Tools, place: Place, machine: Machine) -> Iterator[str]:
    """Build the package that azd then deploys.

    Raises:
        HookError: no package was built. The text says what to change; then run azd again.

    """
    version = tools.environment.get("DEPLOY_PYTHON_VERSION") or DEFAULT
    way = tools.environment.get("DEPLOY_PACKAGE") or WAYS[0]
    if way not in WAYS:
        raise HookError(f"DEPLOY_PACKAGE: expected one of {', '.join(WAYS)}, got '{way}'")
    _agree(place, way)
    try:
        if way == "remote-build":
            yield str(build_source(place, version))
        elif way == "container" or (way == "auto" and not _possible_here(version, machine)):
            yield from _in_container(tools, place, version)
        else:
            yield str(build(place, version, machine))
    except PackageError as error:
        raise HookError(str(error)) from None


def _agree(place: Place, way: str) -> None:
    """Refuse to go on unless `DEPLOY_PACKAGE` and `remoteBuild` in azure.yaml agree.

    Otherwise the app is deployed without its dependencies, or Azure installs them a second time.

    Raises:
        HookError: the two settings contradict each other. One of them must be changed.

    """
    project = (place.root / "azure.yaml").read_text("utf-8")
    remote = re.search(r"^\s+remoteBuild: true\s*(#.*)?$", project, re.MULTILINE) is not None
    if remote != (way == "remote-build"):
        raise HookError("DEPLOY_PACKAGE is remote-build if and only if azure.yaml says remoteBuild: true")


def _possible_here(version: str, machine: Machine) -> bool:
    try:
        machine.check()
        find(version)
    except PackageError:
        return False
    return True


def _in_container(tools: Tools, place: Place, version: str) -> Iterator[str]:
    if version not in SUPPORTED:
        raise HookError(f"Python {version} is not supported: {', '.join(SUPPORTED)}")
    engine = tools.find("docker", "podman")
    if engine is None:
        raise HookError(
            f"this machine cannot build for Python {version} on Linux, and has neither docker nor podman: "
            "see docs/reference/package.md"
        )
    owner = ("--user", f"{os.getuid()}:{os.getgid()}") if hasattr(os, "getuid") else ()
    known = [option for name in _HANDED_ON if tools.environment.get(name) for option in ("--env", name)]
    mount = f"type=bind,source={place.root},target=/source"
    yield f"building in a container of {IMAGE.format(version=version)}"
    code = tools.run(
        *(engine, "run", "--rm", "--platform", "linux/amd64", *owner, "--env", "HOME=/tmp", *known),
        *("--mount", mount, "--workdir", "/source", IMAGE.format(version=version)),
        *("python", "-m", "infra.package", "--python", version),
    )
    if code != 0:
        raise HookError(f"{Path(engine).stem} run ended with {code}")
