"""Lists that are data: permissions for the grant, sample settings, variables of the workflow."""

import json
from typing import Any

from b2b.connection import STORAGE
from b2b.domain.eligibility.judge import PINNED, RULE_IDS
from b2b.domain.eligibility.permissions import READING, WRITING, Permission, rules_that_want
from b2b.domain.eligibility.rules import RULES
from b2b.domain.findings import Profile, Severity
from b2b.readers import CLOUDS
from b2b.settings import FUNCTIONS_PROCESS, SETTINGS
from reference.bicep import deployed

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
LOCAL = "UseDevelopmentStorage=true"


def graph_permissions() -> str:
    """infra/graph-permissions.json: what the template and the script grant."""
    document = {
        "graphAppId": GRAPH_APP_ID,
        "graphBaseUrls": list(CLOUDS),
        "overrides": {
            "severities": list(Severity),
            "onlyBlock": [rule for rule in RULE_IDS if rule in PINNED],
            "rules": list(RULE_IDS),
        },
        "rulesOff": {
            profile: [rule.id for rule in RULES if rule.severity(profile, {}) is Severity.OFF] for profile in Profile
        },
        "permissions": [_permission(row, "assess") for row in READING]
        + [_permission(row, "convert") for row in WRITING],
    }
    return _text(document)


def _permission(row: Permission, mode: str) -> dict[str, Any]:
    return {"value": row.value, "id": row.id, "mode": mode, "rules": [rule.id for rule in rules_that_want(row)]}


def local_settings() -> str:
    """local.settings.sample.json: the defaults, with storage on Azurite's usual ports."""
    values = {"AzureWebJobsStorage": LOCAL, FUNCTIONS_PROCESS: "python", STORAGE: LOCAL}
    return _text({"IsEncrypted": False, "Values": values | {row.name: row.suggested for row in SETTINGS}})


def workflow_variables() -> str:
    """The variables of the repository that fill in infra/main.bicepparam; an unset one comes as an empty text."""
    return "\n".join(
        f"{row.name}: ${{{{ vars.{row.name}{f' || {_quoted(row.suggested)}' if row.suggested else ''} }}}}"
        for row in deployed()
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
