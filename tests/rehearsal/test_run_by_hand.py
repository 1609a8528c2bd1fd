"""What `make run KEEP=1` suggests to look at, taken from the sample."""

import json

import pytest

from rehearsal.run.by_hand import SHOWN, examples
from rehearsal.run.stack import NEWCOMER
from rehearsal.sample import Profile, load
from rehearsal.sample.loading import PROFILES

SAMPLE = load()


@pytest.mark.parametrize("profile", PROFILES)
def test_one_request_of_each_stage_is_named_that_ends_there_and_belongs_to_an_enabled_account(profile: Profile) -> None:
    found, ends = examples(SAMPLE, profile), SAMPLE.ends(profile)
    assert tuple(found) == SHOWN
    for stage, request_id in found.items():
        account = SAMPLE.account(request_id)
        assert account in SAMPLE.asked_for_alone, "a member's request has an id of the app's own"
        assert ends[account.name].stage == stage
        assert account.user
        assert account.user.get("accountEnabled", True)


def test_the_account_for_a_request_of_ones_own_is_unknown_to_the_sample() -> None:
    told = json.dumps([SAMPLE.seed(), [account.request.body for account in SAMPLE.accounts]])
    assert not any(NEWCOMER[name] in told for name in ("id", "userPrincipalName", "mail"))
    assert NEWCOMER["mail"].rpartition("@")[2] in SAMPLE.seed()["homeTenants"]
