"""What is deployed and by whom: azure.yaml, .funcignore, the workflow, the parameter files."""

import fnmatch
import re
from typing import Any

import pytest
import yaml

from tests.infra.bicep import INFRA, ROOT, kept

WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "deploy.yml").read_text("utf-8"))
MAIN = (INFRA / "main.bicep").read_text("utf-8")
DEPLOYED = {"function_app.py", "host.json", "requirements.txt", "b2b"}


def ignored(name: str, *, folder: bool) -> bool:
    lines = (ROOT / ".funcignore").read_text("utf-8").splitlines()
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return any(
        fnmatch.fnmatch(name, pattern.rstrip("/")) for pattern in patterns if folder or not pattern.endswith("/")
    )


def test_only_what_the_app_runs_is_deployed() -> None:
    made_by_tools = {"app.zip", "local.settings.json"}
    kept_files = {
        path.name
        for path in ROOT.iterdir()
        if path.name not in made_by_tools and not ignored(path.name, folder=path.is_dir())
    }
    assert kept_files == DEPLOYED
    assert ignored("local.settings.json", folder=False)
    assert ignored("__pycache__", folder=True)


def test_the_workflow_packs_the_same() -> None:
    (packing,) = (line for line in steps("deploy") if line.strip().startswith("zip "))
    assert set(packing.split("app.zip ")[1].split(" -x")[0].split()) == DEPLOYED


def steps(job: str) -> list[str]:
    """Every line of shell in a job."""
    return [line for step in WORKFLOW["jobs"][job]["steps"] for line in step.get("run", "").splitlines()]


def test_azd_finds_template_code_and_site() -> None:
    project = yaml.safe_load((ROOT / "azure.yaml").read_text("utf-8"))
    (service,) = project["services"]
    assert project["services"][service] == {"project": ".", "language": "python", "host": "function"}
    assert (ROOT / project["infra"]["path"] / f"{project['infra']['module']}.bicep").exists()
    deployment = kept("defaults")
    assert deployment.one("Microsoft.Web/sites")["tags"]["azd-service-name"] == service
    assert all(resource["tags"]["azd-env-name"] for resource in deployment.resources if "tags" in resource)


def test_the_versions_of_python_that_may_be_chosen_are_those_that_are_tested() -> None:
    found = re.search(r"param pythonVersion (.*) = '([\d.]+)'", MAIN)
    assert found is not None
    offered = [version.strip(" '") for version in found[1].split("|")]
    assert offered == WORKFLOW["jobs"]["test"]["strategy"]["matrix"]["python"]
    floor = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text("utf-8"))
    assert floor is not None
    assert found[2] == floor[1] == min(offered, key=lambda version: tuple(map(int, version.split("."))))


@pytest.mark.parametrize("job", sorted(WORKFLOW["jobs"]))
def test_a_job_has_the_least_rights_a_limit_and_pinned_actions(job: str) -> None:
    body = WORKFLOW["jobs"][job]
    rights = body.get("permissions", WORKFLOW["permissions"])
    uses = [step["uses"] for step in body["steps"] if "uses" in step]
    logs_in = any(use.startswith("azure/login@") for use in uses)
    assert rights == {"contents": "read", **({"id-token": "write"} if logs_in else {})}
    assert body["timeout-minutes"] <= 45
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", use) for use in uses)


def test_the_workflow_has_no_secret_and_reads_nothing_of_a_pull_request_into_a_shell() -> None:
    text = (ROOT / ".github" / "workflows" / "deploy.yml").read_text("utf-8")
    assert "secrets." not in text
    shells = [line for job in WORKFLOW["jobs"] for line in steps(job)]
    assert [line for line in shells if "${{" in line] == []


def test_nothing_is_deployed_from_a_pull_request_or_before_it_was_shown() -> None:
    deploy, preview = WORKFLOW["jobs"]["deploy"], WORKFLOW["jobs"]["what-if"]
    assert deploy["needs"] == "what-if"
    assert "github.event_name != 'pull_request'" in deploy["if"]
    assert deploy["environment"] == "production"
    assert "fork" in preview["if"]
    assert preview["needs"] == ["test", "psrule"]


def test_every_psrule_that_is_left_out_is_one_of_the_reasoned_list() -> None:
    text = (INFRA / "ps-rule.yaml").read_text("utf-8")
    excluded = yaml.safe_load(text)["rule"]["exclude"]
    block = text.split("exclude:")[1]
    assert excluded
    reasons = 0
    for line in block.strip().splitlines():
        reasons += line.strip().startswith("#")
        assert reasons, f"{line.strip()} has no reason above it"


@pytest.mark.parametrize("name", ["main.bicepparam", "production.sample.bicepparam"])
def test_parameter_files_deploy_in_assess(name: str) -> None:
    text = (INFRA / name).read_text("utf-8")
    assert re.search(r"param mode = ('assess'|readEnvironmentVariable\('B2B_MODE', 'assess'\))", text)
    declared = set(re.findall(r"^param (\w+)", MAIN, re.MULTILINE))
    assert set(re.findall(r"^param (\w+)", text, re.MULTILINE)) <= declared
