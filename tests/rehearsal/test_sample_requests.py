"""The sample's requests are valid."""

import base64
import json
import re
from typing import Any, get_args
from urllib.parse import urlsplit

from rehearsal.sample import Sample, Way
from tests.rehearsal.sample_support import STATUS_OF, twice

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
KIB = 1024


def test_request_ids_are_valid_and_each_belongs_to_one_request(sample: Sample) -> None:
    bodies: dict[str, Any] = {}
    for account in sample.accounts:
        key = account.request.request_id
        if key is not None:
            assert REQUEST_ID.fullmatch(key)
            assert bodies.setdefault(key, account.request.body) == account.request.body, account.name


def test_in_every_way_but_the_list_some_request_has_no_id(sample: Sample) -> None:
    without = {account.request.by for account in sample.accounts if account.request.request_id is None}
    assert without == set(get_args(Way)) - {"list"}


def test_redirect_urls_of_accepted_requests_use_exactly_the_allowed_hosts(sample: Sample) -> None:
    hosts = {urlsplit(a.request.body.get("inviteRedirectUrl") or "").hostname for a in sample.accounts} - {None}
    assert hosts == set(sample.settings["B2B_ALLOWED_REDIRECT_HOSTS"].split(","))


def test_a_queue_message_is_encoded_as_its_way_states(sample: Sample) -> None:
    for account in sample.accounts:
        text = account.request.message
        lines = text.split("\n") if account.request.by == "queue-base64-lines" else [text]
        assert (len(lines) > 1) == (account.request.by == "queue-base64-lines")
        encoded = account.request.by.startswith("queue-base64")
        decoded = base64.b64decode("".join(lines), validate=True).decode() if encoded else text
        data = json.loads(decoded)
        inner = data["data"] if account.request.by == "queue-cloudevent" else data
        assert inner == account.request.body, account.name


def test_an_expected_refusal_has_the_fields_of_its_way(sample: Sample) -> None:
    for request in sample.malformed:
        by_http = request.by == "http"
        if request.by == "list":
            assert request.expect.stage is None
            assert request.expect.status is None
            assert request.expect.target
            continue
        assert request.expect.status == (STATUS_OF[request.expect.code] if by_http else None), request.name
        assert request.expect.stage == (None if by_http else "rejected"), request.name


def test_a_refused_request_has_an_id_that_no_accepted_request_has(sample: Sample) -> None:
    own = [request for request in sample.malformed if request.request_id and not request.conflicts_with]
    assert not twice(request.request_id for request in own)
    for request in own:
        assert json.loads(request.text)["requestId"] == request.request_id
    taken = {account.request.request_id for account in sample.accounts}
    assert taken.isdisjoint(request.request_id for request in own)


def test_a_conflicting_request_is_sent_after_the_one_whose_id_it_repeats(sample: Sample) -> None:
    conflicts = [request for request in sample.malformed if request.conflicts_with]
    assert {request.by for request in conflicts} == {"http", "queue"}
    for request in conflicts:
        first = sample.account(request.conflicts_with or "").request
        assert request.expect.code == "RequestIdInUse"
        assert request.request_id == first.request_id
        assert request.wave > first.wave
        assert json.loads(request.text) != first.body


def test_refused_requests_name_an_account_that_no_request_converts(sample: Sample) -> None:
    converted = {
        account.user_id
        for account in sample.accounts
        for end in account.expect.values()
        if end.stage in {"invited", "completed"}
    }
    named = {
        found
        for r in sample.malformed
        if r.expect.code != "DuplicatePerson"
        for found in re.findall(r'"invitedUser": \{"id": "([0-9a-f-]{36})"', r.text)
    }
    assert len(named) == 1
    assert named.isdisjoint(converted)


def test_oversized_requests_are_49_kib_and_fit_a_queue_message(sample: Sample) -> None:
    oversized = [request for request in sample.malformed if request.expect.code == "RequestTooLarge"]
    assert {request.by for request in oversized} == {"http", "queue"}
    assert {len(request.message.encode()) for request in oversized} == {49 * KIB}
    assert {json.loads(request.text)["invitedUser"]["id"] for request in oversized}


def test_messages_that_no_function_can_receive_are_marked_as_poison(sample: Sample) -> None:
    metadata = ("dequeueCount", "insertionTime")
    undeliverable = {r.name for r in sample.malformed if any(f'"{field}"' in r.text for field in metadata)}
    assert undeliverable == {request.name for request in sample.malformed if request.poison}
    assert len(undeliverable) == len(metadata)
