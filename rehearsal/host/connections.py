"""Make a client of the Queue service from the connection name in a trigger."""

from collections.abc import Mapping
from contextlib import AsyncExitStack

from azure.core.credentials_async import AsyncTokenCredential
from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential
from azure.storage.queue.aio import QueueServiceClient

from rehearsal.host.config import ConfigError
from rehearsal.host.log import quiet

_PREFIX = "AzureWebJobs"


class Connections:
    """Creates one client per connection name. The given exit stack closes the clients.

    The setting `AzureWebJobs<name>` takes precedence over `<name>` (WebJobs SDK, GetWebJobsConnectionSection). Either
    is a connection string, or the prefix of settings for a managed identity: `<name>__queueServiceUri` or
    `<name>__accountName`, with `<name>__credential` and `<name>__clientId`.
    """

    def __init__(self, environment: Mapping[str, str], stack: AsyncExitStack) -> None:
        self._environment = environment
        self._stack = stack
        self._clients: dict[str, QueueServiceClient] = {}

    async def queues(self, name: str) -> QueueServiceClient:
        """Return the client for a connection name. Raises `ConfigError` if no setting defines the connection."""
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
