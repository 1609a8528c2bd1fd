"""The settings in code, in the sample and in README are the same, with the same defaults."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

from b2b.settings import FUNCTIONS_PROCESS, SETTINGS, STORAGE, STORAGE_SETTINGS, load
from tests.contracts.readme import ROOT, coded, rows

HOST_STORAGE = "AzureWebJobsStorage"
NAMES = {setting.name for setting in SETTINGS} | set(STORAGE_SETTINGS)


@pytest.fixture
def sample() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((ROOT / "local.settings.sample.json").read_text("utf-8"))
    return document


@pytest.fixture
def documented() -> dict[str, str]:
    """README's settings: name to the cell of the default."""
    table = [(coded(name), default) for name, default, *_ in rows("Settings")]
    found = {name: default for name, default in table if name}
    assert len(found) == len([name for name, _ in table if name]), "a setting stands there twice"
    return found


def test_no_setting_is_declared_twice() -> None:
    assert len(NAMES) == len(SETTINGS) + len(STORAGE_SETTINGS)


def test_readme_lists_exactly_the_settings(documented: dict[str, str]) -> None:
    assert sorted(documented) == sorted(NAMES)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: str(setting.name))
def test_readme_gives_the_default_that_the_code_has(setting: Any, documented: dict[str, str]) -> None:
    cell = documented[setting.name]
    assert {"required": None, "-": ""}.get(cell, coded(cell)) == setting.default


def test_the_sample_has_every_setting_and_what_the_host_wants(sample: dict[str, Any]) -> None:
    wanted = {setting.name for setting in SETTINGS} | {STORAGE, HOST_STORAGE, FUNCTIONS_PROCESS}
    assert sample["IsEncrypted"] is False
    assert sorted(sample["Values"]) == sorted(wanted)
    assert sample["Values"][FUNCTIONS_PROCESS] == "python"
    assert all(isinstance(value, str) for value in sample["Values"].values())


def test_the_sample_shows_the_defaults(sample: dict[str, Any]) -> None:
    defaults = {setting.name: setting.default for setting in SETTINGS if setting.default is not None}
    assert {name: sample["Values"][name] for name in defaults} == defaults


def test_the_app_starts_with_the_sample_and_changes_nothing(sample: dict[str, Any]) -> None:
    settings = load(sample["Values"])
    assert settings.mode == "assess"
    for client in (QueueServiceClient, TableServiceClient):
        with client.from_connection_string(settings.storage.connection_string) as service:
            assert "127.0.0.1" in service.url


def test_every_setting_that_a_text_or_a_module_names_exists() -> None:
    texts = [(path, path.read_text("utf-8")) for path in _named_in()]
    named = {(name, path.name) for path, text in texts for name in re.findall(r"\bB2B_[A-Z_]+\b", text)}
    modules = [path for room in ("b2b", "rehearsal") for path in (ROOT / room).rglob("*.py")]
    for path in modules:
        if "node_modules" not in path.parts:
            named |= {(name, path.name) for name in _named_in_strings(path)}
    assert [(name, path) for name, path in sorted(named) if name not in NAMES] == []


def _named_in() -> list[Path]:
    return [ROOT / "README.md", ROOT / "Makefile", *ROOT.glob("docs/**/*.md"), *ROOT.glob("infra/**/*.bicep")]


def _named_in_strings(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return {name for text in texts for name in re.findall(r"\bB2B_[A-Z_]+\b", text)}
