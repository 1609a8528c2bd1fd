"""Every generated list is up to date and contains every row of its table."""

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
def test_every_generated_file_is_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text("utf-8") == files._made()[name]


def first_cells(text: str) -> list[str]:
    """Return the first cells of the rows of all tables, in order."""
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def test_the_generated_pages_list_every_row_of_their_tables() -> None:
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


def test_the_fields_that_a_status_always_has_are_marked_always() -> None:
    said = request_status(record(Stage.REQUESTED), None, "https://app.contoso.com", None).body
    always = re.findall(r"^\| `(\w+)` \| .* \| always \|$", http.status(), re.MULTILINE)
    assert sorted(always) == sorted(said)


def test_the_diagram_of_stages_has_every_transition_and_action() -> None:
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


def test_every_field_of_a_request_is_listed_with_an_example() -> None:
    kinds: list[type[msgspec.Struct]] = [ConversionRequest, *(kind for kind, _ in request.BODIES.values())]
    told = [field.path for kind in kinds for field in request.typed(kind)]
    assert first_cells(request.page()) == told
    assert {name for name, field in request.FIELDS.items() if field.example is None} == {request.NOT_YET}
    with pytest.raises(ValueError, match="requestId"):
        request._rows(ConversionRequest, {name: row for name, row in request.FIELDS.items() if name != "requestId"})


def nested(path: str, value: Any) -> dict[str, Any]:
    """Return a document with a value at a path. `[]` after a name makes a list of one item."""
    first, _, rest = path.partition(".")
    inner = nested(rest, value) if rest else value
    return {first.removesuffix("[]"): [inner] if first.endswith("[]") else inner}


@pytest.mark.parametrize("path", [path for path, field in request.FIELDS.items() if field.example is not None])
def test_every_example_of_a_request_field_is_accepted(path: str) -> None:
    document = nested(path, request.FIELDS[path].example)
    if path.endswith("emailAddress.name"):
        document["invitedUserMessageInfo"]["ccRecipients"][0]["emailAddress"]["address"] = "sponsor@contoso.com"
    raw = json.dumps({"invitedUser": request.FIELDS["invitedUser"].example, **document}).encode()
    parsed = parse(raw, IntakePolicy(frozenset({"myapps.microsoft.com"}))).request
    assert msgspec.to_builtins(parsed) == json.loads(raw)


def test_the_examples_of_decisions_are_accepted() -> None:
    for kind, fields in request.BODIES.values():
        assert issubclass(kind, Approval | Refusal)
        assert read(json.dumps({field: row.example for field, row in fields.items()}).encode(), kind).reason


def test_every_setting_is_in_the_template_the_parameter_file_and_the_workflow() -> None:
    chosen = [setting.name for setting in SETTINGS if setting.name not in bicep.MADE_BY_TEMPLATE]
    assert re.findall(r"^(\w+):", samples.workflow_variables(), re.MULTILINE) == chosen
    assert re.findall(r"readEnvironmentVariable\('(\w+)'", bicep.parameter_file()) == chosen
    assert re.findall(r"^(\w+):", bicep.app_settings(), re.MULTILINE) == [setting.name for setting in SETTINGS]
    assert len(re.findall(r"^param ", bicep.parameters(), re.MULTILINE)) == len(chosen)


def test_a_generated_part_is_replaced_and_the_text_around_it_stays() -> None:
    text = "a\n  # generated: x (by hand)\n  old\n  # end of generated\nb\n"
    made = files._with_parts(text, {files.Part("#", "x"): lambda: "new\n\nlines"})
    assert made == "a\n  # generated: x (by hand)\n  new\n\n  lines\n  # end of generated\nb\n"
    with pytest.raises(ValueError, match="no part 'y'"):
        files._with_parts(text, {files.Part("#", "y"): str})
