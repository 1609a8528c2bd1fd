"""How the row of a request is found whose sender gave it no id."""

import hashlib
import json

from rehearsal.run.by_hand import candidate
from rehearsal.run.sending import derived_id
from rehearsal.sample import load


def test_a_message_without_an_id_is_found_by_the_message() -> None:
    assert derived_id('{"invitedUser": {"id": "1"}}', "m-1") == "queue-m-1"


def test_a_message_that_is_no_json_is_found_by_the_message() -> None:
    assert derived_id("please convert", "m-1") == "queue-m-1"
    assert derived_id('"please"', "m-1") == "queue-m-1"


def test_an_event_is_found_by_its_source_and_id() -> None:
    event = {"specversion": "1.0", "source": "https://partners.contoso.com", "id": "7", "data": {}}
    digest = hashlib.sha256(b"https://partners.contoso.com\n7").hexdigest()
    assert derived_id(json.dumps(event), "m-1") == f"event-{digest[:48]}"


def test_the_account_to_try_by_hand_is_one_that_nobody_converts() -> None:
    sample = load()
    chosen = candidate(sample)
    requests = [account for account in sample.accounts if account.user_id == chosen]
    assert requests
    assert all(account.request.body.get("dryRun") for account in requests)
