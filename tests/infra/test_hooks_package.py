"""How azd's hook builds (directly, in a container, or for the remote build), and how each system starts hooks."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from infra.hooks.__main__ import HOOKS
from infra.hooks.errors import HookError
from infra.hooks.package import prepackage
from infra.hooks.tools import Tools
from infra.package.interpreter import SUPPORTED, Machine
from infra.package.place import APP_FILES, Place
from tests.infra.bicep import ROOT
from tests.infra.powershell import powershell
from tests.infra.standins import StandIns

HERE = "{}.{}".format(*sys.version_info[:2])
LINUX, MAC = Machine("Linux", "x86_64", "glibc"), Machine("Darwin", "arm64", "")


@pytest.fixture
def programs(tmp_path: Path) -> StandIns:
    return StandIns(tmp_path / "bin")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Make a checkout whose app imports only the standard library."""
    root = tmp_path / "checkout"
    (root / "b2b").mkdir(parents=True)
    for name in (*APP_FILES, "b2b/__init__.py"):
        (root / name).write_text("", "utf-8")
    shutil.copyfile(ROOT / "azure.yaml", root / "azure.yaml")
    return Place(root)


def lines(programs: StandIns, place: Place, machine: Machine, **environment: str) -> list[str]:
    tools = Tools({"PATH": programs.path(), "DEPLOY_PYTHON_VERSION": HERE, **environment})
    return list(prepackage(tools, place, machine))


def container_call(place: Place, version: str, *more: str, engine: str = "docker") -> list[str]:
    owner = f"{os.getuid()}:{os.getgid()}"
    mount = f"type=bind,source={place.root},target=/source"
    return [
        *(engine, "run", "--rm", "--platform", "linux/amd64", "--user", owner, "--env", "HOME=/tmp", *more),
        *("--mount", mount, "--workdir", "/source", f"python:{version}-bookworm"),
        *("python", "-m", "infra.package", "--python", version),
    ]


def test_on_a_machine_like_azures_the_hook_builds_directly(programs: StandIns, place: Place) -> None:
    (line,) = lines(programs, place, LINUX)
    assert line.startswith(f"Python {HERE}: ")
    assert place.archive.exists()
    assert (place.app / "function_app.py").exists()


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_on_other_machines_the_hook_builds_in_a_container(programs: StandIns, place: Place, engine: str) -> None:
    programs.program(engine)
    programs.expect(*container_call(place, HERE, engine=engine))
    assert lines(programs, place, MAC) == [f"building in a container of python:{HERE}-bookworm"]
    assert programs.calls == [container_call(place, HERE, engine=engine)]


def test_for_a_python_that_is_not_installed_the_hook_builds_in_a_container(programs: StandIns, place: Place) -> None:
    other = next(version for version in SUPPORTED if version != HERE)
    programs.program("docker")
    programs.expect(*container_call(place, other))
    assert lines(programs, place, LINUX, DEPLOY_PYTHON_VERSION=other)


def test_the_container_uses_the_package_index_of_the_environment(programs: StandIns, place: Place) -> None:
    programs.program("docker")
    programs.expect(*container_call(place, HERE, "--env", "PIP_INDEX_URL"))
    index = {"PIP_INDEX_URL": "https://packages.contoso.com/simple"}
    assert lines(programs, place, LINUX, DEPLOY_PACKAGE="container", **index)


def test_a_failed_container_stops_azd(programs: StandIns, place: Place) -> None:
    programs.program("docker")
    programs.expect(*container_call(place, HERE), code=125)
    with pytest.raises(HookError, match="docker run ended with 125"):
        lines(programs, place, MAC)


def test_without_a_container_engine_the_hook_fails_in_one_line(programs: StandIns, place: Place) -> None:
    with pytest.raises(HookError, match=f"cannot build for Python {HERE} on Linux, and has neither docker nor podman"):
        lines(programs, place, MAC)
    with pytest.raises(HookError, match="this is Darwin: build in a container"):
        lines(programs, place, MAC, DEPLOY_PACKAGE="here")


@pytest.mark.parametrize("way", ["auto", "here", "container", "remote-build"])
def test_an_unsupported_python_stops_azd(programs: StandIns, place: Place, way: str) -> None:
    if way == "remote-build":
        let_azure_build(place)
    with pytest.raises(HookError, match=r"Python 3\.9 is not supported"):
        lines(programs, place, LINUX, DEPLOY_PACKAGE=way, DEPLOY_PYTHON_VERSION="3.9")


def test_an_unknown_deploy_package_value_is_refused(programs: StandIns, place: Place) -> None:
    with pytest.raises(
        HookError, match="DEPLOY_PACKAGE: expected one of auto, here, container, remote-build, got 'zip'"
    ):
        lines(programs, place, LINUX, DEPLOY_PACKAGE="zip")


def let_azure_build(place: Place) -> None:
    project = (place.root / "azure.yaml").read_text("utf-8")
    (place.root / "azure.yaml").write_text(project.replace("remoteBuild: false", "remoteBuild: true"), "utf-8")


def test_the_remote_build_needs_both_of_its_settings(programs: StandIns, place: Place) -> None:
    with pytest.raises(HookError, match=r"if and only if azure\.yaml says remoteBuild: true"):
        lines(programs, place, LINUX, DEPLOY_PACKAGE="remote-build")
    let_azure_build(place)
    with pytest.raises(HookError, match=r"if and only if azure\.yaml says remoteBuild: true"):
        lines(programs, place, LINUX)
    assert not place.output.exists()
    assert lines(programs, place, LINUX, DEPLOY_PACKAGE="remote-build")
    assert not (place.app / ".python_packages").exists()
    assert (place.app / "requirements.txt").exists()


def hooks() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield every hook of azure.yaml: its name, the system, and its shell and command."""
    project = yaml.safe_load((ROOT / "azure.yaml").read_text("utf-8"))
    (service,) = project["services"].values()
    for name, systems in {**project["hooks"], **service["hooks"]}.items():
        for system, hook in systems.items():
            yield name, system, hook


def test_azd_deploys_the_built_folder_unchanged() -> None:
    (service,) = yaml.safe_load((ROOT / "azure.yaml").read_text("utf-8"))["services"].values()
    assert Path(service["project"], service["dist"]) == Place().app.relative_to(ROOT)
    assert service["remoteBuild"] is False
    assert set(service["hooks"]) == {"prepackage"}, "azd deploy runs no hook of the project when it packages"


def test_every_hook_has_a_command_for_both_systems() -> None:
    found = {(name, system): (hook["shell"], hook["run"]) for name, system, hook in hooks()}
    assert found == {
        **{(name, "posix"): ("sh", f"sh infra/hooks/run.sh {name}") for name in HOOKS},
        **{(name, "windows"): ("pwsh", f"./infra/hooks/run.ps1 {name}; exit $LASTEXITCODE") for name in HOOKS},
    }


NEW_ENOUGH = "import sys; sys.exit(sys.version_info < (3, 11))"


@pytest.fixture
def python(programs: StandIns) -> StandIns:
    """Create a stand-in for Python under both of its names."""
    programs.program("python", "python3")
    for name in ("python", "python3"):
        programs.expect(name, "-c", NEW_ENOUGH)
        programs.expect(name, "-m", "infra.hooks", "preprovision", says="checked\n")
        programs.expect(name, "-m", "infra.hooks", "postdeploy", complains="no app\n", code=2)
    return programs


def started(run: str, shell: str, path: str, pwsh: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Start a hook as azd does, with its text in a file and the project as the current folder."""
    environment = {"PATH": path, "HOME": str(folder)}
    if shell == "pwsh":
        script = folder / "azd-hook.ps1"
        script.write_text(run, "utf-8")
        return powershell(pwsh, "-File", str(script), environment=environment)
    script = folder / "azd-hook.sh"
    script.write_text(run, "utf-8")
    command = [shutil.which(shell) or shell, str(script)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603


SYSTEM = ("/usr/bin", "/bin")


@pytest.mark.parametrize("system", ["posix", "windows"])
def test_a_hook_runs_its_command_and_returns_its_exit_code(
    python: StandIns, tmp_path: Path, pwsh: str, system: str
) -> None:
    texts = {name: hook for name, each, hook in hooks() if each == system}
    for name, code, said, complained in (("preprovision", 0, "checked\n", ""), ("postdeploy", 2, "", "no app\n")):
        hook = texts[name]
        done = started(hook["run"], hook["shell"], python.path(*SYSTEM), pwsh, tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (code, said, complained)
    assert [call[1:] for call in python.calls if call[1] != "-c"] == [
        ["-m", "infra.hooks", "preprovision"],
        ["-m", "infra.hooks", "postdeploy"],
    ]


@pytest.mark.parametrize("system", ["posix", "windows"])
def test_a_python_that_is_too_old_is_skipped(python: StandIns, tmp_path: Path, pwsh: str, system: str) -> None:
    (hook,) = (hook for name, each, hook in hooks() if (name, each) == ("preprovision", system))
    for old in (["python3"], ["python"], ["python", "python3"]):
        for name in ("python", "python3"):
            python.expect(name, "-c", NEW_ENOUGH, code=int(name in old))
        done = started(hook["run"], hook["shell"], python.path(*SYSTEM), pwsh, tmp_path)
        if len(old) == 2:
            assert (done.returncode, done.stderr) == (2, "hook: Python 3.11 or newer is needed on this machine\n")
        else:
            assert (done.returncode, done.stdout) == (0, "checked\n")
            assert python.calls[-1][0] not in old


@pytest.mark.parametrize("system", ["posix", "windows"])
def test_without_python_a_hook_fails_with_the_reason(tmp_path: Path, pwsh: str, system: str) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for tool in ("dirname", "sh", "bash", "env", "id", "readlink"):
        (empty / tool).symlink_to(shutil.which(tool) or tool)
    (hook,) = (hook for name, each, hook in hooks() if (name, each) == ("preprovision", system))
    done = started(hook["run"], hook["shell"], str(empty), pwsh, tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "hook: Python 3.11 or newer is needed on this machine\n"


def test_an_unknown_hook_is_refused() -> None:
    for arguments in ([], ["prewhatever"], ["preprovision", "postdeploy"]):
        command = [sys.executable, "-m", "infra.hooks", *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
        assert (done.returncode, done.stdout) == (2, "")
        assert "expected one of preprovision, prepackage, postprovision, postdeploy" in done.stderr
