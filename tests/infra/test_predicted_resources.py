"""The predicted resources of a deployment: names, network access, options."""

import ast
import re
from typing import Any

import pytest

from b2b.adapters import campaigns, ledger, queue
from tests.infra.bicep import APP_SCENARIOS, INFRA, ROOT, Deployment, kept

OWN_NETWORK = {"private-storage", "private", "nat-gateway", "route-table", "everything", "existing-zones", "names"}
CLOSED = OWN_NETWORK | {"existing-network"}
APP_CLOSED = {"private", "everything", "existing-network", "names"}
OUTPUTS = {
    "AZURE_IDENTITY_PRINCIPAL_ID",
    "AZURE_FUNCTION_APP_NAME",
    "AZURE_API_URL",
    "AZURE_REQUEST_QUEUE_URL",
    "AZURE_WORK_STORAGE_NAME",
}
SECRET = re.compile(
    r"listKeys|listAccountSas|listServiceSas|AccountKey=|SharedAccessSignature|sharedKeys|adminPassword"
)


def names(deployment: Deployment, kind: str) -> set[str]:
    return {resource["name"].split("/")[-1] for resource in deployment.of(kind)}


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for part in value.values() for text in strings(part)]
    if isinstance(value, list):
        return [text for part in value for text in strings(part)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("scenario", APP_SCENARIOS)
def test_the_deployed_queues_and_tables_are_those_of_the_code(scenario: str) -> None:
    deployment = kept(scenario)
    assert names(deployment, "Microsoft.Storage/storageAccounts/queueServices/queues") == {queue.REQUESTS, queue.POISON}
    assert names(deployment, "Microsoft.Storage/storageAccounts/tableServices/tables") == {
        ledger.CONVERSIONS,
        ledger.REQUESTS,
        campaigns.CAMPAIGNS,
    }


@pytest.mark.parametrize("scenario", APP_SCENARIOS)
def test_storage_has_no_keys_and_no_public_blobs(scenario: str) -> None:
    accounts = kept(scenario).of("Microsoft.Storage/storageAccounts")
    assert len(accounts) == 2
    for account in accounts:
        properties = account["properties"]
        assert properties["allowSharedKeyAccess"] is False
        assert properties["allowBlobPublicAccess"] is False
        assert properties["allowCrossTenantReplication"] is False
        assert properties["supportsHttpsTrafficOnly"] is True
        assert properties["minimumTlsVersion"] == "TLS1_2"
    for blobs in kept(scenario).of("Microsoft.Storage/storageAccounts/blobServices"):
        assert blobs["properties"]["deleteRetentionPolicy"]["enabled"]
        assert blobs["properties"]["containerDeleteRetentionPolicy"]["enabled"]


@pytest.mark.parametrize("scenario", APP_SCENARIOS)
def test_no_resource_and_no_output_contains_a_key_or_secret(scenario: str) -> None:
    deployment = kept(scenario)
    assert [text for text in strings(list(deployment.resources)) if SECRET.search(text)] == []
    assert set(deployment.outputs) == OUTPUTS
    # This setting of Application Insights is an address. Its key is useless, because local authentication is off.
    wordy = [name for name in deployment.app_settings if "CONNECTION_STRING" in name]
    assert wordy == ["APPLICATIONINSIGHTS_CONNECTION_STRING"]


@pytest.mark.parametrize("scenario", APP_SCENARIOS)
def test_telemetry_accepts_no_keys(scenario: str) -> None:
    deployment = kept(scenario)
    assert deployment.one("Microsoft.Insights/components")["properties"]["DisableLocalAuth"] is True
    workspace = deployment.one("Microsoft.OperationalInsights/workspaces")
    assert workspace["properties"]["features"]["disableLocalAuth"] is True


@pytest.mark.parametrize("scenario", APP_SCENARIOS)
def test_the_app_allows_only_https_and_no_publishing_passwords(scenario: str) -> None:
    deployment = kept(scenario)
    site = deployment.one("Microsoft.Web/sites")
    assert site["properties"]["httpsOnly"] is True
    assert site["properties"]["siteConfig"] == {
        "ftpsState": "Disabled",
        "http20Enabled": True,
        "minTlsVersion": "1.2",
        "scmMinTlsVersion": "1.2",
        "remoteDebuggingEnabled": False,
    }
    passwords = deployment.of("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    assert {policy["name"].split("/")[-1]: policy["properties"]["allow"] for policy in passwords} == {
        "scm": False,
        "ftp": False,
    }
    assert site["identity"]["type"] == "UserAssigned"
    package = site["properties"]["functionAppConfig"]["deployment"]["storage"]
    assert package["authentication"]["type"] == "UserAssignedIdentity"
    assert names(deployment, "Microsoft.Storage/storageAccounts/blobServices/containers") == {"app-package"}
    assert "'app-package'" in package["value"]


@pytest.mark.parametrize("scenario", APP_SCENARIOS)
def test_the_network_option_decides_which_endpoints_are_public(scenario: str) -> None:
    deployment = kept(scenario)
    accounts = deployment.of("Microsoft.Storage/storageAccounts")
    doors = {account["properties"]["publicNetworkAccess"] for account in accounts}
    rules = {account["properties"]["networkAcls"]["defaultAction"] for account in accounts}
    site = deployment.one("Microsoft.Web/sites")
    closed = scenario in CLOSED
    assert doors == {"Disabled" if closed else "Enabled"}
    assert rules == {"Deny" if closed else "Allow"}
    assert (site["properties"]["virtualNetworkSubnetId"] is not None) is closed
    app_closed = scenario in APP_CLOSED
    assert site["properties"]["publicNetworkAccess"] == ("Disabled" if app_closed else "Enabled")
    connections = [
        endpoint["properties"]["privateLinkServiceConnections"][0]["name"]
        for endpoint in deployment.of("Microsoft.Network/privateEndpoints")
    ]
    storage = ["host-blob", "host-table", "work-queue", "work-table"]
    assert sorted(connections) == sorted((storage if closed else []) + (["app"] if app_closed else []))


def test_every_private_endpoint_has_a_dns_record_and_every_zone_is_linked() -> None:
    deployment = kept("private")
    assert len(deployment.of("Microsoft.Network/privateDnsZones")) == 4
    assert len(deployment.of("Microsoft.Network/privateDnsZones/virtualNetworkLinks")) == 4
    records = deployment.of("Microsoft.Network/privateEndpoints/privateDnsZoneGroups")
    assert len(records) == len(deployment.of("Microsoft.Network/privateEndpoints")) == 5


def test_the_template_can_leave_dns_zones_to_a_landing_zone() -> None:
    deployment = kept("everything")
    assert len(deployment.of("Microsoft.Network/privateEndpoints")) == 5
    assert [resource["type"] for resource in deployment.resources if "Dns" in resource["type"]] == []


def test_existing_subnets_and_zones_are_used_and_none_are_created() -> None:
    deployment = kept("existing-network")
    made = {resource["type"] for resource in deployment.resources if resource["type"].startswith("Microsoft.Network/")}
    assert made == {"Microsoft.Network/privateEndpoints", "Microsoft.Network/privateEndpoints/privateDnsZoneGroups"}
    site = deployment.one("Microsoft.Web/sites")
    assert site["properties"]["virtualNetworkSubnetId"].endswith("/vnet-spoke/subnets/snet-b2b-app")
    endpoints = deployment.of("Microsoft.Network/privateEndpoints")
    subnets = {endpoint["properties"]["subnet"]["id"].rsplit("/", 1)[1] for endpoint in endpoints}
    assert (len(endpoints), subnets) == (5, {"snet-endpoints"})
    assert registered(deployment) == {
        "host-blob": "privatelink.blob.core.windows.net",
        "host-table": "privatelink.table.core.windows.net",
        "work-queue": "privatelink.queue.core.windows.net",
        "work-table": "privatelink.table.core.windows.net",
        "app": "privatelink.azurewebsites.net",
    }


def registered(deployment: Deployment) -> dict[str, str]:
    """Return the DNS zone in which each private endpoint is registered, by the name of its connection."""
    zones = {
        record["name"].split("/")[0]: record["properties"]["privateDnsZoneConfigs"][0]["properties"]["privateDnsZoneId"]
        for record in deployment.of("Microsoft.Network/privateEndpoints/privateDnsZoneGroups")
    }
    return {
        endpoint["properties"]["privateLinkServiceConnections"][0]["name"]: zones[endpoint["name"]].rsplit("/", 1)[-1]
        for endpoint in deployment.of("Microsoft.Network/privateEndpoints")
        if endpoint["name"] in zones
    }


def test_only_missing_dns_zones_are_created_and_linked() -> None:
    deployment = kept("existing-zones")
    made = names(deployment, "Microsoft.Network/privateDnsZones")
    assert len(made) == len(deployment.of("Microsoft.Network/privateDnsZones/virtualNetworkLinks")) == 2
    assert [zone for zone in made if "blob" in zone] == []
    assert registered(deployment)["host-blob"] == "privatelink.blob.core.windows.net"
    assert len(registered(deployment)) == 4


def test_every_resource_has_its_given_name_and_region() -> None:
    deployment = kept("names")
    ours = [resource for resource in deployment.resources if resource.get("location") not in {None, "global"}]
    assert len(ours) > 15
    assert {resource["location"] for resource in ours} == {"northeurope"}
    # The name of a workbook must be a GUID.
    unnamed = [r["name"] for r in ours if "contoso" not in r["name"] and r["type"] != "Microsoft.Insights/workbooks"]
    assert unnamed == []
    parameters = re.search(
        r"type resourceNames = \{(.*?)\n\}", (INFRA / "modules" / "types.bicep").read_text("utf-8"), re.DOTALL
    )
    assert parameters is not None
    kinds = set(re.findall(r"^  (\w+): string\?$", parameters[1], re.MULTILINE))
    given = set(re.findall(r"^  (\w+): '", (INFRA / "snapshots" / "names.bicepparam").read_text("utf-8"), re.MULTILINE))
    assert kinds == given


def test_the_region_is_that_of_the_resource_group_unless_one_is_given() -> None:
    assert {resource["location"] for resource in kept("defaults").resources if resource.get("location")} == {
        "westeurope"
    }


def test_the_app_has_its_own_subnet_delegated_to_flex_consumption() -> None:
    subnets = kept("private-storage").one("Microsoft.Network/virtualNetworks")["properties"]["subnets"]
    app, endpoints = subnets
    (delegation,) = app["properties"]["delegations"]
    assert delegation["properties"]["serviceName"] == "Microsoft.App/environments"
    assert app["properties"]["addressPrefix"] != endpoints["properties"]["addressPrefix"]
    assert all("networkSecurityGroup" in subnet["properties"] for subnet in subnets)


@pytest.mark.parametrize(
    ("scenario", "gateway", "table"),
    [
        ("private-storage", None, None),
        ("nat-gateway", "ng-outbound", None),
        ("route-table", None, "rt-firewall"),
        ("everything", "ng-outbound", "rt-firewall"),
    ],
)
def test_outbound_calls_use_the_given_way_or_else_azures_default(
    scenario: str, gateway: str | None, table: str | None
) -> None:
    app, endpoints = (
        subnet["properties"]
        for subnet in kept(scenario).one("Microsoft.Network/virtualNetworks")["properties"]["subnets"]
    )
    attached = [app[kind] and app[kind]["id"].rsplit("/", 1)[1] for kind in ("natGateway", "routeTable")]
    assert attached == [gateway, table]
    assert app["defaultOutboundAccess"] is (gateway is None and table is None)
    assert endpoints["defaultOutboundAccess"] is False


@pytest.mark.parametrize("scenario", sorted(OWN_NETWORK))
def test_the_subnets_deny_outbound_ssh_and_rdp(scenario: str) -> None:
    groups = kept(scenario).of("Microsoft.Network/networkSecurityGroups")
    assert len(groups) == 2
    for group in groups:
        (rule,) = (r["properties"] for r in group["properties"]["securityRules"] if "outbound" in r["name"])
        assert (rule["access"], rule["direction"]) == ("Deny", "Outbound")
        assert (rule["destinationAddressPrefix"], rule["destinationPortRanges"]) == ("VirtualNetwork", ["22", "3389"])


def test_two_environments_in_one_resource_group_share_no_name() -> None:
    def named(scenario: str) -> set[str]:
        top = [resource for resource in kept(scenario).resources if resource.get("location")]
        return {resource["id"] for resource in top if "privateDnsZones" not in resource["type"]}

    assert named("defaults")
    assert not named("defaults") & named("everything")


def test_zone_redundancy_covers_the_plan_and_both_accounts() -> None:
    plain, redundant = kept("defaults"), kept("zone-redundant")
    for deployment, plan, sku in ((plain, False, "Standard_LRS"), (redundant, True, "Standard_ZRS")):
        assert deployment.one("Microsoft.Web/serverfarms")["properties"]["zoneRedundant"] is plan
        skus = {account["sku"]["name"] for account in deployment.of("Microsoft.Storage/storageAccounts")}
        assert skus == {sku}


def test_always_ready_instances_name_functions_of_the_app() -> None:
    def groups(scenario: str) -> list[dict[str, Any]]:
        site = kept(scenario).one("Microsoft.Web/sites")
        found: list[dict[str, Any]] = site["properties"]["functionAppConfig"]["scaleAndConcurrency"]["alwaysReady"]
        return found

    assert groups("defaults") == []
    assert groups("always-ready") == [
        {"name": "http", "instanceCount": 2},
        {"name": "function:convert", "instanceCount": 1},
    ]
    assert "convert" in queue_functions()


def queue_functions() -> set[str]:
    """Return the names of the app's functions with a queue trigger."""
    tree = ast.parse((ROOT / "b2b" / "triggers" / "queue.py").read_text("utf-8"))
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncFunctionDef)
        and any("queue_trigger" in ast.unparse(decorator) for decorator in node.decorator_list)
    }


def test_data_access_is_logged_only_on_request() -> None:
    kind = "Microsoft.Insights/diagnosticSettings"
    assert kept("defaults").of(kind) == []
    assert len(kept("audit").of(kind)) == 4


@pytest.mark.parametrize("scenario", APP_SCENARIOS)
def test_every_resource_that_can_have_tags_has_the_application_tag(scenario: str) -> None:
    tagged = [resource for resource in kept(scenario).resources if resource.get("location")]
    untagged = [resource["name"] for resource in tagged if "application" not in resource.get("tags", {})]
    assert tagged
    assert untagged == []


def test_the_options_are_off_by_default() -> None:
    kinds = {resource["type"] for resource in kept("defaults").resources}
    assert not {kind for kind in kinds if kind.startswith("Microsoft.Network/")}
    assert kept("defaults").app_settings["B2B_MODE"] == "assess"


def test_no_parameter_has_a_name_that_looks_like_a_secret() -> None:
    # PSRule's Azure.Deployment.SecureParameter judges by the name.
    sources = [file.read_text("utf-8") for file in INFRA.rglob("*.bicep")]
    names_of_parameters = {name for text in sources for name in re.findall(r"^param (\w+)", text, re.MULTILINE)}
    assert "suffix" in names_of_parameters
    like_a_secret = re.compile("password|secret|token|keys?$", re.IGNORECASE)
    assert [name for name in names_of_parameters if like_a_secret.search(name)] == []


def test_templates_use_no_module_from_a_registry() -> None:
    sources = [file.read_text("utf-8") for file in INFRA.rglob("*.bicep")]
    assert len(sources) > 8
    assert not [line for text in sources for line in text.splitlines() if re.search(r"'br(/|:)", line)]
