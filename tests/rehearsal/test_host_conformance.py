"""Requests that the real Functions host and its web server answer in a special way, and the local host must, too."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal.host.process import HostProcess
from tests.support.wire import Answer, answered

APP = Path(__file__).parent / "apps" / "conformance"


@pytest.fixture(scope="module")
def host() -> Iterator[HostProcess]:
    with HostProcess(app_dir=APP) as running:
        yield running


def ask(host: HostProcess, line: str, *headers: str, body: str = "") -> Answer:
    head = [f"{line} HTTP/1.1", f"Host: 127.0.0.1:{host.port}", "Connection: close", *headers]
    return answered(host.port, ("\r\n".join(head) + "\r\n\r\n" + body).encode("latin-1"))


def seen(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200
    content: dict[str, Any] = json.loads(answer.body)
    return content


@pytest.mark.parametrize(
    ("target", "path", "value"),
    [
        ("/api/parts/7", "/api/parts/7", "7"),
        ("/API/PARTS/7/", "/API/PARTS/7/", "7"),
        ("/api/./parts/7", "/api/parts/7", "7"),
        ("/api/x/../parts/7", "/api/parts/7", "7"),
        ("/api/x/%2E%2e/parts/7", "/api/parts/7", "7"),
        ("/../api/parts/7", "/api/parts/7", "7"),
        ("/api/parts/...", "/api/parts/...", "..."),
        ("/api/parts/x%2Fy", "/api/parts/x%2Fy", "x%2Fy"),
        ("/api/parts/x%2fy", "/api/parts/x%2fy", "x%2fy"),
        ("/api/parts/x%252Fy", "/api/parts/x%2Fy", "x%2Fy"),
        ("/api/parts/%41%20b", "/api/parts/A%20b", "A b"),
        ("/api/parts/%7e%5e", "/api/parts/~%5E", "~^"),
        ("/api/parts/Z%C3%BCrich", "/api/parts/Z%C3%BCrich", "Zürich"),
        ("/api/parts/%fc", "/api/parts/%fc", "%fc"),
        ("/api/parts/%C3%BC%FC%C3", "/api/parts/%C3%BC%FC%C3", "ü%FC%C3"),
        ("/api/parts/%FC%C3%BC", "/api/parts/%FC%C3%BC", "%FCü"),
        ("/api/parts/100%", "/api/parts/100%25", "100%"),
        ("/api/parts/%x1", "/api/parts/%25x1", "%x1"),
        ("/api/parts/<x>\\y", "/api/parts/%3Cx%3E%5Cy", "<x>\\y"),
        ("/api/parts/x%3Fy%23z", "/api/parts/x%3Fy%23z", "x?y#z"),
        ("/api/parts/a!$&'()*+,;=:@~_-.", "/api/parts/a!$&'()*+,;=:@~_-.", "a!$&'()*+,;=:@~_-."),
    ],
)
def test_a_path_is_decoded_for_the_route_and_encoded_again_in_the_url(
    host: HostProcess, target: str, path: str, value: str
) -> None:
    got = seen(ask(host, f"GET {target}"))
    assert (got["function"], got["path"], got["route"]) == ("part", path, {"id": value})


@pytest.mark.parametrize(
    ("line", "rest"),
    [
        ("GET /api", None),
        ("GET /api/parts", "parts"),
        ("GET /api/parts/", "parts/"),
        ("GET /api/parts/7/..", "parts/"),
        ("GET /api/parts//7", "parts//7"),
        ("GET /api/parts/7/8", "parts/7/8"),
        ("GET /api/counts/x", "counts/x"),
        ("GET /api/counts/2147483648", "counts/2147483648"),
        ("OPTIONS /api/parts/7", "parts/7"),
        ("POST /api/guarded", "guarded"),
    ],
)
def test_a_catch_all_that_sorts_last_gets_paths_no_other_function_matches(
    host: HostProcess, line: str, rest: str | None
) -> None:
    got = seen(ask(host, line, f"x-functions-key: {host.function_key}"))
    assert (got["function"], got["route"]) == ("zz_rest", {"rest": rest} if rest else {})
    refused = ask(host, line)
    assert (refused.status, refused.headers, refused.body) == (401, {}, b"")


@pytest.mark.parametrize(
    "line",
    ["TRACE /api/parts/7", "QUERY /api/parts/7", "BREW /api/parts/7", "PUT /api/parts/7", "GET /other", "GET //api",
     "GET /api//parts/7", "GET //", "GET /admin/other", "GET /admin/functions/part/other"],
)  # fmt: skip
def test_a_request_that_no_function_matches_gets_an_empty_404(host: HostProcess, line: str) -> None:
    assert ask(host, line, f"x-functions-key: {host.master_key}") == Answer(404, {}, b"")


def test_a_method_may_be_in_any_case(host: HostProcess) -> None:
    assert seen(ask(host, "pOsT /api/parts/7", "Content-Length: 0"))["method"] == "POST"


def test_the_home_page_is_html(host: HostProcess) -> None:
    answer = ask(host, "GET /")
    assert (answer.status, answer.headers) == (200, {"content-type": "text/html"})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("b=1&B=2", {"B": "1,2"}),
        ("b=1&c=2&b=3", {"b": "1,3", "c": "2"}),
        ("b=&b=1", {"b": "1"}),
        ("b&c=&=&&", {}),
        ("=1", {"": "1"}),
        ("b=%26+%2b%20", {"b": "& + "}),
        ("%62=1", {"b": "1"}),
        ("b=Z%C3%BCrich%FC", {"b": "Zürich%FC"}),
        ("b=%&c=%g0", {"b": "%", "c": "%g0"}),
        ("b=1;c=2", {"b": "1;c=2"}),
        ("b=c=d", {"b": "c=d"}),
        ("b=%2F%00", {"b": "/\0"}),
    ],
)
def test_query_parameters_are_parsed_as_on_the_real_host(
    host: HostProcess, query: str, expected: dict[str, str]
) -> None:
    got = seen(ask(host, f"GET /api/parts/7?{query}"))
    assert (got["query"], got["path"]) == (expected, f"/api/parts/7?{query}")


@pytest.mark.parametrize(
    ("lines", "name", "value"),
    [
        (["X-City: Z\u00c3\u00bcrich"], "x-city", "Zürich"),
        (["X-City: a", "x-city: b"], "x-city", "a,b"),
        (["X-City:", "X-City: b"], "x-city", "b"),
        (["X-City:"], "x-city", ""),
        (["X-MS-CLIENT-PRINCIPAL: e30="], "x-ms-client-principal", "e30="),
        (["X-Forwarded-Host: contoso.com"], "x-forwarded-host", "contoso.com"),
        (["X-HTTP-Method-Override: DELETE"], "x-http-method-override", "DELETE"),
        (["Authorization: Bearer x"], "authorization", "Bearer x"),
    ],
)
def test_headers_reach_the_function_as_on_the_real_host(
    host: HostProcess, lines: list[str], name: str, value: str
) -> None:
    got = seen(ask(host, "GET /api/parts/7", *lines))
    assert got["headers"][name] == value
    assert got["method"] == "GET"


@pytest.mark.parametrize(
    ("lines", "body", "expected"),
    [
        (["Content-Length: 3"], "abc", ("abc", "3", None)),
        (["Transfer-Encoding: chunked"], "3\r\nabc\r\n0\r\n\r\n", ("", None, "chunked")),
        ([], "", ("", None, None)),
        (["Content-Length: 3", "Content-Encoding: gzip"], "abc", ("abc", "3", None)),
        (["Content-Length: 3", "Expect: 100-continue"], "abc", ("abc", "3", None)),
    ],
)
def test_only_a_body_with_a_length_reaches_the_function(
    host: HostProcess, lines: list[str], body: str, expected: tuple[str, str | None, str | None]
) -> None:
    got = seen(ask(host, "POST /api/parts/7", *lines, body=body))
    headers = got["headers"]
    assert (got["body"], headers.get("content-length"), headers.get("transfer-encoding")) == expected


@pytest.mark.parametrize(
    ("status", "request_text"),
    [
        (400, "GET /api/parts/%00 HTTP/1.1\r\nHost: HERE\r\n\r\n"),
        (400, "GET /api/parts/7 HTTP/1.1\r\n\r\n"),
        (400, "GET /api/parts/7 HTTP/1.1\r\nHost: HERE\r\nHost: HERE\r\n\r\n"),
        (400, "GET http://contoso.com/api/parts/7 HTTP/1.1\r\nHost: HERE\r\n\r\n"),
        (400, "GET parts/7 HTTP/1.1\r\nHost: HERE\r\n\r\n"),
        (400, "GET /api/parts/7 HTTP/1.1\r\nHost: HERE\r\nX-City: Z\u00fcrich\r\n\r\n"),
        (400, "GET /api/parts/7 HTTP/1.1\r\nHost: HERE\r\nno colon\r\n\r\n"),
        (414, f"GET /api/parts/{'x' * 8_192} HTTP/1.1\r\nHost: HERE\r\n\r\n"),
        (414, f"GET /api/parts/{'x' * 300_000} HTTP/1.1\r\nHost: HERE\r\n\r\n"),
        (431, f"GET /api/parts/7 HTTP/1.1\r\nHost: HERE\r\nX-Long: {'x' * 32_768}\r\n\r\n"),
        (431, f"GET /api/parts/7 HTTP/1.1\r\nHost: HERE\r\nX-Long: {'x' * 300_000}\r\n\r\n"),
        (431, "GET /api/parts/7 HTTP/1.1\r\nHost: HERE\r\n" + "X: 1\r\n" * 100 + "\r\n"),
    ],
)
def test_a_request_that_the_web_server_refuses_gets_only_a_status(
    host: HostProcess, status: int, request_text: str
) -> None:
    request = request_text.replace("HERE", f"127.0.0.1:{host.port}").encode("latin-1")
    assert answered(host.port, request) == Answer(status, {}, b"")


@pytest.mark.parametrize(
    "request_text",
    [
        "GET http://HERE/api/parts/7 HTTP/1.1\r\nHost: HERE\r\n\r\n",
        "GET /api/parts/7 HTTP/1.0\r\n\r\n",
        f"GET /api/parts/{'x' * 8_000} HTTP/1.1\r\nHost: HERE\r\n\r\n",
        f"GET /api/parts/7 HTTP/1.1\r\nHost: HERE\r\nX-Long: {'x' * 32_000}\r\n\r\n",
    ],
)
def test_a_request_just_within_the_limits_is_served(host: HostProcess, request_text: str) -> None:
    request = request_text.replace("HERE", f"127.0.0.1:{host.port}").encode("latin-1")
    assert seen(answered(host.port, request))["function"] == "part"


TEXT = {"content-type": "text/plain; charset=utf-8"}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("no-content", Answer(204, TEXT, b"")),
        ("not-modified", Answer(304, {**TEXT, "etag": '"7"'}, b"")),
        ("non-ascii", Answer(500, TEXT, b"")),
        ("two-lines", Answer(500, {}, b"")),
        ("too-short", Answer(500, {}, b"")),
        ("too-long", Answer(500, {}, b"")),
        ("exact", Answer(200, TEXT, b"four")),
        ("teapot", Answer(599, TEXT, b"x")),
        # The real host sends these two unchanged; the local host refuses them (see rehearsal.host).
        ("too-low", Answer(500, {}, b"")),
        ("too-high", Answer(500, {}, b"")),
    ],
)
def test_an_answer_is_sent_unchanged_or_as_an_empty_500(host: HostProcess, kind: str, expected: Answer) -> None:
    assert ask(host, f"GET /api/answers/{kind}") == expected
    assert "Exception in ASGI application" not in host.log()


@pytest.mark.parametrize(
    ("line", "shown", "expected"),
    [
        ("GET /admin/host/ping", None, (200, {"cache-control": "no-store,no-cache", "pragma": "no-cache"})),
        ("POST /admin/host/ping", "wrong", (200, {"cache-control": "no-store,no-cache", "pragma": "no-cache"})),
        ("GET /admin/host/status", None, (401, {"www-authenticate": "Bearer"})),
        ("GET /ADMIN/Host/Status", "wrong", (401, {"www-authenticate": "Bearer"})),
        ("GET /admin/host/status", "function", (403, {})),
        ("GET /admin/functions/part", None, (401, {"www-authenticate": "Bearer"})),
        ("GET /admin/functions/none", "function", (403, {})),
        ("GET /admin/host/keys", None, (401, {"www-authenticate": "Bearer"})),
        ("GET /admin/host/keys", "master", (404, {})),
        ("GET /admin/other", None, (404, {})),
        ("GET /runtime/webhooks/x", None, (401, {"www-authenticate": "Bearer"})),
        ("GET /_rehearsal/invocations", "function", (403, {})),
        ("POST /admin/functions/part", "master", (202, {})),
    ],
)
def test_the_admin_endpoints_answer_each_kind_of_key_as_on_the_real_host(
    host: HostProcess, line: str, shown: str | None, expected: tuple[int, dict[str, str]]
) -> None:
    key = {"function": host.function_key, "master": host.master_key}.get(shown or "", shown)
    answer = ask(host, line, *([f"x-functions-key: {key}"] if key else []))
    headers = {name: value for name, value in answer.headers.items() if name != "x-rehearsal-invocation"}
    assert (answer.status, headers, answer.body) == (*expected, b"")


def test_the_query_parameter_code_may_be_in_any_case(host: HostProcess) -> None:
    assert seen(ask(host, f"GET /api/guarded?CODE={host.function_key}"))["function"] == "guarded"


def test_an_http_function_started_by_the_admin_endpoint_fails(host: HostProcess) -> None:
    assert host.run_function("counted") is False
