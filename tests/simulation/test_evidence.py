"""Evidence of an account: what it holds, and whether a file is the one that was logged."""

import json
import logging
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from b2b import evidence
from b2b.api.answers import Reply
from tests.simulation.app import WORK
from tests.simulation.directory_tenant import PERMISSIONS
from tests.simulation.people import TENANT_ID
from tests.simulation.place import ANNA, PARTNERS, PASSED, Place
from tests.simulation.test_comparison import STRANGER, redeemed

HOUR = 3600
SCRIPT = "<script>alert(1)</script>"


class Page(HTMLParser):
    """The text of a page, and the elements that it is made of."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.tags, self.attributes, self.text = set[str](), set[str](), ""
        self.feed(content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


async def given(place: Place, **query: str) -> Reply:
    reply = await place.app.about("conversion_evidence", ANNA, **query)
    assert reply.status == 200
    return reply


async def decided() -> Place:
    """An account that lost a group, was redeemed by another person, and was accepted."""
    place = Place()
    await place.invite()
    place.directory.set_groups(ANNA, [])
    await place.redeem(provider="mail", signed_in=STRANGER)
    await place.sweep(61)
    await place.sweep(PASSED)
    await place.sweep(PASSED)
    accepted = await place.app.accept(ANNA, json.dumps({"acceptedBy": "Nora", "reason": SCRIPT}).encode())
    assert accepted.status == 200
    return place


async def test_it_tells_who_asked_what_was_judged_what_happened_and_who_decided() -> None:
    place = await decided()
    told: dict[str, Any] = json.loads((await given(place)).sent)
    assert told["givenTo"] == {"kind": "key", "id": None, "name": None}
    (request,) = told["requests"]
    assert (request["requestId"], request["askedBy"]["kind"], request["stage"]) == ("r1", "queue", "completed")
    assert {each["rule"] for each in request["findings"]} >= {"access-changed", "redeemed-by-other"}
    assert told["conversion"]["signInMatches"] == "no"
    assert told["conversion"]["signsInWith"] == "mail"
    kinds = [event["kind"] for event in told["events"]]
    assert kinds[0] == "inviting"
    assert kinds[-3:] == ["accepted", "unverified", "completed"]
    assert told["events"][-1]["actor"]["name"] == "Nora"
    assert told["access"]["before"]["kinds"] != told["access"]["after"]["kinds"]
    assert [each["kind"] for each in told["access"]["differences"]] == ["groups"]
    assert told["requestsLeftOut"] == 0
    assert told["notProven"]


async def test_a_waived_finding_is_told_of_with_who_waived_it() -> None:
    place = Place()
    place.directory.disable(ANNA)
    place.directory.set_switch("disabled-account", "accepted")
    await place.invite()
    assert await place.stages() == {"needsReview"}
    approved = await place.app.approve("r1", b'{"approvedBy": "Nora", "reason": "on leave"}')
    assert approved.status == 202
    for message in place.queues.stored(WORK):
        await place.app.receive(message.content.encode(), message.id, 1, place.now())
    (request,) = json.loads((await given(place)).sent)["requests"]
    assert (request["approval"]["by"], request["approval"]["reason"]) == ("Nora", "on leave")
    assert [each["rule"] for each in request["approval"]["waived"]] == ["account-disabled"]
    assert "approved" in [event["kind"] for event in request["events"]]


async def test_the_page_says_the_same_and_runs_and_loads_nothing() -> None:
    place = await decided()
    reply = await given(place, format="html")
    page = Page(reply.sent)
    told = json.loads((await given(place)).sent)
    assert reply.media == "text/html"
    assert page.tags.isdisjoint({"script", "img", "link", "iframe", "object", "form", "a"})
    assert not {name for name in page.attributes if name.startswith("on") or name in {"src", "href", "style"}}
    assert SCRIPT in page.text
    for each in (ANNA, "p1@fabrikam.com", "Nora (stated by the caller)", "redeemed-by-other", STRANGER):
        assert each in page.text
    for event in told["events"]:
        assert event["kind"] in page.text
    assert f"missing {PARTNERS}" in page.text
    assert all(said in page.text for said in told["notProven"])
    assert reply.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert reply.headers["Cache-Control"] == "no-store"


async def test_its_sha256_goes_to_the_log_without_a_name_and_verify_finds_it_there(
    caplog: pytest.LogCaptureFixture, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = await redeemed()
    with caplog.at_level(logging.INFO, "b2b.api.evidence"):
        replies = {form: await given(place, format=form) for form in ("json", "html")}
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("b2b.api.evidence")]
    assert len(lines) == 2
    assert not [line for line in lines if "@" in line]
    export = tmp_path / "log.json"
    export.write_text(json.dumps([{"TimeGenerated": "2026-11-28T01:00:00Z", "Message": line} for line in lines]))
    for form, reply in replies.items():
        file = tmp_path / f"evidence.{form}"
        file.write_bytes(reply.sent)
        assert reply.headers["X-Evidence-SHA256"] == evidence.digest_of(reply.sent)
        assert evidence.main(["verify", str(file), "--log", str(export)]) == evidence.LOGGED
        assert f"evidence of account {ANNA}, as {form}" in capsys.readouterr().out
        file.write_bytes(reply.sent.replace(b"p1", b"p2"))
        assert evidence.main(["verify", str(file), "--log", str(export)]) == evidence.NOT_LOGGED
        assert "Not in this export" in capsys.readouterr().out


async def test_each_is_a_file_of_its_own() -> None:
    place = await redeemed()
    first = await given(place)
    place.gate.now += 1
    later = await given(place)
    assert first.sent != later.sent
    assert datetime.fromisoformat(json.loads(later.sent)["givenAt"]) > datetime.fromisoformat(
        json.loads(first.sent)["givenAt"]
    )


async def test_a_request_that_was_purged_is_named_alone() -> None:
    place = await redeemed()
    record = await place.app._services.ledger.requests.get("r1")
    assert record is not None
    await place.app._services.ledger.purge(record)
    (request,) = json.loads((await given(place)).sent)["requests"]
    assert (request["requestId"], request["kept"], request["events"]) == ("r1", False, [])
    assert "Its row was deleted" in Page((await given(place, format="html")).sent).text


async def test_what_does_not_exist_and_another_format_are_refused() -> None:
    place = await redeemed()
    nobody = await place.app.about("conversion_evidence", TENANT_ID)
    assert (nobody.status, nobody.body["error"]["code"]) == (404, "ConversionNotFound")
    other = await place.app.about("conversion_evidence", ANNA, format="pdf")
    assert (other.status, other.body["error"]["message"]) == (400, "format: expected json or html")


async def test_what_was_not_readable_is_on_the_page_too() -> None:
    place = await redeemed(frozenset(PERMISSIONS) - {"Directory.Read.All"})
    page = Page((await given(place, format="html")).sent)
    assert "not readable: the permission Directory.Read.All is missing" in page.text
    assert "Not compared" in page.text
