"""The local host with the app in its own interpreter, which has only the Functions runtime library."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from rehearsal.host.process import HostProcess, wait_until
from rehearsal.run.packaged import PackageUnusableError, bare_interpreter
from tests.support.tools import missing

APP = Path(__file__).parent / "apps" / "apart"
LIBRARY = ("azure/functions", "werkzeug", "markupsafe")
"""The packages that an app needs to import azure.functions."""
OURS = ("b2b", "rehearsal.run", "uvicorn", "starlette", "pytest", "httpx", "msgspec", "azure.identity")

pytestmark = pytest.mark.timeout(300)
"""The first test installs the runtime library, which may take long."""


@pytest.fixture(scope="module")
def interpreter() -> Path:
    try:
        return bare_interpreter("{}.{}".format(*sys.version_info[:2]))
    except PackageUnusableError as error:
        missing(str(error))
        raise


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """Copy the app, with its packages in the folder where the Functions worker looks for them."""
    copy = Path(shutil.copytree(APP, tmp_path / "app"))
    for name in LIBRARY:
        spec = importlib.util.find_spec(name.replace("/", "."))
        assert spec is not None
        assert spec.origin is not None
        shutil.copytree(Path(spec.origin).parent, copy / ".python_packages" / "lib" / "site-packages" / name)
    return copy


@pytest.fixture
def host(app: Path, interpreter: Path) -> Iterator[HostProcess]:
    with HostProcess(app_dir=app, interpreter=interpreter) as running:
        yield running


def where(host: HostProcess, modules: str = "json") -> dict[str, Any]:
    answer = httpx.post(f"{host.base}/api/where", params={"modules": modules}, content=b"\x00\xff")
    answer.raise_for_status()
    assert answer.headers["x-body"] == "00ff"
    assert answer.headers["set-cookie"].startswith("kept=1")
    content: dict[str, Any] = answer.json()
    return content


def alive(process: int) -> bool:
    """Tell whether a process is running. A zombie is not."""
    try:
        return Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_app_runs_in_another_process_and_imports_only_its_own_packages(
    host: HostProcess, app: Path, interpreter: Path
) -> None:
    seen = where(host, ",".join((*OURS, "azure.functions", "azure_functions_runtime")))
    assert seen["python"] == str(interpreter)
    assert seen["process"] not in {host.pid, os.getpid()}
    assert seen["directory"] == str(app)
    found = {name for name, there in seen["found"].items() if there}
    # The rehearsal is importable because its modules drive the app; the rest of the checkout is not.
    assert found == {"azure.functions", "azure_functions_runtime", "rehearsal.run"}
    assert "app: asked where" in host.log()


def test_moving_the_apps_clock_ahead_leaves_monotonic_clocks_alone(host: HostProcess) -> None:
    before = where(host)
    host.advance(3600)
    host.advance(86_400)
    after = where(host, "time_machine,httpx")
    elapsed = after["elapsed"] - before["elapsed"]
    assert 0 < elapsed < 60
    assert after["now"] - before["now"] == pytest.approx(90_000 + elapsed, abs=1)
    assert after["found"]["httpx"] is False


def test_an_exception_in_the_apps_process_is_a_failed_invocation(host: HostProcess) -> None:
    answer = httpx.get(f"{host.base}/api/raises")
    assert (answer.status_code, answer.content) == (500, b"")
    assert host.invocations()["raises"].failed == 1


def test_when_the_apps_process_exits_the_host_exits(host: HostProcess) -> None:
    process = where(host)["process"]
    answer = httpx.get(f"{host.base}/api/leave", params={"code": "3"})
    assert answer.status_code == 500
    assert host.wait(30) == 1
    assert "the worker is gone" in host.log()
    assert not alive(process)


@pytest.mark.parametrize("end", ["kill", "terminate"])
def test_the_apps_process_ends_when_the_host_is_killed_or_terminated(host: HostProcess, end: str) -> None:
    process = where(host)["process"]
    assert alive(process)
    getattr(host, end)()
    wait_until(lambda: not alive(process), 30, "the end of the app's process")


def test_a_blocked_apps_process_ends_when_the_host_is_killed(host: HostProcess) -> None:
    process = where(host)["process"]
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{host.base}/api/slow", timeout=1)
    host.kill()
    wait_until(lambda: not alive(process), 30, "the end of the app's process")
