"""Read the settings from the environment once, at start, and check them.

docs/reference/settings.md, local.settings.sample.json and the lists in infra and the workflow are generated from here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from b2b import readers
from b2b.connection import Storage, read, storage_of
from b2b.domain.conversion.tenant_fact import Shows
from b2b.domain.eligibility.rules import RULES
from b2b.domain.errors import SettingsError
from b2b.domain.findings import Profile, Severity

PLATFORM_SIGNS_IN = "WEBSITE_AUTH_ENABLED"
"""App Service sets this variable to `True` or `False`: whether its authentication is on."""
FUNCTIONS_PROCESS = "FUNCTIONS_WORKER_RUNTIME"
"""This variable is set in every Functions process, in Azure and on a laptop."""


class Mode(StrEnum):
    """Whether the app may change the directory."""

    ASSESS = "assess"
    CONVERT = "convert"


@dataclass(frozen=True)
class Settings:
    """The settings of the app. Durations are in seconds."""

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
    scope_group: str | None
    copy_domains: frozenset[str]
    public_url: str
    sign_in: bool
    self_approval: bool
    stated_decisions: bool
    graph_timeout: float
    replication_window: float
    tenant_facts_lifetime: float
    assessment_lifetime: float
    give_up_after: float
    cloud_accounts_show: Shows
    synced_accounts_show: Shows
    paused: bool
    invitations_per_minute: int
    breaker_share: float
    breaker_window: float
    purge_after_days: int
    compare_access: bool
    compare_deadline: float
    read_audit_log: bool


@dataclass(frozen=True)
class Setting:
    """One environment variable. All lists of settings are generated from these rows.

    ``default``: None if the variable is required. ``sample``: the value in the sample file and in new deployments.
    """

    field: str
    name: str
    default: str | None
    meaning: str
    read: Callable[[str], Any]
    sample: str | None = None

    @property
    def suggested(self) -> str:
        """The value for the sample file or a new deployment."""
        return self.sample or self.default or ""


_DAY = 86_400

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "client_id",
        "AZURE_CLIENT_ID",
        "",
        "client id of the user-assigned managed identity for Graph; empty: system-assigned",
        readers.guid,
    ),
    Setting(
        "graph_base_url",
        "GRAPH_BASE_URL",
        "https://graph.microsoft.com/v1.0",
        "Microsoft Graph of your cloud; plain http for loopback only",
        readers.graph_url,
    ),
    Setting(
        "mode",
        "B2B_MODE",
        "assess",
        "`assess` judges every request and writes nothing to Graph; `convert` invites. A conversion cannot be undone, "
        "so switch to `convert` deliberately",
        readers.Choice(Mode),
    ),
    Setting(
        "profile",
        "B2B_ELIGIBILITY_PROFILE",
        "current",
        "edition of the rules: `current` (Microsoft's article of 2026) or `2020` (the original)",
        readers.Choice(Profile),
    ),
    Setting(
        "rule_overrides",
        "B2B_RULE_OVERRIDES",
        "{}",
        "JSON object of rule ids with `block`, `fix`, `review`, `warn`, `info` or `off`, to change a rule's severity",
        readers.overrides,
    ),
    Setting(
        "redirect_url",
        "B2B_INVITE_REDIRECT_URL",
        "https://myapps.microsoft.com?tenantId=",
        "where a person lands after redemption; the app fills in an empty `tenantId=`",
        readers.redirect,
    ),
    Setting(
        "redirect_hosts",
        "B2B_ALLOWED_REDIRECT_HOSTS",
        "myapps.microsoft.com",
        "hosts that a request's `inviteRedirectUrl` may name, separated by commas",
        readers.hosts,
    ),
    Setting(
        "send_message",
        "B2B_SEND_INVITATION_MESSAGE",
        "true",
        "whether Microsoft sends the invitation mail if a request does not say",
        readers.boolean,
    ),
    Setting(
        "sweep_schedule",
        "B2B_SWEEP_SCHEDULE",
        None,
        "NCRONTAB schedule of the sweep, six fields, UTC, such as `0 */10 * * * *`",
        readers.schedule,
        "0 */10 * * * *",
    ),
    Setting(
        "excluded_group",
        "B2B_EXCLUDED_GROUP_ID",
        "",
        "object id of the group whose members, also nested ones, are never converted; empty: no group",
        readers.optional_guid,
    ),
    Setting(
        "scope_group",
        "B2B_SCOPE_GROUP_ID",
        "",
        "object id of the group to whose members, also nested ones, conversions are limited; empty: no limit",
        readers.optional_guid,
    ),
    Setting(
        "copy_domains",
        "B2B_ALLOWED_COPY_DOMAINS",
        "",
        "domains to which a copy of the invitation mail may go without review, separated by commas; empty: the "
        "tenant's verified domains",
        readers.domains,
    ),
    Setting(
        "public_url",
        "B2B_PUBLIC_URL",
        "",
        "where callers reach the app if a gateway stands in front of it, such as `https://api.contoso.com`; empty: the "
        "app's own host name",
        readers.base_url,
    ),
    Setting(
        "sign_in",
        "B2B_SIGN_IN",
        "false",
        "`true` only if App Service authentication protects the app: callers sign in with Microsoft Entra ID and have "
        "roles; `false`: callers use a function key",
        readers.boolean,
    ),
    Setting(
        "self_approval",
        "B2B_SELF_APPROVAL",
        "false",
        "with sign-in, whether a person may approve their own requests",
        readers.boolean,
    ),
    Setting(
        "stated_decisions",
        "B2B_STATED_DECISIONS",
        "false",
        "with sign-in, whether an application with the role `Decide` may pass on the decision of a named person",
        readers.boolean,
    ),
    Setting(
        "graph_timeout",
        "B2B_GRAPH_TIMEOUT_SECONDS",
        "30",
        "longest wait for one answer from Graph",
        readers.Seconds(1, 120),
    ),
    Setting(
        "replication_window",
        "B2B_REPLICATION_WINDOW_SECONDS",
        "300",
        "how long a read of Graph may lag behind a write; a second invitation waits at least this long",
        readers.Seconds(0, _DAY),
    ),
    Setting(
        "tenant_facts_lifetime",
        "B2B_TENANT_FACTS_SECONDS",
        "600",
        "how long the app keeps domains and policies before it reads them again",
        readers.Seconds(0, _DAY),
    ),
    Setting(
        "assessment_lifetime",
        "B2B_ASSESSMENT_SECONDS",
        "900",
        "how long the assessment of a parked request (one put back on the queue to wait) is valid; after that, the app "
        "assesses again before it sends anything; `0`: it always assesses again",
        readers.Seconds(0, _DAY),
    ),
    Setting(
        "give_up_after",
        "B2B_GIVE_UP_SECONDS",
        "86400",
        "how long a request may go without progress before it ends as `failed`, decided when it has to wait again; "
        "waiting for the stop switch or in `assess` does not count",
        readers.Seconds(60, 7 * _DAY),
    ),
    Setting(
        "cloud_accounts_show",
        "B2B_CLOUD_ACCOUNTS_SHOW_PENDING",
        "unknown",
        "whether a cloud-only account shows `PendingAcceptance` until its person redeems: `shows`, `does not show` or "
        "`unknown`; the probe finds out, and the app's own observations override it",
        readers.Choice(Shows),
    ),
    Setting(
        "synced_accounts_show",
        "B2B_SYNCED_ACCOUNTS_SHOW_PENDING",
        "unknown",
        "as `B2B_CLOUD_ACCOUNTS_SHOW_PENDING`, for an account that is synchronized from Active Directory",
        readers.Choice(Shows),
    ),
    Setting(
        "paused",
        "B2B_PAUSED",
        "false",
        "the stop switch: while `true`, requests wait and the app sends no invitation",
        readers.boolean,
    ),
    Setting(
        "invitations_per_minute",
        "B2B_INVITATIONS_PER_MINUTE",
        "1200",
        "how many invitations the app sends per minute, all instances together; Graph allows 1800 for all applications "
        "of a tenant. `0`: the app sets no limit",
        readers.Count(0, 1800),
    ),
    Setting(
        "breaker_share",
        "B2B_BREAKER_SHARE",
        "0.5",
        "the breaker: if more than this share of a window's invitations (at least five) fails, the app pauses all "
        "invitations; `1`: never",
        readers.share,
    ),
    Setting(
        "breaker_window",
        "B2B_BREAKER_WINDOW_SECONDS",
        "300",
        "length of the breaker's window, and of the pause before one invitation probes",
        readers.Seconds(10, _DAY),
    ),
    Setting(
        "purge_after_days",
        "B2B_PURGE_AFTER_DAYS",
        "0",
        "after how many days the sweep deletes a request that has ended; `0`: never. Conversions are never deleted",
        readers.Days(7, 3650),
    ),
    Setting(
        "compare_access",
        "B2B_COMPARE_ACCESS",
        "true",
        "in `convert`, whether the app stores what the directory grants an account, and compares it after redemption",
        readers.boolean,
    ),
    Setting(
        "compare_deadline",
        "B2B_COMPARE_DEADLINE_SECONDS",
        "86400",
        "how long after a redemption the app compares before a difference goes to a person",
        readers.Seconds(600, 30 * _DAY),
    ),
    Setting(
        "read_audit_log",
        "B2B_READ_AUDIT_LOG",
        "false",
        "in `convert`, while it compares, whether the app reads from the tenant's audit log who redeemed",
        readers.boolean,
    ),
)


def load(environment: Mapping[str, str]) -> Settings:
    """Read and check every setting.

    Raises:
        SettingsError: a setting is missing or wrong; the error names the first such setting.

    """
    values = {setting.field: _value(setting, environment) for setting in SETTINGS}
    least = values["replication_window"] + values["graph_timeout"]
    if values["give_up_after"] < least:
        raise SettingsError(
            "B2B_GIVE_UP_SECONDS", f"expected at least {least:g}: the replication window and Graph's timeout together"
        )
    if values["sign_in"] and environment.get(PLATFORM_SIGNS_IN, "").lower() == "false":
        raise SettingsError(
            "B2B_SIGN_IN", "expected App Service authentication to be on, but it is off: no caller would be checked"
        )
    without_setting = (rule.id for rule in RULES if rule.only_with and not values[rule.only_with])
    values["rule_overrides"] = {**values["rule_overrides"], **dict.fromkeys(without_setting, Severity.OFF)}
    return Settings(storage=storage_of(environment), **values)


def _value(setting: Setting, environment: Mapping[str, str]) -> Any:
    text = environment.get(setting.name, "").strip() or setting.default
    if text is None:
        raise SettingsError(setting.name, f"missing: {setting.meaning}")
    return read(setting.name, text, setting.read)
