"""How the local host reads host.json, its overrides in the environment, `%SETTING%` names and key files."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from rehearsal.host.config import ConfigError, HostConfig, UnresolvedError, resolve, timespan
from rehearsal.host.keys import Keys


def read(directory: Path, content: object, **environment: str) -> HostConfig:
    directory.joinpath("host.json").write_text(json.dumps(content))
    return HostConfig.read(directory, environment)


def test_the_defaults_are_those_of_azure(tmp_path: Path) -> None:
    config = read(tmp_path, {"version": "2.0"})
    assert (config.queues.batch_size, config.queues.max_dequeue_count) == (16, 5)
    assert config.queues.message_encoding == "base64"
    assert config.queues.visibility_timeout == timedelta(0)
    assert config.queues.max_polling_interval == timedelta(minutes=1)
    assert config.queues.lease == timedelta(minutes=10)
    assert config.route_prefix == "api"
    assert config.function_timeout == timedelta(minutes=30)


def test_environment_variables_override_host_json_in_any_case(tmp_path: Path) -> None:
    content = {"version": "2.0", "extensions": {"queues": {"visibilityTimeout": "00:00:30", "batchSize": 4}}}
    config = read(tmp_path, content, azurefunctionsjobhost__EXTENSIONS__queues__VisibilityTimeout="00:00:01")
    assert (config.queues.visibility_timeout, config.queues.batch_size) == (timedelta(seconds=1), 4)


def test_a_function_timeout_of_minus_one_means_no_limit(tmp_path: Path) -> None:
    assert read(tmp_path, {"version": "2.0", "functionTimeout": "-1"}).function_timeout is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"batchSize": 33}, "batchSize"),
        ({"batchSize": "many"}, "batchSize"),
        ({"maxDequeueCount": 0}, "maxDequeueCount"),
        ({"maxPollingInterval": "00:00:00.050"}, "maxPollingInterval"),
        ({"visibilityTimeout": "30 s"}, "'30 s' is not a duration"),
        ({"messageEncoding": "utf-8"}, "messageEncoding"),
    ],
)
def test_an_invalid_option_is_refused_by_name(tmp_path: Path, options: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read(tmp_path, {"version": "2.0", "extensions": {"queues": options}})


@pytest.mark.parametrize("content", ["[]", "{", '{"version": "1.0"}'])
def test_an_invalid_host_json_is_refused(tmp_path: Path, content: str) -> None:
    tmp_path.joinpath("host.json").write_text(content)
    with pytest.raises(ConfigError, match=r"host\.json"):
        HostConfig.read(tmp_path, {})


@pytest.mark.parametrize("text", ["0", "-5", "2.5", "soon", "", "604801"])
def test_an_invalid_lease_is_refused_with_the_allowed_range(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, {"version": "2.0"}, REHEARSAL_MESSAGE_LEASE_SECONDS=text)
    assert str(refused.value) == (f"REHEARSAL_MESSAGE_LEASE_SECONDS is {text!r}; allowed: whole seconds, 1 to 604800.")


def test_the_lease_can_be_shortened_for_tests(tmp_path: Path) -> None:
    shortened = read(tmp_path, {"version": "2.0"}, REHEARSAL_MESSAGE_LEASE_SECONDS="2")
    assert shortened.queues.lease == timedelta(seconds=2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("00:00:30", timedelta(seconds=30)),
        ("00:00:00.250", timedelta(milliseconds=250)),
        ("1.02:03:04", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("02:30", timedelta(hours=2, minutes=30)),
        ("5", timedelta(days=5)),
    ],
)
def test_durations_are_parsed_as_in_dotnet(text: str, expected: timedelta) -> None:
    assert timespan(text) == expected


def test_names_between_percent_signs_are_replaced_by_their_settings() -> None:
    assert resolve("%A%-%B%", {"A": "x", "B": "y"}) == "x-y"
    with pytest.raises(UnresolvedError, match="'%C%' does not resolve to a value"):
        resolve("%C%", {"C": ""})


def test_keys_from_a_file_open_the_functions_of_their_level(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text('{"master": "m", "host": {"default": "h"}, "functions": {"convert": {"partner": "p"}}}')
    keys = Keys.read(path)
    assert [keys.opens("FUNCTION", "convert", key) for key in ("m", "h", "p", "x", None)] == [True] * 3 + [False] * 2
    assert [keys.opens("function", "other", key) for key in ("m", "h", "p")] == [True, True, False]
    assert [keys.opens("ADMIN", "convert", key) for key in ("m", "h", "p")] == [True, False, False]
    assert keys.opens("anonymous", "convert", None)


@pytest.mark.parametrize("content", ["{}", "[]", "not json"])
def test_a_key_file_without_a_master_key_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match="holds no keys"):
        Keys.read(path)
