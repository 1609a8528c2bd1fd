"""A sweep schedule that the app takes must be one that the host runs: a wrong one is dropped without a word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2b import readers
from rehearsal.host import ncrontab
from rehearsal.host.config import ConfigError

GOOD = [
    "0 */10 * * * *",
    "*/15 * * * * *",
    "* * * * * *",
    "0 0 * * * *",
    "5,50 10/20 * * * *",
    "0 30 9-17 * * 1-5",
    "0 30 9-17 * * Mon-Fri",
    "0 0 0 1 JAN *",
    "0 0 0 * jan-mar sun",
    "59 59 23 31 12 6",
    "0 0 6-10/2 * * *",
    "0  0 \t0 * * *",
    "0 0 0 30 2 *",
]
BAD = [
    "",
    "every hour",
    "* * * *",
    "* * * * * * *",
    "60 * * * * *",
    "0 60 * * * *",
    "0 0 24 * * *",
    "0 0 0 0 * *",
    "0 0 0 32 * *",
    "0 0 0 1 0 *",
    "0 0 0 1 13 *",
    "0 0 0 * * 7",
    "0 0 0 * * 8",
    "0 0 0 * * 5-7",
    "*/0 * * * * *",
    "5-2 * * * * *",
    "0 0 0 1 Foo *",
    "0 Mon * * * *",
    "0 0 0 Mon * *",
    "0 0 0 * Mon *",
    "0 0 0 * * Jan",
    "-1 * * * * *",
    "0 , * * * *",
    "0 1, * * * *",
    "0 1.5 * * * *",
    "0 ٣ * * * *",
    "0 */٣ * * * *",
    "0 ?/5 * * * *",
    "0 0 0 L * *",
    "@hourly",
]
FIELD_PARTS = st.from_regex(r"(\*|[0-9]{1,2}(-[0-9]{1,2})?|[A-Za-z]{3}(-[A-Za-z]{3})?)(/[0-9]{1,2})?", fullmatch=True)
FIELDS = st.lists(FIELD_PARTS | st.sampled_from(["mon", "JAN", "sat-sun", "7"]), min_size=1, max_size=2).map(",".join)


def taken(text: str) -> bool:
    try:
        return readers.schedule(text) == text
    except ValueError:
        return False


def run(text: str) -> bool:
    try:
        ncrontab.parse(text)
    except ConfigError:
        return False
    return True


@pytest.mark.parametrize("text", GOOD)
def test_app_and_host_take_a_good_schedule(text: str) -> None:
    assert (taken(text), run(text)) == (True, True)


@pytest.mark.parametrize("text", BAD)
def test_app_and_host_refuse_a_bad_schedule(text: str) -> None:
    assert (taken(text), run(text)) == (False, False)


@pytest.mark.parametrize("text", ["*/10 * * * *", "01:00:00", "0 0 0 * * Monday", "0 *-5 * * * *"])
def test_the_app_may_be_stricter_than_the_host(text: str) -> None:
    assert not taken(text)


@given(st.lists(FIELDS, min_size=6, max_size=6).map(" ".join))
def test_whatever_the_app_takes_the_host_runs(text: str) -> None:
    assert run(text) or not taken(text)


def test_a_refusal_shows_what_a_schedule_looks_like() -> None:
    with pytest.raises(ValueError, match="six NCRONTAB fields") as caught:
        readers.schedule("hourly")
    assert taken("0 */10 * * * *")
    assert "'0 */10 * * * *'" in str(caught.value)
