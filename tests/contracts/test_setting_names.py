"""The settings in code, in the sample and in every page are the same."""

import ast
import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

from b2b.connection import STORAGE_SETTINGS
from b2b.domain.eligibility.rules import RULES
from b2b.settings import SETTINGS, Settings, load
from tests.contracts.pages import PAGES, ROOT

NAMES = {setting.name for setting in SETTINGS} | set(STORAGE_SETTINGS)


@pytest.fixture
def sample() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((ROOT / "local.settings.sample.json").read_text("utf-8"))
    return document


def test_no_setting_is_declared_twice() -> None:
    assert len(NAMES) == len(SETTINGS) + len(STORAGE_SETTINGS)


def test_every_settings_field_has_exactly_one_row() -> None:
    fields = [setting.field for setting in SETTINGS]
    assert sorted(fields) == sorted({field.name for field in dataclasses.fields(Settings)} - {"storage"})


def test_the_setting_that_a_rule_needs_exists() -> None:
    assert {rule.only_with for rule in RULES} - {""} <= {setting.field for setting in SETTINGS}


def test_the_sample_settings_load_in_assess_mode_with_local_storage(sample: dict[str, Any]) -> None:
    settings = load(sample["Values"])
    assert settings.mode == "assess"
    for client in (QueueServiceClient, TableServiceClient):
        with client.from_connection_string(settings.storage.connection_string) as service:
            assert "127.0.0.1" in service.url


def test_every_setting_that_a_page_or_a_module_names_exists() -> None:
    texts = [(path, path.read_text("utf-8")) for path in _named_in()]
    named = {(name, path.name) for path, text in texts for name in re.findall(r"\bB2B_[A-Z_]+\b", text)}
    modules = [path for room in ("b2b", "rehearsal") for path in (ROOT / room).rglob("*.py")]
    for path in modules:
        if "node_modules" not in path.parts:
            named |= {(name, path.name) for name in _named_in_strings(path)}
    assert [(name, path) for name, path in sorted(named) if name not in NAMES] == []


def _named_in() -> list[Path]:
    return [ROOT / "Makefile", *PAGES, *ROOT.glob("infra/**/*.bicep")]


def _named_in_strings(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return {name for text in texts for name in re.findall(r"\bB2B_[A-Z_]+\b", text)}
