"""The calls that README shows are taken, and are about accounts and requests of the sample."""

import json
import re

import pytest

from b2b.api.bodies import Approval
from b2b.api.bodies import read as read_body
from b2b.api.routes import ROUTES
from b2b.domain.request import ConversionRequest, IntakePolicy, parse
from tests.contracts.pages import read

CALLS = re.findall(r"\$BASE/api/(\S+)(?: -d '(.+)')?$", read("README.md"), re.MULTILINE)
SAMPLE = json.loads(read("rehearsal/sample/accounts.json"))
POLICY = IntakePolicy(frozenset())


def taken(body: str) -> ConversionRequest:
    return parse(body.encode(), POLICY).request


@pytest.mark.parametrize(("path", "body"), CALLS, ids=[path for path, _ in CALLS])
def test_a_call_is_taken_and_is_about_the_sample(path: str, body: str) -> None:
    route = next(route for route in ROUTES if route.matches(path) and route.method == ("POST" if body else "GET"))
    if route.body is None:
        sent = next(body for path, body in CALLS if path == "requests")
        assert path == f"requests/{taken(sent).request_id}"
    elif route.body.kind is ConversionRequest:
        names = {each["user"]["userPrincipalName"] for each in SAMPLE if each.get("user")}
        assert taken(body).invited_user.user_principal_name in names
    else:
        assert read_body(body.encode(), Approval).reason
        ends = {each["name"]: each["expect"]["current"]["stage"] for each in SAMPLE if "expect" in each}
        assert ends[path.split("/")[1]] == "needsReview"


def test_all_calls_are_found() -> None:
    assert len(CALLS) == read("README.md").count("$BASE/") > 3
