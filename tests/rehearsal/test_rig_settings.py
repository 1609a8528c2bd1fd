"""Which variables of the caller's environment a rig keeps, and which it removes."""

import pytest

from rehearsal.rig import without_foreign


@pytest.mark.parametrize(
    "name",
    [
        "B2B_MODE",
        "AZURE_CLIENT_ID",
        "AzureFunctionsJobHost__logging__logLevel__default",
        "GRAPH_BASE_URL",
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
        "APPINSIGHTS_INSTRUMENTATIONKEY",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
    ],
)
def test_a_variable_that_changes_the_app_or_sends_telemetry_is_removed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "from the shell")
    assert without_foreign()[name] is None


def test_other_variables_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_PROXY", "http://127.0.0.1:1")
    assert not {"PATH", "SOME_PROXY"} & without_foreign().keys()
