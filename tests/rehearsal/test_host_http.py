"""HTTP on the local host: routes, keys, what reaches a function and what reaches the caller."""

import http.client
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from rehearsal.host.process import HostProcess

APP = Path(__file__).parent / "apps" / "http"


@pytest.fixture(scope="module")
def host() -> Iterator[HostProcess]:
    with HostProcess(app_dir=APP) as running:
        yield running


@pytest.fixture
def client(host: HostProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=host.base) as made:
        yield made


def seen(answer: httpx.Response) -> dict[str, Any]:
    answer.raise_for_status()
    content: dict[str, Any] = answer.json()
    return content


def test_a_request_reaches_the_function_with_all_its_parts(client: httpx.Client, host: HostProcess) -> None:
    got = seen(client.post("/api/echo/Some%20Thing?a=1&a=2&empty=&b=x%20y", content=b"body"))
    assert got["method"] == "POST"
    assert got["url"] == f"{host.base}/api/echo/Some%20Thing?a=1&a=2&empty=&b=x%20y"
    assert got["query"] == {"a": "1,2", "b": "x y"}
    assert got["params"] == {"kind": "Some Thing"}
    assert got["body"] == "body"


def test_header_names_arrive_in_lower_case_and_repeated_ones_joined(client: httpx.Client) -> None:
    got = seen(client.get("/api/echo", headers=[("X-Many", "one"), ("X-Many", "two")]))
    assert got["headers"]["x-many"] == "one,two"
    assert all(name == name.lower() for name in got["headers"])


def test_a_chunked_body_arrives_empty(client: httpx.Client) -> None:
    answer = client.post("/api/echo", content=iter([b"some", b"thing"]))
    assert answer.request.headers["transfer-encoding"] == "chunked"
    assert seen(answer)["body"] == ""


def test_the_app_sees_the_environment_that_the_host_sets(client: httpx.Client, host: HostProcess) -> None:
    environment = seen(client.get("/api/echo"))["environment"]
    assert environment == {"WEBSITE_HOSTNAME": f"127.0.0.1:{host.port}", "FUNCTIONS_WORKER_RUNTIME": "python"}


def test_async_functions_run_on_the_main_thread_and_sync_ones_in_a_pool(client: httpx.Client) -> None:
    assert seen(client.get("/api/echo"))["thread"] == "MainThread"
    assert client.get("/api/sync").text.startswith("ThreadPoolExecutor")


def test_status_headers_and_content_type_reach_the_caller(client: httpx.Client) -> None:
    answer = client.get("/api/sync")
    assert (answer.status_code, answer.headers["x-method"]) == (201, "GET")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "server" not in answer.headers


def test_a_returned_text_is_plain_text(client: httpx.Client) -> None:
    answer = client.get("/api/text")
    assert (answer.text, answer.headers["content-type"]) == ("GET", "text/plain; charset=utf-8")


def test_several_cookies_become_several_headers(client: httpx.Client) -> None:
    assert client.get("/api/cookies").headers.get_list("set-cookie") == ["first=1; Path=/", "second=2"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "OPTIONS"])
def test_a_method_that_no_function_has_gets_404(client: httpx.Client, method: str) -> None:
    assert client.request(method, "/api/echo").status_code == 404


@pytest.mark.parametrize("path", ["/api", "/api/nothing", "/echo", "/api/echo/a/b"])
def test_an_unknown_path_gets_404(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_first_function_by_name_wins_not_the_most_specific(client: httpx.Client) -> None:
    assert client.get("/api/items/7").text == "name 7"


def test_an_exception_gives_an_empty_500_and_is_in_the_log(client: httpx.Client, host: HostProcess) -> None:
    answer = client.get("/api/raises")
    assert (answer.status_code, answer.content) == (500, b"")
    assert "RuntimeError: GET" in host.log()


@pytest.mark.parametrize(
    ("path", "shown", "expected"),
    [
        ("/api/keyed", None, 401),
        ("/api/keyed", "wrong", 401),
        ("/api/keyed", "function", 200),
        ("/api/keyed", "master", 200),
        ("/api/mastered", None, 401),
        ("/api/mastered", "function", 401),
        ("/api/mastered", "master", 200),
        ("/admin/host/status", "function", 403),
        ("/admin/host/status", "master", 200),
    ],
)
@pytest.mark.parametrize("way", ["header", "query"])
def test_each_key_opens_only_the_functions_of_its_level(
    client: httpx.Client, host: HostProcess, path: str, shown: str | None, expected: int, way: str
) -> None:
    key = {"function": host.function_key, "master": host.master_key}.get(shown or "", shown or "")
    headers = {"x-functions-key": key} if key and way == "header" else {}
    query = {"code": key} if key and way == "query" else {}
    answer = client.get(path, headers=headers, params=query)
    assert answer.status_code == expected
    if expected == 401:
        assert answer.content == b""
        assert "www-authenticate" not in answer.headers


def test_a_wrong_key_in_the_header_takes_precedence_over_the_query(client: httpx.Client, host: HostProcess) -> None:
    answer = client.get("/api/keyed", params={"code": host.function_key}, headers={"x-functions-key": "wrong"})
    assert answer.status_code == 401


def test_a_body_over_the_limit_gets_500_and_closes_the_connection(host: HostProcess) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=10)
    try:
        connection.putrequest("POST", "/api/echo")
        connection.putheader("Content-Length", "104857601")
        connection.endheaders(b"the first bytes")
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("connection"), answer.read()) == (500, "close", b"")
    finally:
        connection.close()


def test_the_functions_are_listed_with_their_bindings(client: httpx.Client, host: HostProcess) -> None:
    listed = client.get("/admin/functions", headers={"x-functions-key": host.master_key}).json()
    names = [function["name"] for function in listed]
    assert names == sorted(names)
    assert next(each for each in listed if each["name"] == "keyed")["config"]["bindings"][0]["type"] == "httpTrigger"


def test_the_route_prefix_can_be_configured() -> None:
    env = {"AzureFunctionsJobHost__extensions__http__routePrefix": ""}
    with HostProcess(app_dir=APP, env=env) as host, httpx.Client(base_url=host.base) as client:
        assert client.get("/echo").status_code == 200
        assert client.get("/api/echo").status_code == 404


def test_a_disabled_function_gets_404_and_the_others_run() -> None:
    env = {"AzureWebJobs.echo.Disabled": "true"}
    with HostProcess(app_dir=APP, env=env) as host, httpx.Client(base_url=host.base) as client:
        assert client.get("/api/echo").status_code == 404
        assert client.get("/api/text").status_code == 200
        assert re.search(r"Function 'echo' is disabled", host.log())
