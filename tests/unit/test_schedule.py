"""The app accepts exactly the sweep schedules that the host runs, because the host silently drops a function with a
wrong one.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2b import readers
from rehearsal.host import ncrontab
from rehearsal.host.config import ConfigError
from tests.support.schedules import NEVER, REFUSED, TAKEN, TURNED_ROUND, WIDER

FIELD_PARTS = st.from_regex(
    r"(\*|[0-9]{1,2}(-[0-9]{1,2})?|[A-Za-z]{2,4}(-[A-Za-z]{3})?)(/-?[0-9]{1,2})?", fullmatch=True
)
FIELDS = st.lists(FIELD_PARTS | st.sampled_from(["mon", "JAN", "sat-sun", "7", "30", "31"]), min_size=1, max_size=2)
EXPRESSIONS = st.lists(FIELDS.map(",".join), min_size=6, max_size=6).map(" ".join)
DATES = st.tuples(
    st.sampled_from(["28", "30", "31", "*", "5-31"]), st.sampled_from(["2", "4", "2,4", "feb", "*", "4-6"])
)


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


@pytest.mark.parametrize("text", TAKEN)
def test_app_and_host_accept_a_valid_schedule(text: str) -> None:
    assert (taken(text), run(text)) == (True, True)


@pytest.mark.parametrize("text", [*REFUSED, *TURNED_ROUND, *NEVER])
def test_app_and_host_refuse_an_invalid_schedule(text: str) -> None:
    assert (taken(text), run(text)) == (False, False)


@pytest.mark.parametrize("text", WIDER)
def test_the_app_requires_six_fields_and_the_host_does_not(text: str) -> None:
    assert (taken(text), run(text)) == (False, True)


@given(EXPRESSIONS | DATES.map(lambda date: f"0 0 0 {date[0]} {date[1]} *"))
def test_app_and_host_agree_about_any_six_fields(text: str) -> None:
    assert taken(text) == run(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hourly", r"six NCRONTAB fields such as '0 \*/10 \* \* \* \*', got 'hourly'"),
        ("0 0 20-4 * * *", "0 to 23 .* the least first, got '20-4'"),
        ("0 0 ? * * *", "'[?]' is not part of an NCRONTAB field"),
        ("0 0 0 31 4 *", "'0 0 0 31 4 [*]' never comes"),
    ],
)
def test_the_refusal_of_a_schedule_names_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        readers.schedule(text)
    assert taken("0 */10 * * * *")
