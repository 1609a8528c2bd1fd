"""A deployment sets exactly the settings that the app and its host read."""

import json
import re

import pytest

from b2b.adapters.graph import scope_of
from b2b.connection import STORAGE, STORAGE_SETTINGS
from b2b.readers import CLOUDS
from b2b.settings import SETTINGS, Setting, load
from tests.infra.bicep import APP_SCENARIOS, ROOT, kept

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
GUID = "44444444-0000-4000-8000-000000000001"


def settled(scenario: str) -> dict[str, str]:
    """Return the settings with their expressions replaced by values like those in Azure."""
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
def test_exactly_the_settings_that_app_and_host_read_are_set(scenario: str) -> None:
    of_storage = set(STORAGE_SETTINGS) - {STORAGE}
    assert set(kept(scenario).app_settings) == {known.name for known in SETTINGS} | of_storage | HOST


@pytest.mark.parametrize("scenario", APP_SCENARIOS)
def test_the_app_accepts_the_deployed_settings(scenario: str) -> None:
    settings = load(settled(scenario))
    assert settings.mode == ("convert" if scenario in {"convert", "everything"} else "assess")
    assert re.fullmatch(r"https://st(work\w+|contosob2bwork)\.queue\.core\.windows\.net", settings.storage.queue_uri)
    assert settings.storage.client_id == settings.client_id == GUID


def test_the_defaults_of_the_template_are_those_of_the_code() -> None:
    given = settled("defaults")
    with_default = [known for known in SETTINGS if known.name != "AZURE_CLIENT_ID" and known.default is not None]
    of_code = {known.name: known.read(known.default or "") for known in with_default}
    assert {known.name: known.read(given[known.name]) for known in with_default} == of_code
    sample = json.loads((ROOT / "local.settings.sample.json").read_text("utf-8"))["Values"]
    assert given["B2B_SWEEP_SCHEDULE"] == sample["B2B_SWEEP_SCHEDULE"]


def test_every_parameter_changes_its_setting() -> None:
    defaults, everything = settled("defaults"), settled("everything")
    unmoved = {known.name for known in SETTINGS if everything[known.name] == defaults[known.name]}
    assert unmoved == {"AZURE_CLIENT_ID"}


def test_the_code_knows_the_token_scope_of_every_cloud() -> None:
    assert CLOUDS[0] == setting("GRAPH_BASE_URL").default
    assert [scope_of(setting("GRAPH_BASE_URL").read(url)) for url in CLOUDS] == [
        url.replace("/v1.0", "/.default") for url in CLOUDS
    ]


@pytest.mark.parametrize("scenario", APP_SCENARIOS)
def test_no_setting_is_one_that_flex_consumption_refuses(scenario: str) -> None:
    deployment = kept(scenario)
    (site,) = deployment.of("Microsoft.Web/sites")
    assert not set(deployment.app_settings) & NEVER_ON_FLEX
    assert "appSettings" not in site["properties"]["siteConfig"]
    assert "alwaysOn" not in site["properties"]["siteConfig"]
    assert "linuxFxVersion" not in site["properties"]["siteConfig"]
    assert site["properties"]["functionAppConfig"]["runtime"]["name"] == "python"


@pytest.mark.parametrize("connection", ["AzureWebJobsStorage", STORAGE])
def test_both_storage_connections_name_credential_and_client_id(connection: str) -> None:
    # Without both the scale controller never starts the app: Azure/azure-functions-host#10904.
    settings = kept("defaults").app_settings
    assert settings[f"{connection}__credential"] == "managedidentity"
    assert settings[f"{connection}__clientId"] == settings["AZURE_CLIENT_ID"]
    assert settings["AZURE_CLIENT_ID"].endswith(".clientId]")
