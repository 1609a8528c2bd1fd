"""Write the generated data files: permissions to grant, sample settings, and the variables of the workflow."""

import json
from typing import Any
from uuid import UUID, uuid5

from b2b.api.callers import MEANING
from b2b.connection import STORAGE
from b2b.domain.eligibility.judge import PINNED, RULE_IDS
from b2b.domain.eligibility.permissions import AUDITING, COMPARING, READING, WRITING, Permission, rules_that_want
from b2b.domain.eligibility.rules import RULES
from b2b.domain.findings import Profile, Severity
from b2b.readers import CLOUDS
from b2b.settings import FUNCTIONS_PROCESS, SETTINGS
from reference.bicep import deployed

ROLES = UUID("6a0e4f6e-6f0f-5d0c-9d55-3f0c1b6f7a11")
"""The namespace from which a role's name gives its id. So users keep a role as long as its name stays the same."""
SCOPE = "user_impersonation"
COMMAND_LINES = {
    "04b07795-8ddb-461a-bbee-02f9e1bf7b46": "Azure CLI",
    "1950a258-227b-4e31-a9cf-717495945fc2": "Azure PowerShell",
}
"""Client ids of Microsoft's command-line tools. They may get a token for a person without asking for consent."""
GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
LOCAL = "UseDevelopmentStorage=true"


def graph_permissions() -> str:
    """Return infra/graph-permissions.json, which lists what the template and the scripts grant."""
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
        + [_permission(row, "convert") for row in WRITING]
        + [_permission(row, "compare") for row in COMPARING]
        + [_permission(row, "audit") for row in AUDITING],
    }
    return _text(document)


def _permission(row: Permission, mode: str) -> dict[str, Any]:
    return {"value": row.value, "id": row.id, "mode": mode, "rules": [rule.id for rule in rules_that_want(row)]}


def sign_in() -> str:
    """Return infra/sign-in.json: the registration of the app as the template and the script create it."""
    roles = [
        {
            "id": str(uuid5(ROLES, role.value)),
            "value": role.value,
            "displayName": role.value,
            "description": text,
            "allowedMemberTypes": ["User", "Application"],
            "isEnabled": True,
        }
        for role, text in MEANING.items()
    ]
    scope = {
        "id": str(uuid5(ROLES, SCOPE)),
        "value": SCOPE,
        "type": "User",
        "adminConsentDisplayName": "Use the app as the person who signed in",
        "adminConsentDescription": "What a person may do with it is decided by the roles that the person holds.",
        "isEnabled": True,
    }
    document = {
        "roles": roles,
        "scope": scope,
        "optionalClaims": {"accessToken": [{"name": "idtyp"}]},
        "commandLines": list(COMMAND_LINES),
    }
    return _text(document)


def local_settings() -> str:
    """Return local.settings.sample.json: the default settings, with Azurite on its usual ports as storage."""
    values = {"AzureWebJobsStorage": LOCAL, FUNCTIONS_PROCESS: "python", STORAGE: LOCAL}
    return _text({"IsEncrypted": False, "Values": values | {row.name: row.suggested for row in SETTINGS}})


def workflow_variables() -> str:
    """Return the repository variables that fill in infra/main.bicepparam. Unset variables arrive as empty texts."""
    return "\n".join(
        f"{row.name}: ${{{{ vars.{row.name}{f' || {_quoted(row.suggested)}' if row.suggested else ''} }}}}"
        for row in deployed()
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
