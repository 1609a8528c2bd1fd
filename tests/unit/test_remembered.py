"""The size of the cache `Remembered` is bounded."""

from b2b.workflows.conversion.remembered import MOST, Remembered
from tests.unit.protocol import HOUR, NOW


def test_the_least_recently_used_value_is_forgotten() -> None:
    memory = Remembered[str](most=2)
    memory.put("a", NOW, "first")
    memory.put("b", NOW, "second")
    assert memory.get("a") == (NOW, "first")
    memory.put("c", NOW, "third")
    assert [memory.get(name) is not None for name in "abc"] == [True, False, True]


def test_a_new_value_replaces_the_old_one() -> None:
    memory = Remembered[str]()
    memory.put("a", NOW, "old")
    memory.put("a", NOW + HOUR, "new")
    assert memory.get("a") == (NOW + HOUR, "new")


def test_the_memory_keeps_at_most_its_bound() -> None:
    memory = Remembered[int]()
    for number in range(3 * MOST):
        memory.put(f"{number}.example", NOW, number)
    assert sum(memory.get(f"{number}.example") is not None for number in range(3 * MOST)) == MOST
