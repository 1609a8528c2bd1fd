"""The local host's queue trigger on a real queue service: leases, retries, poison, encodings, concurrency."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueServiceClient

from rehearsal.host.backoff import Backoff
from rehearsal.host.process import HostProcess, wait_until
from rehearsal.storage import Azurite

APP = Path(__file__).parent / "apps" / "queues"
OPTIONS = "AzureFunctionsJobHost__extensions__queues__"


class Bench:
    """A storage account with the queue `work`, the settings of a host that serves it, and the notes that the app
    writes.
    """

    def __init__(self, connection_string: str, directory: Path) -> None:
        self.service = QueueServiceClient.from_connection_string(connection_string)
        self.release = directory / "release"
        self._notes = directory / "notes"
        self.env: dict[str, str | None] = {
            "Work": connection_string,
            "CONNECTION": "Work",
            "QUEUE": "work",
            "NOTES": str(self._notes),
            "RELEASE": str(self.release),
        }

    def host(self, **options: str) -> HostProcess:
        overrides = {OPTIONS + name: value for name, value in options.items()}
        return HostProcess(app_dir=APP, env={**self.env, **overrides})

    def queue(self, name: str = "work") -> QueueClient:
        return self.service.get_queue_client(name)

    def send(self, *bodies: str, queue: str = "work", **options: Any) -> None:
        for body in bodies:
            self.queue(queue).send_message(body, **options)

    def notes(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._notes.read_text().splitlines()] if self._notes.exists() else []

    def holds(self, queue: str) -> list[str]:
        """Return the bodies of the visible messages in a queue; empty if there is no such queue."""
        try:
            return [message.content for message in self.queue(queue).peek_messages(max_messages=32)]
        except ResourceNotFoundError:
            return []

    def is_empty(self, queue: str = "work") -> bool:
        return self.queue(queue).get_queue_properties().approximate_message_count == 0


@pytest.fixture
def bench(azurite: Azurite, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(azurite.connection_string(azurite.account()), tmp_path)
    with made.service:
        made.service.create_queue("work")
        yield made


def test_a_message_runs_once_with_its_metadata_and_is_deleted(bench: Bench) -> None:
    sent = bench.queue().send_message("plain text")
    with bench.host() as host:
        wait_until(bench.is_empty)
        assert host.invocations()["work"].succeeded == 1
        assert "plain text" not in host.log()
    (note,) = bench.notes()
    assert (note["body"], note["id"], note["count"]) == ("plain text", sent.id, 1)
    assert note["receipt"]
    assert note["inserted"] == str(sent.inserted_on)


def test_a_failing_message_is_tried_5_times_and_then_kept_in_poison_for_7_days(bench: Bench) -> None:
    sent = bench.queue().send_message("fail", time_to_live=60)
    with bench.host() as host:
        wait_until(lambda: bench.holds("work-poison"))
        wait_until(bench.is_empty)
        assert host.invocations()["work"].failed == 5
        assert "told to fail" in host.log()
    notes = bench.notes()
    assert [note["count"] for note in notes] == [1, 2, 3, 4, 5]
    assert notes[-1]["at"] - notes[0]["at"] < 15
    (poisoned,) = bench.queue("work-poison").peek_messages()
    assert (poisoned.content, poisoned.dequeue_count) == ("fail", 0)
    assert poisoned.id != sent.id
    assert poisoned.expires_on and poisoned.inserted_on  # noqa: PT018 - narrows both for the line below
    assert poisoned.expires_on - poisoned.inserted_on == timedelta(days=7)


def test_the_visibility_timeout_is_the_delay_between_two_tries(bench: Bench) -> None:
    bench.send("fail")
    with bench.host(visibilityTimeout="00:00:01", maxDequeueCount="2"):
        wait_until(lambda: bench.holds("work-poison"))
    first, second = (note["at"] for note in bench.notes())
    assert 0.9 < second - first < 30


def test_a_message_over_the_dequeue_maximum_goes_to_poison_without_running(bench: Bench) -> None:
    bench.send("never run")
    for _ in range(2):
        message = bench.queue().receive_message(visibility_timeout=60)
        assert message
        bench.queue().update_message(message, visibility_timeout=0)
    with bench.host(maxDequeueCount="2"):
        wait_until(lambda: bench.holds("work-poison") == ["never run"])
    assert bench.notes() == []


def test_a_running_message_stays_hidden_even_if_the_app_blocks_its_loop(bench: Bench) -> None:
    bench.env["REHEARSAL_MESSAGE_LEASE_SECONDS"] = "1"
    bench.send("block:2.5")
    with bench.host() as host:
        wait_until(bench.is_empty)
        assert host.invocations()["work"].started == 1
    assert [note["count"] for note in bench.notes()] == [1]


def test_a_message_of_a_killed_host_returns_when_its_lease_ends(bench: Bench) -> None:
    bench.env["REHEARSAL_MESSAGE_LEASE_SECONDS"] = "1"
    bench.send("hold")
    with bench.host() as host:
        wait_until(bench.notes)
        host.kill()
    bench.release.touch()
    with bench.host():
        wait_until(bench.is_empty)
    assert [note["count"] for note in bench.notes()] == [1, 2]


def test_a_message_deleted_while_it_ran_does_not_disturb_the_next_one(bench: Bench) -> None:
    bench.send("hold")
    with bench.host() as host:
        wait_until(bench.notes)
        bench.queue().clear_messages()
        bench.release.touch()
        bench.send("next")
        wait_until(lambda: host.invocations()["work"].succeeded == 2)


def test_no_batch_is_fetched_while_more_than_the_threshold_are_running(bench: Bench) -> None:
    bench.send(*["sleep:0.2"] * 6)
    with bench.host(batchSize="2", newBatchThreshold="0"):
        wait_until(bench.is_empty)
    assert max(note["running"] for note in bench.notes()) == 2


def test_batch_size_plus_threshold_limits_concurrent_messages(bench: Bench) -> None:
    bench.send("hold", "first", "hold", "hold", "hold", "hold")
    with bench.host(batchSize="2", newBatchThreshold="1") as host:
        wait_until(lambda: host.invocations()["work"].running == 3)
        bench.release.touch()
        wait_until(bench.is_empty)
    assert max(note["running"] for note in bench.notes()) == 3


def test_the_host_waits_for_a_missing_queue_and_never_creates_it(bench: Bench) -> None:
    bench.service.delete_queue("work")
    with bench.host() as host:
        wait_until(lambda: "Host is ready" in host.log())
        assert [queue.name for queue in bench.service.list_queues()] == []
        bench.service.create_queue("work")
        bench.send("late")
        wait_until(bench.notes)
        assert "Error" not in host.log()


def test_base64_bodies_are_decoded_and_others_go_to_poison_unchanged(bench: Bench) -> None:
    bench.send("Z3LDvMOfZQ==", '{"plain": true}')
    with bench.host(messageEncoding="base64"):
        wait_until(bench.is_empty)
        assert bench.holds("work-poison") == ['{"plain": true}']
    assert [note["body"] for note in bench.notes()] == ["grüße"]


def test_properties_of_the_body_override_the_messages_metadata(bench: Bench) -> None:
    bench.send('{"ID": "X", "dequeueCount": 99, "popReceipt": 7}')
    with bench.host():
        wait_until(bench.is_empty)
    (note,) = bench.notes()
    assert (note["id"], note["count"], note["receipt"]) == ("X", 99, "7")


@pytest.mark.parametrize("body", ['{"dequeueCount": "many"}', '{"insertionTime": "yesterday"}'])
def test_an_undecodable_body_goes_to_poison_after_5_tries_and_never_reaches_the_app(bench: Bench, body: str) -> None:
    bench.send(body)
    with bench.host() as host:
        wait_until(lambda: bench.holds("work-poison") == [body])
        assert host.invocations()["work"].failed == 5
    assert bench.notes() == []


def test_a_failed_message_of_a_poison_queue_stays_hidden_until_its_lease_ends(bench: Bench) -> None:
    bench.env |= {"QUEUE": "Other-Poison", "REHEARSAL_MESSAGE_LEASE_SECONDS": "1"}
    bench.service.create_queue("other-poison")
    bench.send("fail", queue="other-poison")
    with bench.host():
        wait_until(lambda: len(bench.notes()) == 2)
    first, second = bench.notes()
    assert second["at"] - first["at"] > 0.9
    assert {queue.name for queue in bench.service.list_queues()} == {"work", "other-poison"}


def test_the_poll_delay_grows_to_the_maximum_and_restarts_after_a_message() -> None:
    backoff = Backoff(timedelta(seconds=5))
    delays = [backoff.next(found=False) for _ in range(12)]
    assert delays == sorted(delays)
    assert 0.18 <= delays[0] <= 0.22
    assert delays[-1] == 5
    assert backoff.next(found=True) == 0.1
    assert backoff.next(found=False) <= 0.22


def test_when_the_app_exits_other_invocations_fail_and_the_host_exits(bench: Bench) -> None:
    bench.send("hold")
    with bench.host(newBatchThreshold="1") as host:
        wait_until(bench.notes)
        bench.send("exit")
        assert host.wait(20) == 1
    assert sorted(bench.holds("work")) == ["exit", "hold"]


def test_a_timeout_fails_other_running_invocations_and_the_host_exits(bench: Bench) -> None:
    bench.env["AzureFunctionsJobHost__functionTimeout"] = "00:00:01"
    bench.send("block:30", "hold")
    with bench.host(visibilityTimeout="00:00:00") as host:
        assert host.wait(20) == 1
        assert "Timeout value of 0:00:01 exceeded by function 'Functions.work'" in host.log()
    assert sorted(bench.holds("work")) == ["block:30", "hold"]
