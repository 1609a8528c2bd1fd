"""Every setting with good and bad values; an error names the setting and repeats no secret."""

from typing import Any

import pytest

from b2b.connection import STORAGE_SETTINGS, Storage
from b2b.domain.conversion.tenant_fact import Shows
from b2b.domain.errors import SettingsError
from b2b.domain.findings import Severity
from b2b.settings import SETTINGS, Settings, load

KEY = "c2VjcmV0LWtleS1vZi10aGUtYWNjb3VudA=="
CONNECTION = f"DefaultEndpointsProtocol=https;AccountName=contoso;AccountKey={KEY};EndpointSuffix=core.windows.net"
LEAST = {"B2BStorage": CONNECTION, "B2B_SWEEP_SCHEDULE": "0 */10 * * * *"}
GROUP = "D3B2C5E6-3f4a-4b7c-8d8e-9f0a1b2c3d4e"
IDENTITY_BASED = {
    "B2BStorage__queueServiceUri": "https://contoso.queue.core.windows.net",
    "B2BStorage__tableServiceUri": "https://contoso.table.core.windows.net",
}


def loaded(**changes: str) -> Settings:
    return load({**LEAST, **changes})


def wrong(environment: dict[str, str]) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        load(environment)
    return caught.value


def test_the_minimal_environment_gives_the_documented_defaults() -> None:
    settings = load(LEAST)
    assert settings == Settings(
        storage=Storage(connection_string=CONNECTION),
        client_id="",
        graph_base_url="https://graph.microsoft.com/v1.0",
        mode=settings.mode,
        profile=settings.profile,
        rule_overrides={"excluded-group": Severity.OFF, "outside-scope": Severity.OFF},
        redirect_url="https://myapps.microsoft.com?tenantId=",
        redirect_hosts=frozenset({"myapps.microsoft.com"}),
        send_message=True,
        sweep_schedule="0 */10 * * * *",
        excluded_group=None,
        scope_group=None,
        copy_domains=frozenset(),
        public_url="",
        sign_in=False,
        self_approval=False,
        stated_decisions=False,
        graph_timeout=30.0,
        replication_window=300.0,
        tenant_facts_lifetime=600.0,
        assessment_lifetime=900.0,
        give_up_after=86_400.0,
        cloud_accounts_show=Shows.UNKNOWN,
        synced_accounts_show=Shows.UNKNOWN,
        paused=False,
        invitations_per_minute=1200,
        breaker_share=0.5,
        breaker_window=300.0,
        purge_after_days=0,
        compare_access=True,
        compare_deadline=86_400.0,
        read_audit_log=False,
    )
    assert (settings.mode, settings.profile) == ("assess", "current")


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("AZURE_CLIENT_ID", GROUP, "client_id", GROUP.lower()),
        ("GRAPH_BASE_URL", "https://graph.microsoft.us/v1.0", "graph_base_url", "https://graph.microsoft.us/v1.0"),
        ("GRAPH_BASE_URL", "http://127.0.0.1:8400/v1.0", "graph_base_url", "http://127.0.0.1:8400/v1.0"),
        ("GRAPH_BASE_URL", "http://[::1]:8400/v1.0", "graph_base_url", "http://[::1]:8400/v1.0"),
        ("GRAPH_BASE_URL", "http://localhost:8400/v1.0", "graph_base_url", "http://localhost:8400/v1.0"),
        ("B2B_MODE", "convert", "mode", "convert"),
        ("B2B_MODE", " assess ", "mode", "assess"),
        ("B2B_ELIGIBILITY_PROFILE", "2020", "profile", "2020"),
        ("B2B_INVITE_REDIRECT_URL", "https://contoso.com/x", "redirect_url", "https://contoso.com/x"),
        ("B2B_ALLOWED_REDIRECT_HOSTS", "A.example, b.example,", "redirect_hosts", {"a.example", "b.example"}),
        ("B2B_SEND_INVITATION_MESSAGE", "False", "send_message", False),
        ("B2B_SEND_INVITATION_MESSAGE", "1", "send_message", True),
        ("B2B_SWEEP_SCHEDULE", "0 0 6-20/2 * * Mon-Fri", "sweep_schedule", "0 0 6-20/2 * * Mon-Fri"),
        ("B2B_EXCLUDED_GROUP_ID", GROUP, "excluded_group", GROUP.lower()),
        ("B2B_SCOPE_GROUP_ID", GROUP, "scope_group", GROUP.lower()),
        ("B2B_ALLOWED_COPY_DOMAINS", "Contoso.com, fabrikam.com", "copy_domains", {"contoso.com", "fabrikam.com"}),
        ("B2B_PUBLIC_URL", "https://api.contoso.com", "public_url", "https://api.contoso.com"),
        ("B2B_PUBLIC_URL", "https://api.contoso.com/b2b/", "public_url", "https://api.contoso.com/b2b"),
        ("B2B_GRAPH_TIMEOUT_SECONDS", "1", "graph_timeout", 1.0),
        ("B2B_GRAPH_TIMEOUT_SECONDS", "120", "graph_timeout", 120.0),
        ("B2B_REPLICATION_WINDOW_SECONDS", "0", "replication_window", 0.0),
        ("B2B_TENANT_FACTS_SECONDS", "0.5", "tenant_facts_lifetime", 0.5),
        ("B2B_ASSESSMENT_SECONDS", "0", "assessment_lifetime", 0.0),
        ("B2B_GIVE_UP_SECONDS", "604800", "give_up_after", 604_800.0),
    ],
)
def test_a_valid_value_is_read(name: str, text: str, field: str, value: Any) -> None:
    assert getattr(loaded(**{name: text}), field) == value


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("AZURE_CLIENT_ID", "my-identity", "GUID"),
        ("GRAPH_BASE_URL", "graph.microsoft.com", "https://<host>/v1.0"),
        ("GRAPH_BASE_URL", "https://graph.microsoft.com", "https://<host>/v1.0"),
        ("GRAPH_BASE_URL", "https://graph.microsoft.com/beta", "https://<host>/v1.0"),
        ("GRAPH_BASE_URL", "https://graph.microsoft.com/v1.0?x=1", "https://<host>/v1.0"),
        ("GRAPH_BASE_URL", "http://graph.microsoft.com/v1.0", "loopback"),
        ("GRAPH_BASE_URL", "http://127.0.0.1.evil.example/v1.0", "loopback"),
        ("GRAPH_BASE_URL", "http://localhost@evil.example/v1.0", "https://<host>/v1.0"),
        ("GRAPH_BASE_URL", "ftp://127.0.0.1/v1.0", "https"),
        ("GRAPH_BASE_URL", "https://[/v1.0", ""),
        ("B2B_MODE", "Convert", "assess, convert"),
        ("B2B_MODE", "on", "assess, convert"),
        ("B2B_ELIGIBILITY_PROFILE", "2021", "current, 2020"),
        ("B2B_RULE_OVERRIDES", "account-disabled=off", "JSON"),
        ("B2B_RULE_OVERRIDES", "[]", "JSON object"),
        ("B2B_RULE_OVERRIDES", '{"account-disabled": "off", "account-disabled": "block"}', "account-disabled is given"),
        ("B2B_RULE_OVERRIDES", '{"no-such-rule": "off"}', "no-such-rule"),
        ("B2B_RULE_OVERRIDES", '{"account-disabled": "ignore"}', "account-disabled"),
        ("B2B_RULE_OVERRIDES", '{"account-disabled": 1}', "account-disabled"),
        ("B2B_RULE_OVERRIDES", '{"account-disabled": ["off"]}', "account-disabled"),
        ("B2B_RULE_OVERRIDES", '{"fact-not-readable": "off"}', "fact-not-readable"),
        ("B2B_RULE_OVERRIDES", '{"already-external": "warn"}', "already-external"),
        ("B2B_RULE_OVERRIDES", '{"invitation-pending": "off"}', "invitation-pending"),
        ("B2B_RULE_OVERRIDES", '{"account-not-found": "review"}', "account-not-found"),
        ("B2B_RULE_OVERRIDES", '{"account-ambiguous": "info"}', "account-ambiguous"),
        ("B2B_INVITE_REDIRECT_URL", "myapps.microsoft.com", "https URL"),
        ("B2B_INVITE_REDIRECT_URL", "https://myapps.microsoft.com:443", "port"),
        ("B2B_ALLOWED_REDIRECT_HOSTS", "https://myapps.microsoft.com", "host names"),
        ("B2B_ALLOWED_REDIRECT_HOSTS", "*.microsoft.com", "host names"),
        ("B2B_ALLOWED_REDIRECT_HOSTS", ",", "host names"),
        ("B2B_ALLOWED_REDIRECT_HOSTS", "a.example b.example", "host names"),
        ("B2B_SEND_INVITATION_MESSAGE", "yes", "true or false"),
        ("B2B_SWEEP_SCHEDULE", "*/10 * * * *", "six NCRONTAB fields"),
        ("B2B_SWEEP_SCHEDULE", "", "missing"),
        ("B2B_EXCLUDED_GROUP_ID", "Emergency access", "GUID"),
        ("B2B_SCOPE_GROUP_ID", "Partners", "GUID"),
        ("B2B_ALLOWED_COPY_DOMAINS", "@contoso.com", "host names"),
        ("B2B_PUBLIC_URL", "api.contoso.com", "https://<host>"),
        ("B2B_PUBLIC_URL", "http://api.contoso.com", "https://<host>"),
        ("B2B_PUBLIC_URL", "https://api.contoso.com?code=x", "https://<host>"),
        ("B2B_GRAPH_TIMEOUT_SECONDS", "0", "1 to 120"),
        ("B2B_GRAPH_TIMEOUT_SECONDS", "121", "1 to 120"),
        ("B2B_GRAPH_TIMEOUT_SECONDS", "nan", "1 to 120"),
        ("B2B_GRAPH_TIMEOUT_SECONDS", "half a minute", "number of seconds"),
        ("B2B_REPLICATION_WINDOW_SECONDS", "-1", "0 to 86400"),
        ("B2B_TENANT_FACTS_SECONDS", "inf", "0 to 86400"),
        ("B2B_ASSESSMENT_SECONDS", "86401", "0 to 86400"),
        ("B2B_GIVE_UP_SECONDS", "59", "60 to 604800"),
        ("B2B_CLOUD_ACCOUNTS_SHOW_PENDING", "perhaps", "one of unknown, shows, does not show"),
        ("B2B_SYNCED_ACCOUNTS_SHOW_PENDING", "yes", "one of unknown, shows, does not show"),
        ("B2B_PAUSED", "perhaps", "true or false"),
        ("B2B_SIGN_IN", "easy", "true or false"),
        ("B2B_SELF_APPROVAL", "never", "true or false"),
        ("B2B_STATED_DECISIONS", "some", "true or false"),
        ("B2B_INVITATIONS_PER_MINUTE", "1801", "a whole number from 0 to 1800"),
        ("B2B_INVITATIONS_PER_MINUTE", "-1", "a whole number from 0 to 1800"),
        ("B2B_INVITATIONS_PER_MINUTE", "0.5", "a whole number from 0 to 1800"),
        ("B2B_INVITATIONS_PER_MINUTE", "\N{SUPERSCRIPT TWO}", "a whole number from 0 to 1800"),
        ("B2B_BREAKER_SHARE", "0", "above 0 and up to 1"),
        ("B2B_BREAKER_SHARE", "nan", "above 0 and up to 1"),
        ("B2B_BREAKER_SHARE", "half", "a share such as 0.5"),
        ("B2B_BREAKER_WINDOW_SECONDS", "9", "10 to 86400"),
        ("B2B_PURGE_AFTER_DAYS", "6", "0, or 7 to 3650 days"),
        ("B2B_PURGE_AFTER_DAYS", "-1", "0, or 7 to 3650 days"),
        ("B2B_PURGE_AFTER_DAYS", "30.5", "0, or 7 to 3650 days"),
        ("B2B_COMPARE_ACCESS", "yes", "true or false"),
        ("B2B_READ_AUDIT_LOG", "yes", "true or false"),
        ("B2B_COMPARE_DEADLINE_SECONDS", "599", "600 to 2.592e+06 seconds"),
    ],
)
def test_the_error_for_a_bad_value_names_the_setting(name: str, text: str, said: str) -> None:
    error = wrong({**LEAST, name: text})
    assert error.setting == name
    assert str(error).startswith(f"setting {name}: ")
    assert said in str(error)
    assert "\n" not in str(error)


def test_every_setting_has_a_bad_value_in_the_table() -> None:
    table = test_the_error_for_a_bad_value_names_the_setting.pytestmark[0]  # type: ignore[attr-defined]
    assert {name for name, _, _ in table.args[1]} == {setting.name for setting in SETTINGS}


@pytest.mark.parametrize("setting", [setting for setting in SETTINGS if setting.default is not None])
def test_a_setting_that_is_empty_has_its_default(setting: Any) -> None:
    assert load({**LEAST, setting.name: "  "}) == load(LEAST)


def test_overrides_set_the_severity_by_rule() -> None:
    settings = loaded(B2B_RULE_OVERRIDES='{"account-disabled": "off", "already-external": "block"}')
    assert settings.rule_overrides == {
        "account-disabled": Severity.OFF,
        "already-external": Severity.BLOCK,
        "excluded-group": Severity.OFF,
        "outside-scope": Severity.OFF,
    }


def test_the_excluded_group_rule_is_on_only_if_a_group_is_set() -> None:
    assert "excluded-group" not in loaded(B2B_EXCLUDED_GROUP_ID=GROUP).rule_overrides
    without = loaded(B2B_RULE_OVERRIDES='{"excluded-group": "block"}')
    assert without.rule_overrides["excluded-group"] is Severity.OFF


def test_storage_is_a_connection_string_or_two_endpoints_and_an_identity() -> None:
    identity = {"B2BStorage__credential": "managedidentity", "B2BStorage__clientId": GROUP}
    schedule = {"B2B_SWEEP_SCHEDULE": "0 */10 * * * *"}
    assert load({**schedule, **IDENTITY_BASED, **identity}).storage == Storage(
        queue_uri=IDENTITY_BASED["B2BStorage__queueServiceUri"],
        table_uri=IDENTITY_BASED["B2BStorage__tableServiceUri"],
        client_id=GROUP,
    )
    assert load({**schedule, **IDENTITY_BASED, "AZURE_CLIENT_ID": GROUP}).storage.client_id == GROUP
    assert load({**LEAST, **IDENTITY_BASED}).storage == Storage(connection_string=CONNECTION)


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({}, "B2BStorage"),
        ({"B2BStorage": "  "}, "B2BStorage"),
        ({"B2BStorage__queueServiceUri": "https://q.example"}, "B2BStorage__tableServiceUri"),
        ({"B2BStorage__tableServiceUri": "https://t.example"}, "B2BStorage__queueServiceUri"),
        ({**IDENTITY_BASED, "B2BStorage__queueServiceUri": "http://q.example"}, "B2BStorage__queueServiceUri"),
        ({**IDENTITY_BASED, "B2BStorage__tableServiceUri": "contoso"}, "B2BStorage__tableServiceUri"),
        ({**IDENTITY_BASED, "B2BStorage__credential": "key"}, "B2BStorage__credential"),
    ],
)
def test_the_error_for_wrong_storage_names_the_setting(changes: dict[str, str], setting: str) -> None:
    assert setting in STORAGE_SETTINGS
    error = wrong({"B2B_SWEEP_SCHEDULE": "0 */10 * * * *", **changes})
    assert error.setting == setting


@pytest.mark.parametrize("quoted", [f'"{CONNECTION}"', f"'{CONNECTION}'"])
def test_the_error_for_a_quoted_connection_string_hides_its_key(quoted: str) -> None:
    error = wrong({**LEAST, "B2BStorage": quoted})
    assert (error.setting, "quotation marks" in str(error), KEY in str(error)) == ("B2BStorage", True, False)


@pytest.mark.parametrize("text", ["contoso", "AccountName=contoso", "https://contoso.queue.core.windows.net"])
def test_a_text_that_is_no_connection_string_is_refused(text: str) -> None:
    assert wrong({**LEAST, "B2BStorage": text}).setting == "B2BStorage"


@pytest.mark.parametrize(
    "environment",
    [
        {"B2BStorage": CONNECTION},
        {**LEAST, "B2B_MODE": "wrong"},
        {**LEAST, "B2BStorage": CONNECTION.replace("AccountName", "Account")},
        {**LEAST, "B2BStorage": "", **IDENTITY_BASED, "B2BStorage__queueServiceUri": CONNECTION},
        {**LEAST, "B2BStorage": "", **IDENTITY_BASED, "B2BStorage__tableServiceUri": CONNECTION},
        {**LEAST, "B2BStorage": "", **IDENTITY_BASED, "B2BStorage__credential": CONNECTION},
    ],
)
def test_no_error_repeats_the_key_of_a_connection_string(environment: dict[str, str]) -> None:
    assert KEY not in str(wrong(environment))


@pytest.mark.parametrize("said", ["False", "false"])
def test_sign_in_is_refused_if_platform_authentication_is_off(said: str) -> None:
    """Otherwise the routes would be open, and any caller could say who it is."""
    error = wrong({**LEAST, "B2B_SIGN_IN": "true", "WEBSITE_AUTH_ENABLED": said})
    assert error.setting == "B2B_SIGN_IN"
    assert load({**LEAST, "B2B_SIGN_IN": "true", "WEBSITE_AUTH_ENABLED": "True"}).sign_in
    assert load({**LEAST, "B2B_SIGN_IN": "true"}).sign_in
    assert not load({**LEAST, "WEBSITE_AUTH_ENABLED": said}).sign_in
