"""Azurite as the rehearsal starts it: new accounts, provisioning, and no process left behind."""

import os

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueClient, QueueServiceClient

from rehearsal.storage import DEFAULT_ACCOUNT, QUEUES, TABLES, Azurite, StorageError, provision


def test_provisioning_creates_the_queues_and_tables_and_can_be_repeated(storage: str) -> None:
    provision(storage)
    with QueueServiceClient.from_connection_string(storage) as queues:
        assert {queue.name for queue in queues.list_queues()} == set(QUEUES)
    with TableServiceClient.from_connection_string(storage) as tables:
        assert {table.name for table in tables.list_tables()} == set(TABLES)


def test_storage_accounts_do_not_share_queues(azurite: Azurite) -> None:
    first, second = (azurite.connection_string(azurite.account()) for _ in range(2))
    with QueueClient.from_connection_string(first, "letters") as queue:
        queue.create_queue()
    with QueueClient.from_connection_string(second, "letters") as queue, pytest.raises(ResourceNotFoundError):
        queue.get_queue_properties()


def test_the_default_emulator_account_exists(azurite: Azurite) -> None:
    with QueueServiceClient.from_connection_string(azurite.connection_string(DEFAULT_ACCOUNT)) as queues:
        assert list(queues.list_queues()) == []


def test_the_process_ends_with_its_context_and_reports_when_accounts_run_out() -> None:
    with Azurite(accounts=1) as azurite:
        pid = azurite.pid
        azurite.account()
        with pytest.raises(StorageError, match="All 1 accounts are taken"):
            azurite.account()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_taken_port_is_reported_with_azurites_output(azurite: Azurite) -> None:
    taken = int(azurite.endpoint("queue").split(":")[2].split("/")[0])
    with pytest.raises(StorageError, match="EADDRINUSE"), Azurite(ports=(0, taken, 0)):
        pass
