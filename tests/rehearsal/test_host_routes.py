"""Route templates of the local host: which function gets a request, and with which parameters."""

import pytest

from rehearsal.host.config import ConfigError
from rehearsal.host.routes import Route, find, route
from rehearsal.host.worker import Function


def http_function(name: str, template: str | None = None, methods: tuple[str, ...] = ()) -> Route:
    trigger = {"type": "httpTrigger", "name": "req", "route": template, "methods": list(methods)}
    return route(Function(name, name, (trigger,)), "api")


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("conversions/{requestId}", "/api/conversions/r-1", {"requestId": "r-1"}),
        ("conversions/{requestId}", "/API/Conversions/R-1/", {"requestId": "R-1"}),
        ("conversions/{requestId}", "/api/conversions", None),
        ("conversions/{requestId}", "/api/conversions/a/b", None),
        ("conversions/{requestId?}", "/api/conversions", {}),
        ("conversions/{kind=all}", "/api/conversions", {"kind": "all"}),
        ("conversions/{kind=all}", "/api/conversions/some", {"kind": "some"}),
        ("files/{*rest}", "/api/files/a/b c", {"rest": "a/b c"}),
        ("files/{*rest}", "/api/files", {}),
        ("files/{*rest}", "/api/files/", {}),
        ("files/{*rest}", "/api/files/a/", {"rest": "a/"}),
        ("files/{*rest}", "/api/files/a//b", {"rest": "a//b"}),
        ("files/{*rest}", "/api/files//a", None),
        ("{*rest}", "/api", {}),
        ("{*rest}", "/api//a", None),
        ("{*rest}", "//api/a", None),
        ("{a}.{b}", "/api/report.csv", {"a": "report", "b": "csv"}),
        ("n/{id:int}", "/api/n/-12", {"id": "-12"}),
        ("n/{id:int}", "/api/n/2147483648", None),
        ("n/{id:int}", "/api/n/x", None),
        ("n/{id:long}", "/api/n/2147483648", {"id": "2147483648"}),
        ("n/{id:guid}", "/api/n/7d7a5b8c-0000-4000-8000-000000000001", {"id": "7d7a5b8c-0000-4000-8000-000000000001"}),
        ("n/{id:guid}", "/api/n/7d7a5b8c", None),
        ("n/{id:alpha}", "/api/n/abc", {"id": "abc"}),
        ("n/{id:alpha}", "/api/n/ab1", None),
        ("n/{id:bool}", "/api/n/TRUE", {"id": "TRUE"}),
        ("n/{id:length(2,3)}", "/api/n/abcd", None),
        ("n/{id:length(2)}", "/api/n/ab", {"id": "ab"}),
        ("n/{id:minlength(2):maxlength(3)}", "/api/n/a", None),
        ("n/{id:int:min(5)}", "/api/n/4", None),
        ("n/{id:max(5)}", "/api/n/x", None),
        ("n/{id:range(1,5)?}", "/api/n/5", {"id": "5"}),
        ("n/{id:datetime}", "/api/n/2026-11-22", {"id": "2026-11-22"}),
        ("n/{id:double}", "/api/n/1.5", {"id": "1.5"}),
        ("n/{id:regex(^r-[0-9]+$)}", "/api/n/r-7", {"id": "r-7"}),
        ("n/{id:regex(^r-[0-9]+$)}", "/api/n/7", None),
        (None, "/api/Health", {}),
    ],
)
def test_a_template_matches_its_paths_and_gives_the_parameters(
    template: str | None, path: str, expected: dict[str, str] | None
) -> None:
    assert http_function("health", template).match("GET", path) == expected


def test_a_route_with_another_method_does_not_match_and_the_next_is_tried() -> None:
    routes = [http_function("read", "items", ("get",)), http_function("write", "items", ("POST",))]
    found = find(routes, "POST", "/api/items")
    assert found is not None
    assert found[0].function.name == "write"
    assert find(routes, "PUT", "/api/items") is None


@pytest.mark.parametrize("template", ["admin/x", "Runtime", "n/{id:even}", "n/{id:int(5)}", "n/{id:min(x)}", "n/{id"])
def test_an_invalid_route_is_refused(template: str) -> None:
    with pytest.raises(ConfigError):
        http_function("f", template)
