"""What an instance remembers of domains and companies does not grow without end."""

from b2b.workflows.conversion.remembered import MOST, Remembered
from tests.unit.protocol import HOUR, NOW


def test_what_was_used_last_is_kept() -> None:
    memory = Remembered[str](most=2)
    memory.put("a", NOW, "first")
    memory.put("b", NOW, "second")
    assert memory.get("a") == (NOW, "first")
    memory.put("c", NOW, "third")
    assert [memory.get(name) is not None for name in "abc"] == [True, False, True]


def test_a_value_that_is_read_again_replaces_the_one_before() -> None:
    memory = Remembered[str]()
    memory.put("a", NOW, "old")
    memory.put("a", NOW + HOUR, "new")
    assert memory.get("a") == (NOW + HOUR, "new")


def test_no_more_is_kept_than_the_bound() -> None:
    memory = Remembered[int]()
    for number in range(3 * MOST):
        memory.put(f"{number}.example", NOW, number)
    assert sum(memory.get(f"{number}.example") is not None for number in range(3 * MOST)) == MOST
