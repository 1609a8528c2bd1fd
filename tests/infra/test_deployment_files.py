"""What is deployed and by whom: azure.yaml, .funcignore, the workflow, the parameter files."""

import fnmatch
import json
import re
import subprocess
from typing import Any

import pytest
import yaml

from b2b.settings import SETTINGS
from infra.package.interpreter import DEFAULT, SUPPORTED
from infra.package.place import APP_FILES, APP_FOLDERS, Place
from tests.infra.bicep import INFRA, ROOT, Compiler, kept

WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "deploy.yml").read_text("utf-8"))
MAIN = (INFRA / "main.bicep").read_text("utf-8")
PARAMETERS = (INFRA / "main.bicepparam").read_text("utf-8")
READ: dict[str, str] = dict(re.findall(r"readEnvironmentVariable\('(\w+)', '([^']*)'\)", PARAMETERS))
"""What infra/main.bicepparam reads, and the defaults."""
OWN = {"AZURE_CLIENT_ID", "B2B_SIGN_IN"}
"""Settings that the template makes itself."""
OTHER = {
    "AZURE_ENV_NAME": "other",
    "GRAPH_BASE_URL": "https://graph.microsoft.us/v1.0",
    "B2B_MODE": "convert",
    "B2B_ELIGIBILITY_PROFILE": "2020",
    "B2B_RULE_OVERRIDES": '{"domain-not-allowed": "off"}',
    "B2B_INVITE_REDIRECT_URL": "https://portal.contoso.com",
    "B2B_ALLOWED_REDIRECT_HOSTS": "portal.contoso.com, myapps.microsoft.com",
    "B2B_SEND_INVITATION_MESSAGE": "false",
    "B2B_SWEEP_SCHEDULE": "0 0 * * * *",
    "B2B_EXCLUDED_GROUP_ID": "44444444-0000-4000-8000-000000000001",
    "B2B_CLOUD_ACCOUNTS_SHOW_PENDING": "shows",
    "B2B_SYNCED_ACCOUNTS_SHOW_PENDING": "does not show",
    "B2B_SCOPE_GROUP_ID": "44444444-0000-4000-8000-000000000002",
    "B2B_ALLOWED_COPY_DOMAINS": "contoso.com, fabrikam.com",
    "B2B_PUBLIC_URL": "https://api.contoso.com",
    "B2B_SELF_APPROVAL": "true",
    "B2B_STATED_DECISIONS": "true",
    "B2B_GRAPH_TIMEOUT_SECONDS": "60",
    "B2B_REPLICATION_WINDOW_SECONDS": "600",
    "B2B_TENANT_FACTS_SECONDS": "60",
    "B2B_ASSESSMENT_SECONDS": "300",
    "B2B_GIVE_UP_SECONDS": "3600",
    "B2B_PAUSED": "true",
    "B2B_INVITATIONS_PER_MINUTE": "60",
    "B2B_BREAKER_SHARE": "0.05",
    "B2B_BREAKER_WINDOW_SECONDS": "600",
    "B2B_PURGE_AFTER_DAYS": "365",
    "B2B_COMPARE_ACCESS": "false",
    "B2B_COMPARE_DEADLINE_SECONDS": "259200",
    "B2B_READ_AUDIT_LOG": "true",
    "AZURE_LOCATION": "northeurope",
    "AZURE_PRINCIPAL_ID": "44444444-0000-4000-8000-000000000007",
    "AZURE_PRINCIPAL_TYPE": "User",
    "DEPLOY_DEPLOYER_SENDS": "true",
    "DEPLOY_READERS": '[{"principalId": "44444444-0000-4000-8000-000000000003", "principalType": "Group"}]',
    "DEPLOY_PRODUCERS": '[{"principalId": "44444444-0000-4000-8000-000000000002", "principalType": "User"}]',
    "DEPLOY_SIGN_IN_CLIENT_ID": "44444444-0000-4000-8000-000000000012",
    "DEPLOY_NO_READERS": "true",
    "DEPLOY_RESOURCE_NAMES": '{"functionApp": "func-contoso-b2b"}',
    "DEPLOY_PYTHON_VERSION": "3.13",
    "DEPLOY_NETWORK": "private",
    "DEPLOY_NETWORK_ADDRESS_PREFIX": "10.0.4.0/26",
    "DEPLOY_APP_SUBNET_ID": "/a/subnet",
    "DEPLOY_ENDPOINT_SUBNET_ID": "/another/subnet",
    "DEPLOY_CREATE_PRIVATE_DNS_ZONES": "false",
    "DEPLOY_PRIVATE_DNS_ZONE_IDS": '{"blob": "/a/zone"}',
    "DEPLOY_NAT_GATEWAY_ID": "/a/nat/gateway",
    "DEPLOY_ROUTE_TABLE_ID": "/a/route/table",
    "DEPLOY_ZONE_REDUNDANT": "true",
    "DEPLOY_ACTION_GROUP_ID": "/an/action/group",
    "DEPLOY_SWEEP_ALERT_WINDOW": "PT2H",
}
OF_AZD = {"AZURE_PRINCIPAL_ID", "AZURE_PRINCIPAL_TYPE", "DEPLOY_DEPLOYER_SENDS"}
"""Who deploys by azd. The workflow's identity is no reader, so the workflow does not tell who it is."""
DEPLOYED = {"function_app.py", "host.json", "requirements.txt", "b2b"}


def ignored(name: str, *, folder: bool) -> bool:
    lines = (ROOT / ".funcignore").read_text("utf-8").splitlines()
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return any(
        fnmatch.fnmatch(name, pattern.rstrip("/")) for pattern in patterns if folder or not pattern.endswith("/")
    )


def test_funcignore_deploys_only_the_files_that_the_app_runs() -> None:
    made_by_tools = {"local.settings.json"}
    kept_files = {
        path.name
        for path in ROOT.iterdir()
        if path.name not in made_by_tools and not ignored(path.name, folder=path.is_dir())
    }
    assert kept_files == DEPLOYED
    assert ignored("local.settings.json", folder=False)
    assert ignored("__pycache__", folder=True)
    assert ignored("dist", folder=True)
    assert ignored("app.zip", folder=False)


def test_the_package_has_the_same_files_as_funcignore_leaves() -> None:
    assert {*APP_FILES, *APP_FOLDERS} == DEPLOYED


@pytest.mark.parametrize(
    "made", ["dist/app", "dist/b2b-conversion.zip", ".python_packages/lib", "app.zip", ".azure/.env"]
)
def test_git_ignores_the_files_that_a_deployment_creates(made: str) -> None:
    done = subprocess.run(["git", "check-ignore", "--quiet", made], cwd=ROOT, timeout=60, check=False)  # noqa: S603, S607
    assert done.returncode == 0


def test_the_workflow_deploys_the_package_that_is_built_here() -> None:
    shell = " ".join(" ".join(steps("deploy")).split())
    building, _, deploying = shell.partition("az functionapp deployment source config-zip")
    assert 'make package PYTHON="python$DEPLOY_PYTHON_VERSION"' in building
    assert f"--src {Place(ROOT).archive.relative_to(ROOT)} --build-remote false" in deploying
    assert "PACKAGE=1" in " ".join(steps("test"))
    pythons = [
        step["with"]["python-version"]
        for step in WORKFLOW["jobs"]["deploy"]["steps"]
        if "setup-python" in step.get("uses", "")
    ]
    assert pythons == ["${{ env.DEPLOY_PYTHON_VERSION }}"]


def steps(job: str) -> list[str]:
    """Every line of shell in a job."""
    return [line for step in WORKFLOW["jobs"][job]["steps"] for line in step.get("run", "").splitlines()]


def test_azure_yaml_names_the_template_the_code_and_the_site() -> None:
    project = yaml.safe_load((ROOT / "azure.yaml").read_text("utf-8"))
    (service,) = project["services"]
    assert project["services"][service].items() >= {"project": ".", "language": "python", "host": "function"}.items()
    assert (ROOT / project["infra"]["path"] / f"{project['infra']['module']}.bicep").exists()
    deployment = kept("defaults")
    assert deployment.one("Microsoft.Web/sites")["tags"]["azd-service-name"] == service
    assert all(resource["tags"]["azd-env-name"] for resource in deployment.resources if "tags" in resource)


def test_the_python_versions_on_offer_are_the_tested_ones() -> None:
    found = re.search(r"param pythonVersion (.*) = '([\d.]+)'", MAIN)
    assert found is not None
    offered = [version.strip(" '") for version in found[1].split("|")]
    assert offered == WORKFLOW["jobs"]["test"]["strategy"]["matrix"]["python"] == list(SUPPORTED)
    makefile = re.search(r"^DEPLOY_PYTHON_VERSION \?= (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert makefile is not None
    assert READ["DEPLOY_PYTHON_VERSION"] == makefile[1] == DEFAULT == found[2]
    floor = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text("utf-8"))
    assert floor is not None
    assert found[2] == floor[1] == min(offered, key=lambda version: tuple(map(int, version.split("."))))


@pytest.mark.parametrize("job", sorted(WORKFLOW["jobs"]))
def test_a_job_has_least_rights_a_time_limit_and_pinned_actions(job: str) -> None:
    body = WORKFLOW["jobs"][job]
    rights = body.get("permissions", WORKFLOW["permissions"])
    uses = [step["uses"] for step in body["steps"] if "uses" in step]
    logs_in = any(use.startswith("azure/login@") for use in uses)
    assert rights == {"contents": "read", **({"id-token": "write"} if logs_in else {})}
    assert body["timeout-minutes"] <= 45
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", use) for use in uses)


def test_the_workflow_has_no_secret_and_no_expression_in_shell_lines() -> None:
    text = (ROOT / ".github" / "workflows" / "deploy.yml").read_text("utf-8")
    assert "secrets." not in text
    shells = [line for job in WORKFLOW["jobs"] for line in steps(job)]
    assert [line for line in shells if "${{" in line] == []


def test_a_deployment_needs_a_preview_and_never_runs_for_a_pull_request() -> None:
    deploy, preview = WORKFLOW["jobs"]["deploy"], WORKFLOW["jobs"]["what-if"]
    assert deploy["needs"] == "what-if"
    assert "github.event_name != 'pull_request'" in deploy["if"]
    assert deploy["environment"] == "production"
    assert "fork" in preview["if"]
    assert preview["needs"] == ["test", "psrule"]


def test_a_pull_request_uses_another_identity_without_write_rights() -> None:
    def client(job: str) -> str:
        (login,) = (step for step in WORKFLOW["jobs"][job]["steps"] if step.get("uses", "").startswith("azure/login@"))
        return str(login["with"]["client-id"])

    assert client("what-if") == "${{ vars.AZURE_PREVIEW_CLIENT_ID }}"
    assert client("deploy") == "${{ vars.AZURE_CLIENT_ID }}"
    assert "environment" not in WORKFLOW["jobs"]["what-if"]
    assert "--validation-level ProviderNoRbac" in " ".join(steps("what-if"))


def test_a_deployment_stops_if_the_parameters_differ_from_the_preview() -> None:
    preview, deploy = WORKFLOW["jobs"]["what-if"], WORKFLOW["jobs"]["deploy"]
    assert preview["outputs"] == {"shown": "${{ steps.preview.outputs.shown }}"}
    (step,) = (step for step in deploy["steps"] if "deployment group create" in step.get("run", ""))
    assert step["env"] == {"SHOWN": "${{ needs.what-if.outputs.shown }}"}
    compiled = '$(az bicep build-params --file "$PARAMETERS" --stdout | sha256sum)'
    assert f'echo "shown={compiled}"' in " ".join(steps("what-if"))
    before, _, after = step["run"].partition("az deployment group create")
    assert f'if [ "{compiled}" != "$SHOWN" ]' in before
    assert "exit 1" in before
    assert after


def test_the_parameter_file_reads_every_setting_with_its_default() -> None:
    defaults = {known.name: known.default for known in SETTINGS if known.name not in OWN}
    assert {name: READ.get(name) for name in defaults} == {**defaults, "B2B_SWEEP_SCHEDULE": READ["B2B_SWEEP_SCHEDULE"]}
    deployed = kept("defaults").app_settings
    assert {name: deployed[name] for name in defaults} == {name: READ[name] for name in defaults}


@pytest.mark.parametrize("job", ["what-if", "deploy"])
def test_the_workflow_passes_every_variable_of_the_parameter_file(job: str) -> None:
    given = {name: text for name, text in WORKFLOW["jobs"][job]["env"].items() if name in READ}
    assert given == {
        name: f"${{{{ vars.{name} || '{default}' }}}}" if default else f"${{{{ vars.{name} }}}}"
        for name, default in READ.items()
        if name not in OF_AZD
    }
    assert set(WORKFLOW["jobs"][job]["env"]) - set(READ) == {"RESOURCE_GROUP", "PARAMETERS"}


def compiled(compiler: Compiler, environment: dict[str, str]) -> dict[str, Any]:
    done = compiler.run("build-params", "main.bicepparam", "--stdout", environment=environment)
    assert (done.returncode, done.stderr) == (0, "")
    parameters = json.loads(json.loads(done.stdout)["parametersJson"])["parameters"]
    return {name: parameter["value"] for name, parameter in parameters.items()}


def test_every_variable_sets_a_parameter_of_the_right_type(compiler: Compiler) -> None:
    assert OTHER.keys() == READ.keys()
    plain, other = compiled(compiler, READ), compiled(compiler, OTHER)
    assert [name for name in plain if plain[name] == other[name]] == []
    assert len(plain) == len(READ)
    assert other["ruleOverrides"] == {"domain-not-allowed": "off"}
    assert other["resourceNames"] == {"functionApp": "func-contoso-b2b"}
    assert other["readers"] == [{"principalId": "44444444-0000-4000-8000-000000000003", "principalType": "Group"}]
    assert other["allowedRedirectHosts"] == ["portal.contoso.com", "myapps.microsoft.com"]
    assert (other["giveUpSeconds"], other["paused"], other["breakerShare"]) == (3600, True, "0.05")


def test_every_excluded_psrule_has_a_reason() -> None:
    text = (INFRA / "ps-rule.yaml").read_text("utf-8")
    excluded = yaml.safe_load(text)["rule"]["exclude"]
    block = text.split("exclude:")[1]
    assert excluded
    reasons = 0
    for line in block.strip().splitlines():
        reasons += line.strip().startswith("#")
        assert reasons, f"{line.strip()} has no reason above it"


def test_psrule_runs_with_a_pinned_version_and_baseline() -> None:
    shell = " ".join(" ".join(steps("psrule")).split())
    assert "PSRule.Rules.Azure -RequiredVersion 1.47.0" in shell
    # The newest that 1.47.0 brings: Azure/PSRule.Rules.Azure#3646.
    assert "-Baseline Azure.GA_2025_12" in shell


def test_common_environment_variables_do_not_change_parameters(compiler: Compiler) -> None:
    anyway = {"PYTHON_VERSION": "3.11.9", "NETWORK": "host", "ZONE_REDUNDANT": "yes", "LOCATION": "here"}
    assert compiled(compiler, {**READ, **anyway}) == compiled(compiler, READ)


@pytest.mark.parametrize("name", sorted(READ))
def test_a_variable_is_a_setting_or_starts_with_azure_or_deploy(name: str) -> None:
    settings = {known.name for known in SETTINGS}
    assert name in settings or name.startswith(("AZURE_", "DEPLOY_"))


@pytest.mark.parametrize("name", ["main.bicepparam", "production.sample.bicepparam"])
def test_parameter_files_deploy_in_mode_assess(name: str) -> None:
    text = (INFRA / name).read_text("utf-8")
    assert re.search(r"param mode = ('assess'|readEnvironmentVariable\('B2B_MODE', 'assess'\))", text)
    declared = set(re.findall(r"^param (\w+)", MAIN, re.MULTILINE))
    assert set(re.findall(r"^param (\w+)", text, re.MULTILINE)) <= declared
