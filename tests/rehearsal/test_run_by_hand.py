"""The requests of the sample that `make run KEEP=1` suggests as examples."""

import json

import pytest

from rehearsal.run.by_hand import SHOWN, examples
from rehearsal.run.stack import NEWCOMER
from rehearsal.sample import Profile, load
from rehearsal.sample.loading import PROFILES

SAMPLE = load()


@pytest.mark.parametrize("profile", PROFILES)
def test_each_shown_stage_names_a_request_of_an_enabled_account_that_ends_there(profile: Profile) -> None:
    found, ends = examples(SAMPLE, profile), SAMPLE.ends(profile)
    assert tuple(found) == SHOWN
    for stage, request_id in found.items():
        account = SAMPLE.account(request_id)
        assert account in SAMPLE.asked_for_alone, "a member's request has an id of the app's own"
        assert ends[account.name].stage == stage
        assert account.user
        assert account.user.get("accountEnabled", True)


def test_the_account_for_calls_by_hand_is_in_no_request_of_the_sample() -> None:
    told = json.dumps([SAMPLE.seed(), [account.request.body for account in SAMPLE.accounts]])
    assert not any(NEWCOMER[name] in told for name in ("id", "userPrincipalName", "mail"))
    assert NEWCOMER["mail"].rpartition("@")[2] in SAMPLE.seed()["homeTenants"]
