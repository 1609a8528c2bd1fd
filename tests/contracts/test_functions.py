"""Every function of the app as the Functions host sees it."""

import ast
import json
from typing import Any

import azure.functions as func
import pytest

import function_app
from b2b.adapters.queue import REQUESTS
from b2b.api.routes import ROUTES as TABLE
from b2b.bootstrap import services
from b2b.connection import STORAGE
from b2b.settings import SETTINGS
from b2b.triggers.http import ELSEWHERE, base_url
from b2b.workflows.intake.intake import LONGEST_DELIVERY
from rehearsal.host.config import HostConfig
from tests.contracts.pages import ROOT

ROUTES = {route.name: (route.method, route.path) for route in TABLE}
ALSO = {route.name: ["OPTIONS"] for route in TABLE if route.options}
THIRTY_SECONDS = 30


@pytest.fixture(scope="module")
def bindings() -> dict[str, list[dict[str, Any]]]:
    """The bindings of each function by its name, as the worker reports them to the host."""
    functions = function_app.app.get_functions()
    return {
        str(function.get_function_name()): json.loads(function.get_function_json())["bindings"]
        for function in functions
    }


@pytest.fixture(scope="module")
def host() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((ROOT / "host.json").read_text("utf-8"))
    return document


def test_the_app_has_exactly_these_functions(bindings: dict[str, list[dict[str, Any]]]) -> None:
    assert set(bindings) == {"convert", "sweep", *ROUTES, ELSEWHERE}


def test_the_apps_longest_delivery_is_the_hosts_function_timeout(host: dict[str, Any]) -> None:
    assert host["functionTimeout"] == f"0{LONGEST_DELIVERY}"


def test_the_queue_trigger_listens_to_the_request_queue(bindings: dict[str, list[dict[str, Any]]]) -> None:
    assert bindings["convert"] == [
        {
            "direction": "IN",
            "type": "queueTrigger",
            "name": "message",
            "queueName": REQUESTS,
            "connection": STORAGE,
        }
    ]


def test_the_sweep_runs_on_the_schedule_of_the_setting_and_not_at_startup(
    bindings: dict[str, list[dict[str, Any]]],
) -> None:
    (trigger,) = bindings["sweep"]
    assert (trigger["type"], trigger["schedule"]) == ("timerTrigger", "%B2B_SWEEP_SCHEDULE%")
    assert trigger["runOnStartup"] is False
    assert "B2B_SWEEP_SCHEDULE" in {setting.name for setting in SETTINGS if setting.default is None}


@pytest.mark.parametrize("name", ROUTES)
def test_every_route_requires_a_function_key(name: str, bindings: dict[str, list[dict[str, Any]]]) -> None:
    method, route = ROUTES[name]
    trigger, answer = bindings[name]
    assert trigger == {
        "direction": "IN",
        "type": "httpTrigger",
        "name": "req",
        "methods": [method, *ALSO.get(name, [])],
        "authLevel": "FUNCTION",
        "route": route,
    }
    assert (answer["type"], answer["direction"], answer["name"]) == ("http", "OUT", "$return")


def test_the_catch_all_route_is_tried_last_and_has_every_method(bindings: dict[str, list[dict[str, Any]]]) -> None:
    trigger, _ = bindings[ELSEWHERE]
    assert (trigger["route"], trigger["authLevel"]) == ("{*rest}", "FUNCTION")
    assert set(trigger["methods"]) == {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
    assert max(bindings) == ELSEWHERE, "the host tries functions in the order of their names"


def test_every_trigger_is_a_queue_a_timer_or_a_route(bindings: dict[str, list[dict[str, Any]]]) -> None:
    kinds = sorted(binding["type"] for function in bindings.values() for binding in function)
    assert kinds == sorted(["queueTrigger", "timerTrigger", *["httpTrigger", "http"] * (len(ROUTES) + 1)])


def test_host_json_sets_no_message_encoding_and_the_batch_and_retry_limits(host: dict[str, Any]) -> None:
    queues = host["extensions"]["queues"]
    assert queues["messageEncoding"] == "none"
    assert queues["maxDequeueCount"] == 5
    assert (queues["batchSize"], queues["newBatchThreshold"]) == (24, 8)
    assert _seconds(queues["visibilityTimeout"]) >= THIRTY_SECONDS
    assert host["extensions"]["http"]["routePrefix"] == "api"
    assert host["version"] == "2.0"


def test_the_local_host_reads_the_same_values_from_host_json(host: dict[str, Any]) -> None:
    read = HostConfig.read(ROOT, {})
    assert (read.queues.message_encoding, read.queues.max_dequeue_count) == ("none", 5)
    assert (read.queues.batch_size, read.queues.new_batch_threshold) == (24, 8)
    assert read.queues.visibility_timeout.total_seconds() == _seconds(host["extensions"]["queues"]["visibilityTimeout"])
    assert read.route_prefix == "api"


@pytest.mark.parametrize(
    ("environment", "location"),
    [
        ({"WEBSITE_HOSTNAME": "func.azurewebsites.net"}, "https://func.azurewebsites.net"),
        ({"WEBSITE_HOSTNAME": "func.azurewebsites.net", "B2B_PUBLIC_URL": "https://api.contoso.com/b2b"}, None),
    ],
)
def test_links_start_with_the_public_url_if_one_is_set(
    environment: dict[str, str], location: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = json.loads((ROOT / "local.settings.sample.json").read_text("utf-8"))["Values"]
    for name, value in {**sample, **environment}.items():
        monkeypatch.setenv(name, value)
    services.cache_clear()
    request = func.HttpRequest("GET", "http://10.0.0.4/api/conversions/x", body=b"")
    assert base_url(request) == (location or environment["B2B_PUBLIC_URL"])
    services.cache_clear()


def test_only_the_triggers_import_azure_functions() -> None:
    importers = {
        path.relative_to(ROOT)
        for path in (ROOT / "b2b").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import) and any(name.name == "azure.functions" for name in node.names)
    }
    assert importers == {path.relative_to(ROOT) for path in (ROOT / "b2b" / "triggers").glob("[a-z]*.py")}


def test_function_app_has_one_import_since_import_linter_reads_only_packages() -> None:
    tree = ast.parse((ROOT / "function_app.py").read_text("utf-8"))
    imports = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert imports == ["from b2b.triggers.app import app"]


def _seconds(timespan: str) -> int:
    hours, minutes, seconds = map(int, timespan.split(":"))
    return hours * 3600 + minutes * 60 + seconds
