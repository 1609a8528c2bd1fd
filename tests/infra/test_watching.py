"""Alerts and workbook fit the metrics in docs/reference/metrics.md."""

import json
import re
from typing import Any

import pytest

from b2b.adapters import queue
from b2b.domain import figures
from b2b.domain.conversion.records import Source
from b2b.domain.conversion.stages import Stage
from tests.infra import documents
from tests.infra.bicep import APP_SCENARIOS, ROOT, Deployment, kept
from tests.infra.documents import table

METRICS = {row[0].strip("`"): row for row in table(documents.METRICS, "Metrics")}
GAUGES = {name for name, row in METRICS.items() if row[1] == "gauge"}
DIMENSIONS = {name: re.findall(r"`(\w+)`", row[3]) for name, row in METRICS.items()}
GROUP = (
    "/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/rg-alerts"
    "/providers/Microsoft.Insights/actionGroups/ag-identity"
)


def alerts(deployment: Deployment) -> dict[str, dict[str, Any]]:
    suffix = deployment.one("Microsoft.Web/sites")["name"].rsplit("-", 1)[1]
    rules = deployment.of("Microsoft.Insights/scheduledQueryRules")
    return {rule["name"].removeprefix("alert-b2b-").removesuffix(f"-{suffix}"): rule["properties"] for rule in rules}


def workbook_items() -> list[dict[str, Any]]:
    properties = kept("defaults").one("Microsoft.Insights/workbooks")["properties"]
    text = properties["serializedData"]
    document = json.loads(text if text.startswith("{") else (ROOT / "infra" / "workbook.json").read_text("utf-8"))
    items: list[dict[str, Any]] = [item["content"] for item in document["items"]]
    return items


def queries() -> list[str]:
    of_alerts = [rule["criteria"]["allOf"][0]["query"] for rule in alerts(kept("defaults")).values()]
    return of_alerts + [item["query"] for item in workbook_items() if "query" in item]


def named(query: str) -> set[str]:
    return set(re.findall(r"'(b2b\.[a-z.]+)'", query))


def test_the_documented_alerts_are_the_deployed_ones() -> None:
    documented = {row[0].strip("`") for row in table(documents.METRICS, "Alerts")}
    assert documented == set(alerts(kept("defaults")))


def test_the_documented_metrics_are_those_of_the_code() -> None:
    documented = {name: (row[1], row[2], tuple(DIMENSIONS[name])) for name, row in METRICS.items()}
    assert documented == {metric.name: (metric.kind, metric.unit, metric.dimensions) for metric in figures.METRICS}


def test_the_queries_use_exactly_the_documented_metrics() -> None:
    assert {name for query in queries() for name in named(query)} == set(METRICS)


@pytest.mark.parametrize("query", queries())
def test_a_query_uses_only_dimensions_of_its_metrics(query: str) -> None:
    read = set(re.findall(r"Properties\.(\w+)", query))
    assert read <= {dimension for name in named(query) for dimension in DIMENSIONS[name]}


def test_the_stages_that_queries_name_exist() -> None:
    words = {word for query in queries() if "b2b.requests" in query for word in re.findall(r"'(\w+)'", query)}
    assert words <= set(Stage)
    funnel = next(item for item in workbook_items() if item.get("title") == "Requests by stage")
    shown = set(re.findall(r"'(\w+)'", funnel["query"]))
    assert {"requested", "blocked", "needsReview", "invited", "accepted", "completed"} <= shown


def test_the_documented_values_of_dimensions_are_those_of_the_code() -> None:
    assert set(re.findall(r"`(\w+)`", METRICS["b2b.requests"][4])) == {"source"} | set(Source)
    assert set(re.findall(r"`([a-z-]+)`", METRICS["b2b.invitations"][4])) == {figures.SENT, *figures.CALLS.values()}
    assert f"`{queue.REQUESTS}`" in METRICS["b2b.queue.oldest"][4]
    assert queue.POISON.endswith("-poison")


def test_the_workbook_parses_causes_from_a_line_that_the_app_logs() -> None:
    modules = [path.read_text("utf-8") for path in (ROOT / "b2b").rglob("*.py")]
    written = [line for text in modules for line in text.splitlines() if '"request %s failed: %s"' in line]
    parsed = [query for query in queries() if "parse Message with 'request ' RequestId ' failed: ' Cause" in query]
    assert all("log.error(" in line for line in written)
    assert written
    assert len(parsed) == 1


@pytest.mark.parametrize("scenario", APP_SCENARIOS)
def test_alerts_are_enabled_and_notify_the_given_action_group(scenario: str) -> None:
    groups = [GROUP] if scenario in {"action-group", "everything"} else []
    for rule in alerts(kept(scenario)).values():
        assert rule["enabled"] is True
        assert rule["actions"]["actionGroups"] == groups
        (criterion,) = rule["criteria"]["allOf"]
        assert (criterion["timeAggregation"], criterion["operator"], criterion["threshold"]) == (
            "Count",
            "GreaterThan",
            0,
        )


def test_threshold_parameters_change_the_queries() -> None:
    plain, strict = alerts(kept("defaults")), alerts(kept("everything"))
    for name, before, after in (
        ("failed-share", "> 10", "> 5"),
        ("oldest-request", "60 * 60", "60 * 240"),
    ):
        assert before in plain[name]["criteria"]["allOf"][0]["query"]
        assert after in strict[name]["criteria"]["allOf"][0]["query"]


def test_alerts_on_sweep_metrics_have_a_window_as_long_as_the_sweep_interval() -> None:
    plain, strict = alerts(kept("defaults")), alerts(kept("everything"))
    by_the_sweep = {name for name, row in METRICS.items() if "sweep" in row[4] and name != "b2b.requests"}
    following = {name for name, rule in plain.items() if named(rule["criteria"]["allOf"][0]["query"]) & by_the_sweep}
    assert following == set(plain) - {"failed-share"}
    assert {(plain[name]["windowSize"], strict[name]["windowSize"]) for name in following} == {("PT1H", "PT6H")}
    assert {rule["evaluationFrequency"] for rule in (*plain.values(), *strict.values())} == {"PT15M"}


@pytest.mark.parametrize("name", sorted(alerts(kept("defaults"))))
def test_an_alert_can_be_created_before_the_first_metric_arrives(name: str) -> None:
    rule = alerts(kept("defaults"))[name]
    assert rule["skipQueryValidation"] is True
    query = rule["criteria"]["allOf"][0]["query"]
    columns = re.match(r"union isfuzzy=true \(datatable\((.*?)\) \[\]\), AppMetrics\n", query)
    assert columns is not None
    assert {"TimeGenerated", "Name", "Sum", "Max", "Properties"} == set(re.findall(r"(\w+):", columns[1]))


@pytest.mark.parametrize("query", [query for query in queries() if named(query) & GAUGES])
def test_a_gauge_is_read_from_max_or_else_sum(query: str) -> None:
    # The exporter sends one value. In AppMetrics it is in Sum, and Max may be empty.
    assert "coalesce(Max, Sum)" in query
    assert not re.search(r"\bMax\b (?:>|<|=)|max\(Max\)", query)


def test_the_workbook_queries_the_workspace_of_the_deployment() -> None:
    document = (ROOT / "infra" / "workbook.json").read_text("utf-8")
    asked = [item for item in workbook_items() if "query" in item]
    assert asked
    assert "WORKSPACE_ID" in document
    assert all(item["queryType"] == 0 and item["timeContextFromParameter"] == "Period" for item in asked)
    properties = kept("defaults").one("Microsoft.Insights/workbooks")["properties"]
    assert "WORKSPACE_ID" not in properties["serializedData"] or properties["serializedData"].startswith("[replace(")


def test_no_type_that_the_queries_count_is_sampled() -> None:
    host = json.loads((ROOT / "host.json").read_text("utf-8"))
    whole = set(host["logging"]["applicationInsights"]["samplingSettings"]["excludedTypes"].split(";"))
    tables = set(re.findall(r"\bApp[A-Z]\w+", " ".join(queries())))
    assert {"AppTraces", "AppMetrics"} <= tables
    # Metrics are aggregated before they are sent, and never sampled.
    assert {table.removeprefix("App").removesuffix("s") for table in tables} - {"Metric"} <= whole
