"""All dependencies are pinned, no file names a package registry, and every module has a docstring and is short."""

import ast
import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.contracts.pages import ROOT

HASH = re.compile(r"\s+--hash=sha256:[0-9a-f]{64}")
PIN = re.compile(r"(?P<name>[a-z0-9][a-z0-9-]*)(?:\[[a-z,-]+\])?==(?P<version>[0-9][^ ;]*)(?: ; (?P<marker>.+))?")
REGISTRIES = re.compile(
    r"registry\.(npmj[s]|yarnpkg|[a-z]+\.[a-z]+)|pythonhoste[d]\.org|pyp[i]\.org|index-url|artifactory|\.pkg\.dev|verdaccio",
    re.IGNORECASE,
)
ROOMS = ("b2b", "probe")
MODULES = [ROOT / "function_app.py", *(path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))]
LONGEST_MODULE = 350


def lines(name: str) -> list[str]:
    text = (ROOT / name).read_text("utf-8").replace("\\\n", "")
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def pins(name: str) -> dict[tuple[str, str], str]:
    """Return the version by package and marker; fail on a line that pins no version."""
    found = {}
    for line in lines(name):
        match = PIN.fullmatch(HASH.sub("", line).rstrip())
        assert match, f"{name}: '{line}' fixes no version"
        found[match["name"], match["marker"] or ""] = match["version"]
    return found


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements-dev.txt", "requirements-host.txt", "probe/requirements.txt"]
)
def test_every_package_is_pinned(name: str) -> None:
    assert pins(name)


def test_every_deployed_package_is_pinned_by_hash() -> None:
    assert [line for line in lines("requirements.txt") if not HASH.search(line)] == []


def test_every_required_package_is_pinned_and_required_once() -> None:
    asked = [re.split(r"[<>=; ]", line)[0] for line in lines("requirements.in")]
    assert set(asked) <= {name for name, _ in pins("requirements.txt")}
    assert len(set(asked)) == len(asked) - 1, "azure-functions stands there twice, nothing else does"


def test_azure_functions_has_version_1_below_python_3_13_and_2_from_there() -> None:
    found = {
        marker: version for (name, marker), version in pins("requirements.txt").items() if name == "azure-functions"
    }
    assert {marker: version.partition(".")[0] for marker, version in found.items()} == {
        "python_full_version < '3.13'": "1",
        "python_full_version >= '3.13'": "2",
    }


def test_the_tests_use_the_same_versions_as_the_deployed_app() -> None:
    development = pins("requirements-dev.txt")
    assert {key: development.get(key) for key in pins("requirements.txt")} == pins("requirements.txt")


def test_the_probe_needs_two_packages_in_the_versions_of_its_tests() -> None:
    development, own = pins("requirements-dev.txt"), pins("probe/requirements.txt")
    assert {key: development.get(key) for key in own} == own
    assert set(lines("probe/requirements.in")) == {"azure-identity", "httpx"}


def test_folders_outside_the_app_are_not_deployed() -> None:
    left_out = set(lines(".funcignore"))
    assert {f"{room}/" for room in ("docs", "infra", "probe", "rehearsal", "tests")} <= left_out


def test_azurite_is_pinned_and_its_lock_file_names_no_registry() -> None:
    package = json.loads((ROOT / "rehearsal" / "package.json").read_text("utf-8"))
    text = (ROOT / "rehearsal" / "package-lock.json").read_text("utf-8")
    azurite = package["dependencies"]["azurite"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", azurite)
    assert json.loads(text)["packages"]["node_modules/azurite"]["version"] == azurite
    assert '"resolved"' not in text


def test_no_file_names_a_registry() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607  found on PATH on purpose
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout.splitlines()
    assert "requirements.txt" in listed
    found = []
    for name in listed:
        path = ROOT / name
        if path.is_file() and path != Path(__file__) and (hit := REGISTRIES.search(path.read_text("utf-8", "replace"))):
            found.append((name, hit.group()))
    assert found == []


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_has_a_docstring_and_is_short(module: Path) -> None:
    text = module.read_text("utf-8")
    assert ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) < LONGEST_MODULE
