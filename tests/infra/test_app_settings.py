"""The settings that a deployment gives the app: those that it and its host read, and no other."""

import json
import re

import pytest

from b2b.adapters.graph import scope_of
from b2b.domain.eligibility import PINNED, RULE_IDS
from b2b.domain.findings import Severity
from b2b.settings import SETTINGS, STORAGE, STORAGE_SETTINGS, Setting, load
from tests.infra.bicep import APP_SCENARIOS, INFRA, ROOT, kept

HOST = {
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__tableServiceUri",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
}
NEVER_ON_FLEX = {
    "ENABLE_ORYX_BUILD",
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_WORKER_RUNTIME",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "TZ",
    "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
    "WEBSITE_CONTENTSHARE",
    "WEBSITE_MAX_DYNAMIC_APPLICATION_SCALE_OUT",
    "WEBSITE_RUN_FROM_PACKAGE",
    "WEBSITE_TIME_ZONE",
}
BOUNDED = {
    "graphTimeoutSeconds": "B2B_GRAPH_TIMEOUT_SECONDS",
    "replicationWindowSeconds": "B2B_REPLICATION_WINDOW_SECONDS",
    "tenantFactsSeconds": "B2B_TENANT_FACTS_SECONDS",
    "assessmentSeconds": "B2B_ASSESSMENT_SECONDS",
    "giveUpSeconds": "B2B_GIVE_UP_SECONDS",
    "breakerWindowSeconds": "B2B_BREAKER_WINDOW_SECONDS",
}
GUID = "44444444-0000-4000-8000-000000000001"
MAIN = (INFRA / "main.bicep").read_text("utf-8")
TYPES = (INFRA / "modules" / "types.bicep").read_text("utf-8")


def settled(scenario: str) -> dict[str, str]:
    """The settings as Azure would resolve them."""
    settings = kept(scenario).app_settings
    return {
        name: GUID
        if value.endswith(".clientId]")
        else re.sub(r"^\[format\('https://\{0\}\.(\w+)\.\{1\}', '(\w+)'.*", r"https://\2.\1.core.windows.net", value)
        for name, value in settings.items()
    }


def setting(name: str) -> Setting:
    (found,) = (known for known in SETTINGS if known.name == name)
    return found


@pytest.mark.parametrize("scenario", APP_SCENARIOS)
def test_every_setting_that_app_and_host_read_is_set_and_no_other(scenario: str) -> None:
    of_storage = set(STORAGE_SETTINGS) - {STORAGE}
    assert set(kept(scenario).app_settings) == {known.name for known in SETTINGS} | of_storage | HOST


@pytest.mark.parametrize("scenario", APP_SCENARIOS)
def test_the_app_starts_with_what_it_is_given(scenario: str) -> None:
    settings = load(settled(scenario))
    assert settings.mode == ("convert" if scenario in {"convert", "everything"} else "assess")
    assert re.fullmatch(r"https://st(work\w+|contosob2bwork)\.queue\.core\.windows\.net", settings.storage.queue_uri)
    assert settings.storage.client_id == settings.client_id == GUID


def test_the_defaults_are_those_of_the_code() -> None:
    given = settled("defaults")
    with_default = [known for known in SETTINGS if known.name != "AZURE_CLIENT_ID" and known.default is not None]
    of_code = {known.name: known.read(known.default or "") for known in with_default}
    assert {known.name: known.read(given[known.name]) for known in with_default} == of_code
    sample = json.loads((ROOT / "local.settings.sample.json").read_text("utf-8"))["Values"]
    assert given["B2B_SWEEP_SCHEDULE"] == sample["B2B_SWEEP_SCHEDULE"]


def test_every_option_reaches_its_setting() -> None:
    defaults, everything = settled("defaults"), settled("everything")
    unmoved = {known.name for known in SETTINGS if everything[known.name] == defaults[known.name]}
    assert unmoved == {"AZURE_CLIENT_ID"}


@pytest.mark.parametrize(("parameter", "name"), BOUNDED.items())
def test_the_bounds_of_a_parameter_are_those_of_its_setting(parameter: str, name: str) -> None:
    found = re.search(rf"@minValue\((\d+)\)\n@maxValue\((\d+)\)\nparam {parameter} int", MAIN)
    assert found is not None
    least, most = int(found[1]), int(found[2])
    read = setting(name).read
    assert (read(str(least)), read(str(most))) == (least, most)
    for outside in (least - 1, most + 1):
        with pytest.raises(ValueError, match="seconds"):
            read(str(outside))


def test_the_clouds_are_those_whose_tokens_the_code_knows() -> None:
    found = re.search(r"param graphBaseUrl((?:\s+\| '[^']+')+) = '([^']+)'", MAIN)
    assert found is not None
    offered = re.findall(r"'([^']+)'", found[1])
    table = json.loads((INFRA / "graph-permissions.json").read_text("utf-8"))
    assert offered == table["graphBaseUrls"]
    assert offered[0] == found[2] == setting("GRAPH_BASE_URL").default
    assert [scope_of(setting("GRAPH_BASE_URL").read(url)) for url in offered] == [
        url.replace("/v1.0", "/.default") for url in offered
    ]


def test_every_rule_can_be_overridden_and_only_as_the_code_allows() -> None:
    rules = dict(re.findall(r"^  '([a-z-]+)': (severity|'block')\?$", TYPES, re.MULTILINE))
    assert list(rules) == list(RULE_IDS)
    assert {rule for rule, kind in rules.items() if kind == "'block'"} == PINNED
    severities = re.search(r"^type severity = (.*)$", TYPES, re.MULTILINE)
    assert severities is not None
    assert {word.strip(" '") for word in severities[1].split("|")} == set(Severity)


@pytest.mark.parametrize("scenario", APP_SCENARIOS)
def test_nothing_is_set_that_flex_consumption_does_not_take(scenario: str) -> None:
    deployment = kept(scenario)
    (site,) = deployment.of("Microsoft.Web/sites")
    assert not set(deployment.app_settings) & NEVER_ON_FLEX
    assert "appSettings" not in site["properties"]["siteConfig"]
    assert "alwaysOn" not in site["properties"]["siteConfig"]
    assert "linuxFxVersion" not in site["properties"]["siteConfig"]
    assert site["properties"]["functionAppConfig"]["runtime"]["name"] == "python"


@pytest.mark.parametrize("connection", ["AzureWebJobsStorage", STORAGE])
def test_both_connections_name_credential_and_client_id(connection: str) -> None:
    # Without both the scale controller never wakes the app: Azure/azure-functions-host#10904.
    settings = kept("defaults").app_settings
    assert settings[f"{connection}__credential"] == "managedidentity"
    assert settings[f"{connection}__clientId"] == settings["AZURE_CLIENT_ID"]
    assert settings["AZURE_CLIENT_ID"].endswith(".clientId]")
