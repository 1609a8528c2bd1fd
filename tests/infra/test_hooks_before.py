"""The checks of azd's hook before a deployment, with stand-ins for az and azd."""

import base64
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.hooks.before import DELEGATION, NETWORK_PROVIDERS, OLDEST_AZD, PROVIDERS, preprovision
from infra.hooks.errors import HookError
from infra.hooks.tools import Tools
from tests.infra.bicep import ROOT
from tests.infra.documents import DEPLOY
from tests.infra.standins import StandIns, named

SUBSCRIPTION = "11111111-0000-4000-8000-000000000001"
NETWORK = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-network/providers/Microsoft.Network/virtualNetworks/vnet-spoke"
)
APP_SUBNET, ENDPOINT_SUBNET = f"{NETWORK}/subnets/snet-app", f"{NETWORK}/subnets/snet-endpoints"
SCOPE = ("--subscription", SUBSCRIPTION, "--output", "json")
PERSON = {"oid": "44444444-0000-4000-8000-000000000007", "idtyp": "user", "scp": "user_impersonation"}
LOCATIONS = ("az", "functionapp", "list-flexconsumption-locations", "--query", "[].name", *SCOPE)
TOKEN = ("azd", "auth", "token", "--output", "json")


def runtimes(region: str) -> tuple[str, ...]:
    command = ("functionapp", "list-flexconsumption-runtimes", "--location", region, "--runtime", "python")
    return ("az", *command, "--query", "[].version", *SCOPE)


def token(claims: Any) -> dict[str, str]:
    """Return azd's answer with a token that has these claims."""
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return {"token": f"header.{part}.signature", "expiresOn": "2026-11-27T12:00:00Z"}


@pytest.fixture
def programs(tmp_path: Path) -> StandIns:
    """Return stand-ins for a person's subscription in which every check passes."""
    made = StandIns(tmp_path / "bin")
    made.program("az", "azd")
    made.expect("azd", "version", "--output", "json", says={"azd": {"version": "1.24.0", "commit": "abc"}})
    made.expect("az", "version", "--output", "json", says={"azure-cli": "2.80.0"})
    made.expect(*TOKEN, says=token(PERSON))
    made.expect("azd", "env", "set", "AZURE_PRINCIPAL_TYPE", "User")
    providers = ("az", "provider", "list", "--query", "[?registrationState=='Registered'].namespace", *SCOPE)
    made.expect(*providers, says=[*PROVIDERS, *NETWORK_PROVIDERS, "Microsoft.Compute"])
    made.expect(*LOCATIONS, says=["westeurope", "East US", "northeurope"])
    for region in ("westeurope", "eastus"):
        made.expect(*runtimes(region), says=["3.10", "3.11", "3.12", "3.13"])
    return made


def expect_subnets(programs: StandIns, **app: Any) -> None:
    """Answer for two subnets in westeurope. `app` overrides properties of a valid app subnet."""
    good = {"name": "snet-app", "addressPrefix": "10.1.0.0/26", "delegations": [{"serviceName": DELEGATION}]}
    programs.expect("az", "network", "vnet", "subnet", "show", "--ids", APP_SUBNET, *SCOPE, says={**good, **app})
    other = {"name": "snet-endpoints", "addressPrefixes": ["10.1.1.0/28"], "delegations": []}
    programs.expect("az", "network", "vnet", "subnet", "show", "--ids", ENDPOINT_SUBNET, *SCOPE, says=other)
    programs.expect(
        "az", "network", "vnet", "show", "--ids", NETWORK, "--query", "location", *SCOPE, says='"westeurope"'
    )


def check(programs: StandIns, **changes: str) -> list[str]:
    """Return the hook's output lines in an azd environment with these changes. An empty value removes a variable."""
    environment = {
        "PATH": programs.path(),
        "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
        "AZURE_LOCATION": "westeurope",
        "AZURE_RESOURCE_GROUP": "rg-b2b",
        **changes,
    }
    return list(preprovision(Tools({name: value for name, value in environment.items() if value})))


def refusal(programs: StandIns, **changes: str) -> str:
    """Return the one line with which the hook stops azd."""
    with pytest.raises(HookError) as refused:
        check(programs, **changes)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_valid_environment_passes_with_exactly_these_calls(programs: StandIns) -> None:
    lines = check(programs)
    assert lines == [
        "azd 1.24.0, az 2.80.0",
        "you become a reader of the ledger and the queues",
        "resource providers are registered",
        "westeurope has Flex Consumption with Python 3.11",
    ]
    assert [call[:4] for call in programs.calls] == [
        ["azd", "version", "--output", "json"],
        ["az", "version", "--output", "json"],
        ["azd", "auth", "token", "--output"],
        ["azd", "env", "set", "AZURE_PRINCIPAL_TYPE"],
        ["az", "provider", "list", "--query"],
        ["az", "functionapp", "list-flexconsumption-locations", "--query"],
        ["az", "functionapp", "list-flexconsumption-runtimes", "--location"],
    ]


@pytest.mark.parametrize(
    ("claims", "kind"),
    [
        (PERSON, "User"),
        ({"oid": "x", "scp": "user_impersonation"}, "User"),
        ({"oid": "x", "idtyp": "app"}, "ServicePrincipal"),
        ({"oid": "x"}, "ServicePrincipal"),
        ({"oid": "x", "idtyp": "app", "scp": "user_impersonation"}, "ServicePrincipal"),
    ],
)
def test_the_kind_of_the_deployer_is_stored_for_the_parameter_file(
    programs: StandIns, claims: dict[str, str], kind: str
) -> None:
    programs.expect(*TOKEN, says=token(claims))
    programs.expect("azd", "env", "set", "AZURE_PRINCIPAL_TYPE", kind)
    lines = check(programs, AZURE_PRINCIPAL_TYPE="Robot")
    assert ["env", "set", "AZURE_PRINCIPAL_TYPE", kind] in named(programs.calls, "azd")
    assert ("you become a reader" in lines[1]) is (kind == "User")


def test_a_stored_kind_of_deployer_is_not_written_again(programs: StandIns) -> None:
    check(programs, AZURE_PRINCIPAL_TYPE="User")
    assert [call for call in named(programs.calls, "azd") if call[0] == "env"] == []


def test_the_deployer_may_send_requests_if_deploy_deployer_sends_is_true(programs: StandIns) -> None:
    assert check(programs, DEPLOY_DEPLOYER_SENDS="true")[1].endswith("and may send requests")


@pytest.mark.parametrize("text", ["no token", "a.b.c", "a." + base64.urlsafe_b64encode(b"[1]").decode() + ".c"])
def test_an_invalid_token_is_refused_and_not_printed(programs: StandIns, text: str) -> None:
    programs.expect(*TOKEN, says={"token": text})
    said = refusal(programs)
    assert "sign in again (azd auth login)" in said
    assert text not in said


def test_an_azd_that_is_too_old_is_refused(programs: StandIns) -> None:
    programs.expect("azd", "version", "--output", "json", says={"azd": {"version": "1.23.4"}})
    assert refusal(programs) == f"azd 1.23.4 is too old: {OLDEST_AZD} or newer is needed"


@pytest.mark.parametrize("version", [OLDEST_AZD, "1.24.0-daily.5012345", "2.0.0"])
def test_a_new_azd_is_accepted(programs: StandIns, version: str) -> None:
    programs.expect("azd", "version", "--output", "json", says={"azd": {"version": version}})
    assert check(programs)[0].startswith(f"azd {version},")


def test_an_az_that_is_too_old_is_refused(programs: StandIns) -> None:
    programs.expect("az", "version", "--output", "json", says={"azure-cli": "2.9.1"})
    assert refusal(programs).startswith("az 2.9.1 is too old")


@pytest.mark.parametrize("program", ["az", "azd"])
def test_a_missing_program_is_named(programs: StandIns, program: str) -> None:
    (programs.folder / program).unlink()
    assert refusal(programs) == f"{program} is not on PATH: install it"


def test_an_error_of_az_is_reported_in_one_line(programs: StandIns) -> None:
    complaint = "ERROR: Please run 'az login' to setup account.\nmore\n"
    programs.expect(*LOCATIONS, complains=complaint, code=1)
    said = refusal(programs)
    assert (
        said == "az functionapp list-flexconsumption-locations --query: ERROR: Please run 'az login' to setup account."
    )


def test_a_warning_of_az_is_not_reported_as_its_error(programs: StandIns) -> None:
    complaint = "WARNING: You have 2 update(s) available.\nERROR: (AuthorizationFailed) no\n"
    programs.expect(*LOCATIONS, complains=complaint, code=1)
    assert refusal(programs).endswith("ERROR: (AuthorizationFailed) no")


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (("azd", "version", "--output", "json"), {"azd": "1.24.0"}),
        (("azd", "version", "--output", "json"), []),
        (("az", "version", "--output", "json"), {"extensions": {}}),
        (TOKEN, {"expiresOn": "2026-11-27T12:00:00Z"}),
        (LOCATIONS, {"value": [{"name": "westeurope"}]}),
        (LOCATIONS, None),
    ],
)
def test_an_unexpected_answer_gives_one_line_and_no_traceback(
    programs: StandIns, call: tuple[str, ...], says: Any
) -> None:
    programs.expect(*call, says=json.dumps(says))
    environment = {"PATH": programs.path("/usr/bin", "/bin"), "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION}
    command = [sys.executable, "-m", "infra.hooks", "preprovision"]
    environment |= {"AZURE_LOCATION": "westeurope", "AZURE_RESOURCE_GROUP": "rg-b2b"}
    done = subprocess.run(  # noqa: S603
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert re.fullmatch(r"preprovision: [^\n]+\n", done.stderr), done.stderr


def test_a_program_that_hangs_is_reported_in_one_line(programs: StandIns) -> None:
    (programs.folder / "azd").write_text(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n", "utf-8")
    with pytest.raises(HookError) as refused:
        list(preprovision(Tools({"PATH": programs.path()}, seconds=0.2)))
    assert str(refused.value) == "azd version did not end within 0.2 s: does it wait for an answer?"


def test_an_answer_that_is_not_json_is_reported(programs: StandIns) -> None:
    programs.expect(*LOCATIONS, says="To sign in, use a web browser")
    assert refusal(programs) == "az functionapp answers something that is not JSON"


def test_a_region_without_flex_consumption_is_refused_with_a_list_of_others(programs: StandIns) -> None:
    said = refusal(programs, AZURE_LOCATION="polandcentral")
    assert said == (
        "AZURE_LOCATION: polandcentral has no Flex Consumption; these have: eastus, northeurope, westeurope"
    )


@pytest.mark.parametrize("written", ["eastus", "East US", "EastUS"])
def test_a_region_can_be_given_by_name_or_display_name(programs: StandIns, written: str) -> None:
    assert check(programs, AZURE_LOCATION=written)[-1].startswith("eastus has")


def test_if_no_location_is_set_the_location_of_the_resource_group_is_used(programs: StandIns) -> None:
    programs.expect("az", "group", "show", "--name", "rg-b2b", "--query", "location", *SCOPE, says='"eastus"')
    assert check(programs, AZURE_LOCATION="")[-1] == "eastus has Flex Consumption with Python 3.11"


def test_without_location_and_resource_group_the_hook_fails(programs: StandIns) -> None:
    assert "neither AZURE_LOCATION nor AZURE_RESOURCE_GROUP" in refusal(
        programs, AZURE_LOCATION="", AZURE_RESOURCE_GROUP=""
    )


def test_a_python_version_that_the_region_lacks_is_refused(programs: StandIns) -> None:
    programs.expect(*runtimes("westeurope"), says=["3.10", "3.11"])
    said = refusal(programs, DEPLOY_PYTHON_VERSION="3.13")
    assert said == "DEPLOY_PYTHON_VERSION: westeurope has Python 3.10, 3.11, and not 3.13"


def test_missing_resource_providers_are_reported_with_their_commands(programs: StandIns) -> None:
    call = ("az", "provider", "list", "--query", "[?registrationState=='Registered'].namespace", *SCOPE)
    programs.expect(*call, says=[name for name in PROVIDERS if name != "Microsoft.Web"])
    assert "az provider register --namespace Microsoft.Web --wait" in refusal(programs)
    said = refusal(programs, DEPLOY_NETWORK="private-storage")
    assert all(f"--namespace {name} " in said for name in (*NETWORK_PROVIDERS, "Microsoft.Web"))


def test_the_page_names_exactly_the_checked_providers() -> None:
    row = next(line for line in DEPLOY.splitlines() if line.startswith("| the resource providers"))
    assert set(re.findall(r"`(Microsoft\.\w+)`", row)) == {*PROVIDERS, *NETWORK_PROVIDERS}


def test_suitable_subnets_pass(programs: StandIns) -> None:
    expect_subnets(programs)
    lines = check(
        programs,
        DEPLOY_NETWORK="private",
        DEPLOY_APP_SUBNET_ID=APP_SUBNET,
        DEPLOY_ENDPOINT_SUBNET_ID=ENDPOINT_SUBNET,
    )
    assert lines[-2:] == ["DEPLOY_APP_SUBNET_ID: snet-app fits", "DEPLOY_ENDPOINT_SUBNET_ID: snet-endpoints fits"]


@pytest.mark.parametrize(
    ("app", "said"),
    [
        ({"delegations": []}, "delegated to nothing; Flex Consumption wants Microsoft.App/environments"),
        ({"delegations": None}, "delegated to nothing"),
        ({"delegations": [{"serviceName": "Microsoft.Web/serverFarms"}]}, "delegated to Microsoft.Web/serverFarms;"),
        ({"addressPrefix": "10.1.0.0/28"}, "a /28; Flex Consumption wants a /27 or larger"),
        ({"addressPrefix": None, "addressPrefixes": ["10.1.0.0/26", "10.2.0.0/29"]}, "a /29;"),
    ],
)
def test_an_unsuitable_app_subnet_is_refused(programs: StandIns, app: dict[str, Any], said: str) -> None:
    expect_subnets(programs, **app)
    told = refusal(programs, DEPLOY_NETWORK="private-storage", DEPLOY_APP_SUBNET_ID=APP_SUBNET)
    assert told.startswith(f"DEPLOY_APP_SUBNET_ID: {said}")


def test_the_smallest_allowed_subnet_passes(programs: StandIns) -> None:
    expect_subnets(programs, addressPrefix="10.1.0.0/27")
    assert check(programs, DEPLOY_NETWORK="private", DEPLOY_APP_SUBNET_ID=APP_SUBNET)[-1].endswith("snet-app fits")


def test_a_delegated_subnet_is_refused_for_endpoints(programs: StandIns) -> None:
    expect_subnets(programs)
    told = refusal(programs, DEPLOY_NETWORK="private", DEPLOY_ENDPOINT_SUBNET_ID=APP_SUBNET)
    assert told == (
        f"DEPLOY_ENDPOINT_SUBNET_ID: delegated to {DELEGATION}; private endpoints want a subnet that is not"
    )


def test_a_network_of_another_region_is_refused(programs: StandIns) -> None:
    expect_subnets(programs)
    told = refusal(programs, AZURE_LOCATION="eastus", DEPLOY_NETWORK="private", DEPLOY_APP_SUBNET_ID=APP_SUBNET)
    assert told == "DEPLOY_APP_SUBNET_ID: the network is in westeurope, everything else goes to eastus"


def test_checks_of_the_subscription_can_be_skipped(programs: StandIns) -> None:
    lines = check(programs, DEPLOY_SKIP_CHECKS="true", AZURE_LOCATION="polandcentral")
    assert lines[-1] == "DEPLOY_SKIP_CHECKS is true: region, providers and subnets are not checked"
    assert named(programs.calls, "az") == [["version", "--output", "json"]]


def test_azure_yaml_requires_the_same_azd_version_as_the_hook() -> None:
    project = yaml.safe_load((ROOT / "azure.yaml").read_text("utf-8"))
    assert project["requiredVersions"] == {"azd": f">= {OLDEST_AZD}"}
