"""The how-to page of the probe matches the probe: its commands, its numbers and its messages."""

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
    """Join the implicitly concatenated strings of source text."""
    return re.sub(r'"\s+f?"', "", text)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_on_the_probe_page_is_valid(command: str) -> None:
    placeholders = command.replace("<", "").replace(">", "").replace("tenant id:client id:file", "t:c:f")
    assert parse(shlex.split(placeholders))


def test_the_probe_page_shows_at_least_four_commands() -> None:
    assert len(COMMANDS) >= 4


def test_every_option_on_the_probe_page_exists(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    named = {word for code in re.findall(r"`(--[^`\n]+)`", PAGE) for word in re.findall(r"--[a-z-]+", code)}
    assert {"--only", "--also", "--clean"} <= named <= known
    assert set(sign_in.CLOUDS) - {"public"} == set(re.findall(r"(us-government|us-defense|china)", PAGE))


def test_the_probe_page_lists_exactly_the_required_permissions() -> None:
    assert set(re.findall(r"- A sign-in with three .*", PAGE)[0].split("`")[1::2]) == set(required(QUESTIONS))
    assert PAGE.count("=Role") == len(required(QUESTIONS))


def test_the_numbers_on_the_probe_page_match_the_code() -> None:
    assert f"asks a tenant of yours {len(QUESTIONS)} questions" in PAGE
    assert f"more than {run.Options(()).limit} users" in PAGE
    assert sum(question.people for question in QUESTIONS) == 5
    assert "skips the five questions that need this" in PAGE
    assert [question.id for question in QUESTIONS if question.mails] == re.findall(r"\*\*Mail\.\*\* .*?\((\S+)\)", PAGE)
    assert [question.id for question in QUESTIONS if question.licences] == ["INV-13"]


@pytest.mark.parametrize("said", re.findall(r"^\| `(.+?)` \|", PAGE.partition("### What it says")[2], re.MULTILINE))
def test_each_message_quoted_on_the_probe_page_is_in_the_code(said: str) -> None:
    parts = [part.strip(" ,;.") for part in said.split("…")]
    text = flat(SOURCES).replace("{TRIES}", str(graph.TRIES))
    assert [part for part in parts if part and part.rstrip(":") not in text] == []


def test_the_names_and_folders_on_the_probe_page_match_the_code() -> None:
    for name in (f"`{PREFIX}…`", f"`{TAG}`", f"`{run.Options(()).folder}/`", f"`{run.Options(()).result}`"):
        assert name in PAGE
    assert sign_in.PASSWORD in PAGE


def test_every_inferred_belief_is_a_question_or_the_page_says_why_not() -> None:
    rows = re.findall(r"^\| (.*?):", PAGE.partition("## What it does not")[2], re.MULTILINE)
    listed = set(re.findall(r"[A-Z]+-\d\d", " ".join(rows)))
    inferred = {row.id for row in beliefs() if row.grade == "Inferred"}
    asked = {question.id for question in QUESTIONS}
    assert not listed & asked
    assert inferred <= listed | asked, "an inferred belief is asked about, or the page says why not"
