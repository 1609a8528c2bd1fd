"""The id that the app derives for a request without one."""

import hashlib
import json

from rehearsal.run.sending import derived_id


def test_the_id_of_a_body_without_one_comes_from_the_message() -> None:
    assert derived_id('{"invitedUser": {"id": "1"}}', "m-1") == "queue-m-1"


def test_the_id_of_a_body_that_is_no_json_comes_from_the_message() -> None:
    assert derived_id("please convert", "m-1") == "queue-m-1"
    assert derived_id('"please"', "m-1") == "queue-m-1"


def test_the_id_of_an_event_comes_from_its_source_and_id() -> None:
    event = {"specversion": "1.0", "source": "https://partners.contoso.com", "id": "7", "data": {}}
    digest = hashlib.sha256(b"https://partners.contoso.com\n7").hexdigest()
    assert derived_id(json.dumps(event), "m-1") == f"event-{digest[:48]}"
