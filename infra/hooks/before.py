"""The hook that runs before a deployment. It checks versions, who deploys, and what a template cannot check."""

import re
from collections.abc import Iterator
from typing import Any

from infra.hooks.errors import HookError
from infra.hooks.principal import PERSON, kind_of
from infra.hooks.tools import Tools
from infra.package.interpreter import DEFAULT

OLDEST_AZD = "1.23.13"
"""Supports `remoteBuild: false` (since 1.23.5) and reads a whole ignore file (since 1.23.13). Also in azure.yaml."""
OLDEST_AZ = "2.60.0"
"""Can list the regions of Flex Consumption."""
PROVIDERS = (
    "Microsoft.Insights",
    "Microsoft.ManagedIdentity",
    "Microsoft.OperationalInsights",
    "Microsoft.Storage",
    "Microsoft.Web",
)
NETWORK_PROVIDERS = ("Microsoft.App", "Microsoft.Network")
DELEGATION = "Microsoft.App/environments"
SMALLEST_SUBNET = 27
SKIP = "DEPLOY_SKIP_CHECKS"


def preprovision(tools: Tools) -> Iterator[str]:
    """Check that the deployment can succeed, and yield a line for each check that passed.

    Raises:
        HookError: the deployment would fail. The text says what to change; then run azd again.

    """
    yield _versions(tools)
    yield _principal(tools)
    if tools.environment.get(SKIP, "").lower() == "true":
        yield f"{SKIP} is true: region, providers and subnets are not checked"
        return
    yield _providers(tools)
    region = _region(tools)
    yield _offered(tools, region)
    yield from _subnets(tools, region)


def _versions(tools: Tools) -> str:
    azd, az = str(tools.azd("version")["azd"]["version"]), tools.az_version()
    for name, version, oldest in (("azd", azd, OLDEST_AZD), ("az", az, OLDEST_AZ)):
        if _numbers(version) < _numbers(oldest):
            raise HookError(f"{name} {version} is too old: {oldest} or newer is needed")
    return f"azd {azd}, az {az}"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.partition("-")[0])[:3])


def _principal(tools: Tools) -> str:
    kind = kind_of(str(tools.azd("auth", "token")["token"]))
    if tools.environment.get("AZURE_PRINCIPAL_TYPE") != kind:
        tools.azd_set("AZURE_PRINCIPAL_TYPE", kind)
    if kind == PERSON:
        sends = tools.environment.get("DEPLOY_DEPLOYER_SENDS", "").lower() == "true"
        return f"you become a reader of the ledger and the queues{' and may send requests' if sends else ''}"
    return "this is no person: only those in DEPLOY_READERS may read the ledger"


def _providers(tools: Tools) -> str:
    needed = {*PROVIDERS, *(NETWORK_PROVIDERS if _network(tools) != "public" else ())}
    registered = set(tools.az("provider", "list", "--query", "[?registrationState=='Registered'].namespace"))
    missing = sorted(needed - registered)
    if missing:
        commands = "; ".join(f"az provider register --namespace {name} --wait" for name in missing)
        raise HookError(f"resource providers are not registered, once per subscription: {commands}")
    return "resource providers are registered"


def _network(tools: Tools) -> str:
    return tools.environment.get("DEPLOY_NETWORK") or "public"


def _region(tools: Tools) -> str:
    """Return the region to deploy to: the one set in azd, or else that of the resource group."""
    region = tools.environment.get("AZURE_LOCATION", "")
    group = tools.environment.get("AZURE_RESOURCE_GROUP", "")
    if not region and group:
        region = str(tools.az("group", "show", "--name", group, "--query", "location"))
    if not region:
        raise HookError("neither AZURE_LOCATION nor AZURE_RESOURCE_GROUP is set: azd env set AZURE_LOCATION …")
    return _plain(region)


def _plain(region: str) -> str:
    return region.replace(" ", "").lower()


def _offered(tools: Tools, region: str) -> str:
    regions = sorted(
        _plain(name) for name in tools.az("functionapp", "list-flexconsumption-locations", "--query", "[].name")
    )
    if region not in regions:
        raise HookError(f"AZURE_LOCATION: {region} has no Flex Consumption; these have: {', '.join(regions)}")
    version = tools.environment.get("DEPLOY_PYTHON_VERSION") or DEFAULT
    command = ("functionapp", "list-flexconsumption-runtimes", "--location", region, "--runtime", "python")
    versions = [str(each) for each in tools.az(*command, "--query", "[].version")]
    if version not in versions:
        raise HookError(f"DEPLOY_PYTHON_VERSION: {region} has Python {', '.join(versions)}, and not {version}")
    return f"{region} has Flex Consumption with Python {version}"


def _subnets(tools: Tools, region: str) -> Iterator[str]:
    for name, check in (("DEPLOY_APP_SUBNET_ID", _app_subnet), ("DEPLOY_ENDPOINT_SUBNET_ID", _endpoint_subnet)):
        subnet_id = tools.environment.get(name, "")
        if not subnet_id:
            continue
        subnet = tools.az("network", "vnet", "subnet", "show", "--ids", subnet_id)
        network = subnet_id.split("/subnets/")[0]
        at = _plain(str(tools.az("network", "vnet", "show", "--ids", network, "--query", "location")))
        if at != region:
            raise HookError(f"{name}: the network is in {at}, everything else goes to {region}")
        problem = check(subnet)
        if problem:
            raise HookError(f"{name}: {problem}")
        yield f"{name}: {subnet['name']} fits"


def _app_subnet(subnet: dict[str, Any]) -> str:
    services = [delegation.get("serviceName") for delegation in subnet.get("delegations") or []]
    if services != [DELEGATION]:
        return f"delegated to {', '.join(map(str, services)) or 'nothing'}; Flex Consumption wants {DELEGATION}"
    prefixes = subnet.get("addressPrefixes") or [subnet.get("addressPrefix") or ""]
    longest = max(int(prefix.rpartition("/")[2] or 0) for prefix in prefixes)
    if longest > SMALLEST_SUBNET:
        return f"a /{longest}; Flex Consumption wants a /{SMALLEST_SUBNET} or larger"
    return ""


def _endpoint_subnet(subnet: dict[str, Any]) -> str:
    services = [str(delegation.get("serviceName")) for delegation in subnet.get("delegations") or []]
    return f"delegated to {', '.join(services)}; private endpoints want a subnet that is not" if services else ""
