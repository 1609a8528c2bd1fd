"""How the app starts: importing it needs no network. A Functions process checks the settings first; other processes
need none.
"""

import json
import subprocess
import sys
from typing import Any, NamedTuple

import pytest

from b2b.api.routes import ROUTES
from b2b.triggers.http import ELSEWHERE
from tests.contracts.pages import ROOT

IMPORT = """
import asyncio, json, sys

def no_network(event, arguments):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto"):
        raise RuntimeError("the network was touched: " + event)

sys.addaudithook(no_network)
import azure.functions as func
import function_app

functions = {function.get_function_name(): function for function in function_app.app.get_functions()}
answer = None
if set(functions) == {"health"}:
    request = func.HttpRequest(method="GET", url="https://contoso.com/api/health", body=b"")
    reply = asyncio.run(functions["health"].get_user_function()(request))
    answer = {"status": reply.status_code, "body": json.loads(reply.get_body())}
print(json.dumps({"functions": sorted(functions), "answer": answer}))
"""
ALL = sorted(["convert", "sweep", ELSEWHERE, *(route.name for route in ROUTES)])
SECRET = "c2VjcmV0LWtleS1vZi10aGUtYWNjb3VudA=="
GOOD = {
    "FUNCTIONS_WORKER_RUNTIME": "python",
    "B2BStorage": f"DefaultEndpointsProtocol=https;AccountName=contoso;AccountKey={SECRET}",
    "B2B_SWEEP_SCHEDULE": "0 */10 * * * *",
}


class Started(NamedTuple):
    functions: list[str]
    answer: dict[str, Any] | None
    stderr: str


def start(environment: dict[str, str]) -> Started:
    """Import function_app in a separate process in which any use of the network fails."""
    process = subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, "-c", IMPORT],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    found = json.loads(process.stdout)
    return Started(found["functions"], found["answer"], process.stderr)


def test_tools_import_the_app_without_settings_and_without_network() -> None:
    assert start({}) == Started(ALL, None, "")


def test_a_functions_process_with_good_settings_registers_everything_without_network() -> None:
    assert start(GOOD) == Started(ALL, None, "")


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"B2BStorage": ""}, "B2BStorage"),
        ({"B2B_SWEEP_SCHEDULE": ""}, "B2B_SWEEP_SCHEDULE"),
        ({"B2B_MODE": "on"}, "B2B_MODE"),
        ({"B2B_RULE_OVERRIDES": '{"directory-role": ["off"]}'}, "B2B_RULE_OVERRIDES"),
        ({"B2BStorage": f"AccountKey={SECRET}"}, "B2BStorage"),
    ],
)
def test_a_wrong_setting_is_reported_in_one_line_and_leaves_only_health(changes: dict[str, str], setting: str) -> None:
    started = start({**GOOD, **changes})
    assert started.functions == ["health"]
    line = started.stderr.strip()
    assert line.startswith(f"setting {setting}: ")
    assert started.stderr == line + "\n"
    assert SECRET not in line
    assert started.answer == {
        "status": 503,
        "body": {"status": "unhealthy", "checks": [{"name": "settings", "status": "failed", "detail": line}]},
    }
