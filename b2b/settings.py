"""The environment, read once into one frozen value and checked at start.

`SETTINGS` is the list that README, local.settings.sample.json and the deployment are compared with.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from b2b import readers
from b2b.domain.errors import SettingsError
from b2b.domain.findings import Profile, Severity

SECRET = re.compile(r"key=|sig=|signature=|://[^/]*@", re.IGNORECASE)
"""A value that may hold a secret, put into the wrong setting: it is not repeated in the error."""
STORAGE = "B2BStorage"
"""The name of the storage connection: a connection string, or the prefix of the identity-based settings."""
FUNCTIONS_PROCESS = "FUNCTIONS_WORKER_RUNTIME"
"""Set in every Functions process, in Azure and on a laptop."""


class Mode(StrEnum):
    """Whether the app may change the directory."""

    ASSESS = "assess"
    CONVERT = "convert"


@dataclass(frozen=True)
class Storage:
    """Where queues and tables are: a connection string, or two endpoints that the managed identity opens."""

    connection_string: str = ""
    queue_uri: str = ""
    table_uri: str = ""
    client_id: str = ""


@dataclass(frozen=True)
class Settings:
    """What the app runs with. Times are in seconds."""

    storage: Storage
    client_id: str
    graph_base_url: str
    mode: Mode
    profile: Profile
    rule_overrides: Mapping[str, Severity]
    redirect_url: str
    redirect_hosts: frozenset[str]
    send_message: bool
    sweep_schedule: str
    excluded_group: str | None
    graph_timeout: float
    replication_window: float
    tenant_facts_lifetime: float
    assessment_lifetime: float
    give_up_after: float
    paused: bool
    breaker_share: float
    breaker_window: float


@dataclass(frozen=True)
class Setting:
    """One environment variable: its default, what it means, and how its text becomes a value."""

    name: str
    default: str | None
    meaning: str
    read: Callable[[str], Any]


_DAY = 86_400.0

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "AZURE_CLIENT_ID", "", "client id of the user-assigned managed identity; empty: system-assigned", readers.guid
    ),
    Setting("GRAPH_BASE_URL", "https://graph.microsoft.com/v1.0", "Microsoft Graph of your cloud", readers.graph_url),
    Setting("B2B_MODE", "assess", "`assess` writes nothing to Graph; `convert` invites", readers.choice(Mode)),
    Setting("B2B_ELIGIBILITY_PROFILE", "current", "edition of the rules: `current` or `2020`", readers.choice(Profile)),
    Setting("B2B_RULE_OVERRIDES", "{}", "JSON, rule id to block, fix, review, warn, info or off", readers.overrides),
    Setting(
        "B2B_INVITE_REDIRECT_URL",
        "https://myapps.microsoft.com?tenantId=",
        "where a person lands after redemption; an empty `tenantId=` is filled in",
        readers.redirect,
    ),
    Setting(
        "B2B_ALLOWED_REDIRECT_HOSTS",
        "myapps.microsoft.com",
        "hosts that a request's `inviteRedirectUrl` may name, separated by commas",
        readers.hosts,
    ),
    Setting("B2B_SEND_INVITATION_MESSAGE", "true", "whether Microsoft sends its mail by default", readers.boolean),
    Setting("B2B_SWEEP_SCHEDULE", None, "NCRONTAB schedule of the sweep, UTC, six fields", readers.schedule),
    Setting("B2B_EXCLUDED_GROUP_ID", "", "accounts in this group are never converted; empty: none", readers.guid),
    Setting("B2B_GRAPH_TIMEOUT_SECONDS", "30", "longest wait for one answer of Graph", readers.seconds(1, 120)),
    Setting(
        "B2B_REPLICATION_WINDOW_SECONDS",
        "300",
        "how long a read may lag behind a write; a second invitation waits at least this long",
        readers.seconds(0, _DAY),
    ),
    Setting(
        "B2B_TENANT_FACTS_SECONDS",
        "600",
        "how long domains and policies are kept before they are read again",
        readers.seconds(0, _DAY),
    ),
    Setting(
        "B2B_ASSESSMENT_SECONDS",
        "900",
        "how long a parked request's assessment holds; after that it is assessed again before anything is sent",
        readers.seconds(0, _DAY),
    ),
    Setting(
        "B2B_GIVE_UP_SECONDS",
        "86400",
        "how long a request may go without progress before it ends as failed",
        readers.seconds(60, 7 * _DAY),
    ),
    Setting(
        "B2B_PAUSED", "false", "the stop switch: while true, requests wait and nothing is invited", readers.boolean
    ),
    Setting(
        "B2B_BREAKER_SHARE",
        "0.5",
        "when more than this share of a window's invitations fails, all inviting pauses; 1: never",
        readers.share,
    ),
    Setting(
        "B2B_BREAKER_WINDOW_SECONDS",
        "300",
        "length of that window, and of the pause before one invitation probes",
        readers.seconds(10, _DAY),
    ),
)
STORAGE_SETTINGS = (
    STORAGE,
    f"{STORAGE}__queueServiceUri",
    f"{STORAGE}__tableServiceUri",
    f"{STORAGE}__credential",
    f"{STORAGE}__clientId",
)


def load(environment: Mapping[str, str]) -> Settings:
    """Read and check every setting.

    Raises:
        SettingsError: names the first setting that is missing or wrong.

    """
    values = {setting.name: _value(setting, environment) for setting in SETTINGS}
    least = values["B2B_REPLICATION_WINDOW_SECONDS"] + values["B2B_GRAPH_TIMEOUT_SECONDS"]
    if values["B2B_GIVE_UP_SECONDS"] < least:
        raise SettingsError(
            "B2B_GIVE_UP_SECONDS", f"expected at least {least:g}: the replication window and Graph's timeout together"
        )
    overrides = dict(values["B2B_RULE_OVERRIDES"])
    if not values["B2B_EXCLUDED_GROUP_ID"]:
        overrides["excluded-group"] = Severity.OFF
    return Settings(
        storage=_storage(environment),
        client_id=values["AZURE_CLIENT_ID"],
        graph_base_url=values["GRAPH_BASE_URL"],
        mode=values["B2B_MODE"],
        profile=values["B2B_ELIGIBILITY_PROFILE"],
        rule_overrides=overrides,
        redirect_url=values["B2B_INVITE_REDIRECT_URL"],
        redirect_hosts=values["B2B_ALLOWED_REDIRECT_HOSTS"],
        send_message=values["B2B_SEND_INVITATION_MESSAGE"],
        sweep_schedule=values["B2B_SWEEP_SCHEDULE"],
        excluded_group=values["B2B_EXCLUDED_GROUP_ID"] or None,
        graph_timeout=values["B2B_GRAPH_TIMEOUT_SECONDS"],
        replication_window=values["B2B_REPLICATION_WINDOW_SECONDS"],
        tenant_facts_lifetime=values["B2B_TENANT_FACTS_SECONDS"],
        assessment_lifetime=values["B2B_ASSESSMENT_SECONDS"],
        give_up_after=values["B2B_GIVE_UP_SECONDS"],
        paused=values["B2B_PAUSED"],
        breaker_share=values["B2B_BREAKER_SHARE"],
        breaker_window=values["B2B_BREAKER_WINDOW_SECONDS"],
    )


def _value(setting: Setting, environment: Mapping[str, str]) -> Any:
    text = environment.get(setting.name, "").strip() or setting.default
    if text is None:
        raise SettingsError(setting.name, f"missing: {setting.meaning}")
    return _read(setting.name, text, setting.read)


def _read(name: str, text: str, reader: Callable[[str], Any]) -> Any:
    try:
        return reader(text)
    except ValueError as error:
        said = str(error).partition(", got")[0] if SECRET.search(text) else str(error)
        raise SettingsError(name, said) from None


def _storage(environment: Mapping[str, str]) -> Storage:
    """Either form of the connection. Its values are never repeated in an error: a key may stand in the wrong place."""
    if connection_string := environment.get(STORAGE, "").strip():
        return Storage(connection_string=_read(STORAGE, connection_string, readers.connection_string))
    queue_uri, table_uri = (
        environment.get(f"{STORAGE}__{service}ServiceUri", "").strip() for service in ("queue", "table")
    )
    if not queue_uri and not table_uri:
        raise SettingsError(
            STORAGE, f"missing: a connection string, or {STORAGE}__queueServiceUri and {STORAGE}__tableServiceUri"
        )
    for service, uri in (("queue", queue_uri), ("table", table_uri)):
        if urlsplit(uri).scheme != "https" or not urlsplit(uri).hostname:
            raise SettingsError(f"{STORAGE}__{service}ServiceUri", "expected an https address")
    if environment.get(f"{STORAGE}__credential", "").strip() not in {"", "managedidentity"}:
        raise SettingsError(f"{STORAGE}__credential", "expected managedidentity")
    client_id = environment.get(f"{STORAGE}__clientId", "").strip() or environment.get("AZURE_CLIENT_ID", "").strip()
    return Storage(queue_uri=queue_uri, table_uri=table_uri, client_id=client_id)
