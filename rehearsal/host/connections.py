"""From the name of a connection, as a trigger has it, to a client of the Queue service."""

from collections.abc import Mapping
from contextlib import AsyncExitStack

from azure.core.credentials_async import AsyncTokenCredential
from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential
from azure.storage.queue.aio import QueueServiceClient

from rehearsal.host.config import ConfigError
from rehearsal.host.log import quiet

_PREFIX = "AzureWebJobs"


class Connections:
    """One client per connection name, all closed with the stack they were made in.

    The setting `AzureWebJobs<name>` comes before `<name>` (WebJobs SDK, GetWebJobsConnectionSection). Either is a
    connection string, or the head of a section for a managed identity: `<name>__queueServiceUri` or
    `<name>__accountName`, with `__credential` and `__clientId`.
    """

    def __init__(self, environment: Mapping[str, str], stack: AsyncExitStack) -> None:
        self._environment = environment
        self._stack = stack
        self._clients: dict[str, QueueServiceClient] = {}

    async def queues(self, name: str) -> QueueServiceClient:
        """The Queue service behind a connection name; `ConfigError` when no setting describes it."""
        if name not in self._clients:
            self._clients[name] = await self._stack.enter_async_context(await self._client(name or "Storage"))
        return self._clients[name]

    async def _client(self, name: str) -> QueueServiceClient:
        for key in (_PREFIX + name, name):
            text = self._environment.get(key)
            if text:
                return QueueServiceClient.from_connection_string(text, logger=quiet, retry_total=3)
            address = self._address(key)
            if address:
                credential = await self._stack.enter_async_context(self._credential(key))
                return QueueServiceClient(address, credential=credential, logger=quiet, retry_total=3)
        raise ConfigError(f"Storage connection '{name}' does not exist: set {name} or {name}__queueServiceUri.")

    def _address(self, key: str) -> str | None:
        account = self._environment.get(f"{key}__accountName")
        return self._environment.get(f"{key}__queueServiceUri") or (
            f"https://{account}.queue.core.windows.net" if account else None
        )

    def _credential(self, key: str) -> AsyncTokenCredential:
        if self._environment.get(f"{key}__credential", "").lower() == "managedidentity":
            return ManagedIdentityCredential(client_id=self._environment.get(f"{key}__clientId"))
        return DefaultAzureCredential()
