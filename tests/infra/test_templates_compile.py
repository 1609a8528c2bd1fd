"""The real compiler accepts the templates without a warning and in their format, and refuses wrong parameters."""

import re
import shutil
from pathlib import Path

import pytest

from tests.infra.bicep import INFRA, VERSION, Compiler, Refused

REFUSED = {
    "mode": "'yes'",
    "eligibilityProfile": "'2021'",
    "pythonVersion": "'3.10'",
    "network": "'closed'",
    "instanceMemoryMB": "1024",
    "maximumInstanceCount": "0",
    "graphTimeoutSeconds": "121",
    "giveUpSeconds": "59",
    "purgeAfterDays": "3651",
    "compareDeadlineSeconds": "2592001",
    "invitationsPerMinute": "1801",
    "breakerShare": "''",
    "graphBaseUrl": "'https://graph.windows.net/v1.0'",
    "breakerWindowSeconds": "9",
    "sweepSchedule": "'hourly'",
    "excludedGroupId": "'44444444-0000-4000-8000-0000000000012'",
    "allowedRedirectHosts": "[]",
    "producers": "[{ principalId: 'b2b-team', principalType: 'ServicePrincipal' }]",
    "readers": "[{ principalId: '44444444-0000-4000-8000-000000000001', principalType: 'Robot' }]",
    "ruleOverrides": "{ 'no-such-rule': 'off' }",
    "alwaysReady": "{ http: 21, queue: 0 }",
    "sweepAlertWindow": "'PT7M'",
    "logRetentionDays": "7",
    "environmentName": "''",
    "deployerType": "'Robot'",
    "resourceNames": "{ hostStorage: 'stcontosob2bconversionhost' }",
    "privateDnsZoneIds": "{ file: '/a/zone' }",
}
NO_NAT = "/subscriptions/0/resourceGroups/rg-network/providers/Microsoft.Network/publicIPAddresses/pip-outbound"
NETWORK = "/subscriptions/0/resourceGroups/rg-network/providers/Microsoft.Network"
SPOKE = f"{NETWORK}/virtualNetworks/vnet-spoke/subnets"
ROUTES = f"{NETWORK}/routeTables/rt-firewall"
BLOB_ZONE = f"{NETWORK}/privateDnsZones/privatelink.blob.core.windows.net"
MISTAKEN = {
    "open": {
        "giveUpSeconds": "329",
        "purgeAfterDays": "6",
        "inviteRedirectUrl": "'http://portal.contoso.com'",
        "allowedRedirectHosts": "['portal.contoso.com', 'https://portal.contoso.com']",
        "sweepSchedule": "'*/10 * * * *'",
        "excludedGroupId": "'partners-who-stay-as-they-are'",
        "scopeGroupId": "'partners-to-be-converted'",
        "allowedCopyDomains": "['@contoso.com']",
        "publicUrl": "'http://api.contoso.com'",
        "breakerShare": "'50'",
        "natGatewayId": f"'{NO_NAT}'",
        "routeTableId": f"'{NO_NAT}'",
        "actionGroupId": "'ag-identity'",
        "readers": "[]",
        "deployerId": "'somebody@contoso.com'",
        "appSubnetId": f"'{SPOKE}/snet-app'",
        "privateDnsZoneIds": "{ blob: '/a/zone' }",
        "resourceNames": "{ functionApp: '-func' }",
    },
    "one account for both": {"resourceNames": "{ hostStorage: 'stcontoso', workStorage: 'stcontoso' }"},
    "a host account that Azure does not allow": {"resourceNames": "{ hostStorage: 'st-Contoso' }"},
    "a work account that Azure does not allow": {"resourceNames": "{ workStorage: 'ST1' }"},
    "an app that Azure does not allow": {"resourceNames": "{ functionApp: 'func_contoso' }"},
    "a plan that Azure does not allow": {"resourceNames": "{ plan: 'plan contoso' }"},
    "one name for all endpoints": {"resourceNames": "{ privateEndpoint: 'pep-contoso' }"},
    "one name for all alerts": {"resourceNames": "{ alert: 'alert-contoso' }"},
    "half a network": {"network": "'private'", "appSubnetId": f"'{SPOKE}/snet-app'"},
    "one subnet for both": {
        "network": "'private'",
        "appSubnetId": f"'{SPOKE}/snet'",
        "endpointSubnetId": f"'{SPOKE}/SNET'",
    },
    "no subnets": {"network": "'private'", "appSubnetId": f"'{NO_NAT}'", "endpointSubnetId": "'snet-endpoints'"},
    "a subnet that Flex Consumption does not take": {
        "network": "'private'",
        "appSubnetId": f"'{SPOKE}/snet_app'",
        "endpointSubnetId": f"'{SPOKE}/snet-b'",
    },
    "a route for a subnet of others": {
        "network": "'private'",
        "appSubnetId": f"'{SPOKE}/snet-app'",
        "endpointSubnetId": f"'{SPOKE}/snet-endpoints'",
        "routeTableId": f"'{ROUTES}'",
    },
    "zones of other parts": {
        "network": "'private'",
        "privateDnsZoneIds": f"{{ queue: '{BLOB_ZONE}', sites: '{BLOB_ZONE}' }}",
    },
    "closed": {
        "network": "'private-storage'",
        "networkAddressPrefix": "'10.87.0.0/27'",
        "allowedRedirectHosts": "['']",
        "breakerShare": "'0.0'",
        "excludedGroupId": "'44444444-0000-4000-8000-00000000000'",
    },
}
UNTOLD = {"network"}
TOLD = {
    "half a network": {"endpointSubnetId"},
    "one subnet for both": {"endpointSubnetId"},
    "a subnet that Flex Consumption does not take": {"appSubnetId"},
    "a route for a subnet of others": {"routeTableId"},
}
"""What is named where it is not every parameter that was given."""
SOFTENED = "{ 'already-external': 'warn' }"


@pytest.mark.parametrize("pattern", ["**/*.bicep", "**/*.bicepparam"])
def test_the_linter_reports_nothing(compiler: Compiler, pattern: str) -> None:
    done = compiler.run("lint", "--pattern", pattern)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_templates_compile_without_warnings(compiler: Compiler, tmp_path: Path) -> None:
    done = compiler.run("build", "--pattern", "*.bicep", "--outdir", str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert {file.stem for file in tmp_path.iterdir()} == {"main", "graph-permissions", "sign-in"}


def test_the_formatter_changes_nothing(compiler: Compiler, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(INFRA, tmp_path / "infra"))
    assert compiler.run("format", "--pattern", "**/*.bicep*", cwd=copy).returncode == 0
    files = sorted(file.relative_to(copy) for pattern in ("*.bicep", "*.bicepparam") for file in copy.rglob(pattern))
    changed = [file for file in files if (copy / file).read_bytes() != (INFRA / file).read_bytes()]
    assert files
    assert changed == []


def test_parameters_of_wrong_type_are_refused_by_the_compiler(compiler: Compiler, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(INFRA, tmp_path / "infra"))
    lines = ["using 'main.bicep'", *(f"param {name} = {value}" for name, value in REFUSED.items())]
    (copy / "wrong.bicepparam").write_text("\n".join(lines), "utf-8")
    done = compiler.run("build-params", "wrong.bicepparam", "--stdout", cwd=copy)
    said = {int(line.split("(")[1].split(",")[0]) for line in done.stderr.splitlines() if " : " in line}
    unnoticed = [name for number, name in enumerate(REFUSED, start=2) if number not in said]
    assert done.returncode != 0
    assert unnoticed == []


@pytest.mark.parametrize("name", MISTAKEN)
def test_a_mistake_beyond_types_is_refused_before_the_first_resource(
    compiler: Compiler, tmp_path: Path, name: str
) -> None:
    copy = Path(shutil.copytree(INFRA, tmp_path / "infra"))
    given = {"noReaders": "true", **MISTAKEN[name]}
    if "readers" in given:
        del given["noReaders"]
    lines = ["using 'main.bicep'", *(f"param {parameter} = {value}" for parameter, value in given.items())]
    (copy / "mistaken.bicepparam").write_text("\n".join(lines), "utf-8")
    with pytest.raises(Refused) as refused:
        compiler.predict(copy / "mistaken.bicepparam")
    said = re.findall(r"(?:^|; )([\w., ]+): ", str(refused.value).split("Expected ")[1])
    parameters = {part.split(".")[0] for parts in said for part in parts.split(", ")}
    assert parameters | UNTOLD >= TOLD.get(name, set(MISTAKEN[name]))


def test_parameter_values_at_the_limits_are_accepted(compiler: Compiler, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(INFRA, tmp_path / "infra"))
    lines = ["param noReaders = true", f"param environmentName = '{'e' * 256}'"]
    lines += ["param giveUpSeconds = 330", "param breakerShare = '1'", "param network = 'private'"]
    lines += ["param networkAddressPrefix = '10.87.0.0/26'", "param sweepSchedule = '0  0 6-18/2 * * Mon-Fri'"]
    (copy / "border.bicepparam").write_text("\n".join(["using 'main.bicep'", *lines]), "utf-8")
    assert compiler.predict(copy / "border.bicepparam")["diagnostics"] == []


def test_rules_that_must_block_cannot_be_overridden(compiler: Compiler, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(INFRA, tmp_path / "infra"))
    (copy / "soft.bicepparam").write_text(f"using 'main.bicep'\nparam ruleOverrides = {SOFTENED}\n", "utf-8")
    done = compiler.run("build-params", "soft.bicepparam", "--stdout", cwd=copy)
    assert done.returncode != 0
    assert "'block'" in done.stderr


def test_the_workflow_installs_the_bicep_version_of_the_snapshots() -> None:
    workflow = (INFRA.parent / ".github" / "workflows" / "deploy.yml").read_text("utf-8")
    assert f"BICEP_VERSION: v{VERSION}" in workflow
