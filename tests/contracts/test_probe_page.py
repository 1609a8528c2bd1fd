"""The how-to page of the probe says what the probe does: its commands, its numbers, and what it says itself."""

import re
import shlex

import pytest

from probe import graph, run, sign_in
from probe.accounts import PREFIX, TAG
from probe.cli import main, parse
from probe.plan import required
from probe.questions import QUESTIONS
from tests.contracts.pages import ROOT
from tests.contracts.test_evidence import beliefs

PAGE = (ROOT / "docs" / "how-to" / "probe-your-tenant.md").read_text("utf-8")
COMMANDS = re.findall(r"^python -m probe(.*)$", PAGE, re.MULTILINE)
SOURCES = "\n".join(path.read_text("utf-8") for path in (ROOT / "probe").rglob("*.py"))


def flat(text: str) -> str:
    """Source text with its implicit concatenations joined."""
    return re.sub(r'"\s+f?"', "", text)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_is_one(command: str) -> None:
    placeholders = command.replace("<", "").replace(">", "").replace("tenant id:client id:file", "t:c:f")
    assert parse(shlex.split(placeholders))


def test_the_page_shows_commands() -> None:
    assert len(COMMANDS) >= 4


def test_every_option_is_in_the_help_and_those_of_the_page_exist(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    named = {word for code in re.findall(r"`(--[^`\n]+)`", PAGE) for word in re.findall(r"--[a-z-]+", code)}
    assert {"--only", "--also", "--clean"} <= named <= known
    assert set(sign_in.CLOUDS) - {"public"} == set(re.findall(r"(us-government|us-defense|china)", PAGE))


def test_the_permissions_are_the_smallest_set_and_their_ids_are_given() -> None:
    assert set(re.findall(r"- A sign-in with three .*", PAGE)[0].split("`")[1::2]) == set(required(QUESTIONS))
    assert PAGE.count("=Role") == len(required(QUESTIONS))


def test_the_numbers_are_those_of_the_code() -> None:
    assert f"asks a tenant of yours {len(QUESTIONS)} questions" in PAGE
    assert f"more than {run.Options(()).limit} users" in PAGE
    assert sum(question.people for question in QUESTIONS) == 5
    assert "skips the five questions that need this" in PAGE
    assert [question.id for question in QUESTIONS if question.mails] == re.findall(r"\*\*Mail\.\*\* .*?\((\S+)\)", PAGE)
    assert [question.id for question in QUESTIONS if question.licences] == ["INV-13"]


@pytest.mark.parametrize("said", re.findall(r"^\| `(.+?)` \|", PAGE.partition("### What it says")[2], re.MULTILINE))
def test_what_the_page_quotes_is_what_the_probe_says(said: str) -> None:
    parts = [part.strip(" ,;.") for part in said.split("…")]
    text = flat(SOURCES).replace("{TRIES}", str(graph.TRIES))
    assert [part for part in parts if part and part.rstrip(":") not in text] == []


def test_the_marks_and_places_are_those_of_the_code() -> None:
    for name in (f"`{PREFIX}…`", f"`{TAG}`", f"`{run.Options(()).folder}/`", f"`{run.Options(()).result}`"):
        assert name in PAGE
    assert sign_in.PASSWORD in PAGE


def test_what_is_not_asked_is_not_asked() -> None:
    rows = re.findall(r"^\| (.*?):", PAGE.partition("## What it does not")[2], re.MULTILINE)
    listed = set(re.findall(r"[A-Z]+-\d\d", " ".join(rows)))
    inferred = {row.id for row in beliefs() if row.grade == "Inferred"}
    asked = {question.id for question in QUESTIONS}
    assert not listed & asked
    assert inferred <= listed | asked, "an inferred belief is asked about, or the page says why not"
