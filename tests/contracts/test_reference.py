"""Every list that is made from the tables in the code is up to date, and is made of all of them."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from b2b.api.answers import RequestStatus
from b2b.api.bodies import Approval, Refusal, read
from b2b.api.callers import Role
from b2b.api.routes import ROUTES
from b2b.api.show import request_status
from b2b.connection import STORAGE_SETTINGS
from b2b.domain.conversion.stages import STAGES, Action, Stage
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.eligibility.facts import FACTS
from b2b.domain.eligibility.rules import RULES
from b2b.domain.error_codes import ErrorCode
from b2b.domain.request import ConversionRequest, IntakePolicy, parse
from b2b.settings import SETTINGS
from reference import bicep, decisions, files, http, pages, protocol, request, samples
from tests.contracts.pages import ROOT
from tests.unit.protocol import record


@pytest.mark.parametrize("name", [*files.WHOLE, *files.PARTS])
def test_a_made_file_is_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text("utf-8") == files._made()[name]


def first_cells(text: str) -> list[str]:
    """The first cells of the rows of all tables, in order."""
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def test_the_pages_list_every_row() -> None:
    rules = [rule.id for rule in RULES]
    assert first_cells(pages.rules()) == [*rules, "fact-not-readable", *rules]
    assert first_cells(pages.settings()) == [*STORAGE_SETTINGS, *(setting.name for setting in SETTINGS)]
    assert first_cells(pages.errors()) == list(ErrorCode)
    assert first_cells(protocol.stages()) == list(Stage)
    assert first_cells(protocol.waits()) == list(WaitReason)
    for fact in FACTS:
        assert f"| {fact.name} |" in pages.permissions()


def test_the_page_of_the_api_lists_every_route_role_and_field() -> None:
    routes = [(row.method, f"/api/{row.path}") for row in ROUTES]
    options = [("OPTIONS", f"/api/{row.path}") for row in ROUTES if row.options]
    assert re.findall(r"^\| `([A-Z]+) ([^`?]+)[^`]*` \|", http.routes(), re.MULTILINE) == [*routes, *options]
    assert first_cells(http.roles()) == list(Role)
    assert first_cells(http.status()) == [field.encode_name for field in msgspec.structs.fields(RequestStatus)]


def test_what_is_always_in_a_status_is_said_to_be() -> None:
    said = request_status(record(Stage.REQUESTED), None, "https://app.contoso.com", None).body
    always = re.findall(r"^\| `(\w+)` \| .* \| always \|$", http.status(), re.MULTILINE)
    assert sorted(always) == sorted(said)


def test_the_picture_of_the_stages_has_every_step_and_every_action() -> None:
    picture = protocol.picture()
    for row in STAGES:
        assert f"  {row.stage}({row.stage})\n" in picture
        for following in row.next:
            assert f"  {row.stage} --> {following}\n" in picture
    assert set(re.findall(r"-\. (\w+) \.->", picture)) == set(Action) - {Action.REFUSE, Action.CANCEL}


def test_every_decision_is_in_the_index_and_one_without_a_date_is_refused(
    tmp_path: Path,
) -> None:
    numbers = re.findall(r"^\| (\d+) \| \[", decisions.index(), re.MULTILINE)
    assert numbers == [str(number) for number in range(1, len(list(decisions.FOLDER.glob("0*.md"))) + 1)]
    (tmp_path / "0001-a.md").write_text("# 1. A\n\nWhy.\n", "utf-8")
    with pytest.raises(ValueError, match=r"0001-a\.md"):
        decisions.index(tmp_path)


def test_every_field_of_a_request_is_told_with_what_is_taken_and_an_example() -> None:
    kinds: list[type[msgspec.Struct]] = [ConversionRequest, *(kind for kind, _ in request.BODIES.values())]
    told = [field.path for kind in kinds for field in request.typed(kind)]
    assert first_cells(request.page()) == told
    assert {name for name, field in request.FIELDS.items() if field.example is None} == {request.NOT_YET}
    with pytest.raises(ValueError, match="requestId"):
        request._rows(ConversionRequest, {name: row for name, row in request.FIELDS.items() if name != "requestId"})


def nested(path: str, value: Any) -> dict[str, Any]:
    """A document with a value at a path; ``[]`` after a name is a list of one."""
    first, _, rest = path.partition(".")
    inner = nested(rest, value) if rest else value
    return {first.removesuffix("[]"): [inner] if first.endswith("[]") else inner}


@pytest.mark.parametrize("path", [path for path, field in request.FIELDS.items() if field.example is not None])
def test_every_example_is_taken(path: str) -> None:
    document = nested(path, request.FIELDS[path].example)
    if path.endswith("emailAddress.name"):
        document["invitedUserMessageInfo"]["ccRecipients"][0]["emailAddress"]["address"] = "sponsor@contoso.com"
    raw = json.dumps({"invitedUser": request.FIELDS["invitedUser"].example, **document}).encode()
    parsed = parse(raw, IntakePolicy(frozenset({"myapps.microsoft.com"}))).request
    assert msgspec.to_builtins(parsed) == json.loads(raw)


def test_the_examples_of_decisions_are_taken() -> None:
    for kind, fields in request.BODIES.values():
        assert issubclass(kind, Approval | Refusal)
        assert read(json.dumps({field: row.example for field, row in fields.items()}).encode(), kind).reason


def test_every_setting_reaches_the_template_the_parameter_file_and_the_workflow() -> None:
    chosen = [setting.name for setting in SETTINGS if setting.name not in bicep.MADE_BY_TEMPLATE]
    assert re.findall(r"^(\w+):", samples.workflow_variables(), re.MULTILINE) == chosen
    assert re.findall(r"readEnvironmentVariable\('(\w+)'", bicep.parameter_file()) == chosen
    assert re.findall(r"^(\w+):", bicep.app_settings(), re.MULTILINE) == [setting.name for setting in SETTINGS]
    assert len(re.findall(r"^param ", bicep.parameters(), re.MULTILINE)) == len(chosen)


def test_a_part_is_found_by_its_comments_and_nothing_around_it_changes() -> None:
    text = "a\n  # generated: x (by hand)\n  old\n  # end of generated\nb\n"
    made = files._with_parts(text, {files.Part("#", "x"): lambda: "new\n\nlines"})
    assert made == "a\n  # generated: x (by hand)\n  new\n\n  lines\n  # end of generated\nb\n"
    with pytest.raises(ValueError, match="no part 'y'"):
        files._with_parts(text, {files.Part("#", "y"): str})
