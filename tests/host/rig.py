"""The real function app under the local host, with a tenant and storage of its own."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueClient

from rehearsal.host.process import HostProcess, wait_until
from rehearsal.tenant import RunningTenant, running

APP = Path(__file__).parents[2]
TENANT_ID = "8a1f6a7e-2d5b-4a53-9a6e-0f3c2b1d4e5f"
FABRIKAM = "4f9f0f5e-9a5b-4d1f-8b0a-3c2d1e0f9a8b"
NEVER = "0 0 3 1 1 *"
"""A schedule that no test run meets: tests start the sweep by hand."""
WORKING = ("requested", "inviting")
JSON = dict[str, Any]


def user_id(number: int) -> str:
    return f"0a000000-0000-4000-8000-{number:012d}"


def address(number: int) -> str:
    return f"partner{number}@fabrikam.com"


def seed(users: int = 40) -> JSON:
    """Contoso, and people of Fabrikam who are all ready to be converted."""
    return {
        "tenantId": TENANT_ID,
        "displayName": "Contoso",
        "domains": [{"id": "contoso.com", "isDefault": True}, {"id": "contoso.onmicrosoft.com", "isInitial": True}],
        "homeTenants": {"fabrikam.com": FABRIKAM},
        "users": [
            {
                "id": user_id(number),
                "userPrincipalName": f"partner{number}@contoso.com",
                "displayName": f"Partner {number}",
                "mail": address(number),
            }
            for number in range(users)
        ],
    }


def request(number: int, **fields: Any) -> JSON:
    return {"invitedUser": {"id": user_id(number)}, **fields}


@dataclass
class Rig:
    """A tenant, storage, and the app between them."""

    tenant: RunningTenant
    storage: str
    host: HostProcess

    def send(self, body: str | JSON) -> str:
        """Put a message on the queue, a text as it is; return its id."""
        text = body if isinstance(body, str) else json.dumps(body)
        with QueueClient.from_connection_string(self.storage, "conversion-requests") as queue:
            return queue.send_message(text).id

    def waiting(self, queue: str = "conversion-requests") -> int:
        """How many messages a queue holds, hidden ones as well."""
        with QueueClient.from_connection_string(self.storage, queue) as client:
            return client.get_queue_properties().approximate_message_count or 0

    def call(self, method: str, path: str, *, key: str | None = "", **options: Any) -> httpx.Response:
        """Call a route with the function key, or with another one, or with none."""
        headers = dict(options.pop("headers", {}))
        headers |= {} if key is None else {"x-functions-key": key or self.host.function_key}
        return httpx.request(method, self.host.base + path, headers=headers, timeout=60, trust_env=False, **options)

    def submit(self, body: JSON) -> httpx.Response:
        return self.call("POST", "/api/requests", json=body)

    def status(self, request_id: str) -> JSON:
        """What the app says about a request; nothing while it does not know it."""
        answer = self.call("GET", f"/api/requests/{request_id}")
        return dict(answer.json()) if answer.is_success else {}

    def stage(self, request_id: str) -> str | None:
        return self.status(request_id).get("stage")

    def settled(self, *request_ids: str, seconds: float = 30.0) -> list[str]:
        """Wait until the app has done with all requests for now; return where they stand."""
        wait_until(
            lambda: all(self.stage(each) not in {None, *WORKING} for each in request_ids),
            seconds,
            f"the end of {', '.join(request_ids)}",
        )
        return [str(self.stage(each)) for each in request_ids]

    def row(self, request_id: str) -> JSON | None:
        """The state row of a request, as it stands in the table."""
        with TableServiceClient.from_connection_string(self.storage) as service:
            found = service.get_table_client("requests").query_entities(
                "PartitionKey eq @key and RowKey eq 'request'", parameters={"key": request_id}
            )
            return next((dict(row) for row in found), None)

    def mails(self, number: int) -> list[JSON]:
        """The invitation mails that went out to one account."""
        return [mail for mail in self.tenant.control.mails() if mail["userId"] == user_id(number)]

    def posts(self) -> list[JSON]:
        """What was sent to Graph and was not a read, parts of batches as well."""
        calls = self.tenant.control.journal()
        return [call for call in calls if call["method"] != "GET" and not call["path"].endswith("/$batch")]


def environment(tenant: RunningTenant, storage: str, **settings: str | None) -> dict[str, str | None]:
    """The app's settings, and the host's where a test must not wait for minutes."""
    return {
        **tenant.identity_env,
        "B2BStorage": storage,
        "GRAPH_BASE_URL": tenant.graph_url,
        "B2B_MODE": "convert",
        "B2B_SWEEP_SCHEDULE": NEVER,
        "AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:00",
        "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.2",
        **settings,
    }


@contextmanager
def rig(storage: str, *, users: int = 40, roles: Sequence[str] | None = None, **settings: str | None) -> Iterator[Rig]:
    """Start tenant and host; `settings` go over the usual ones, None takes one away."""
    with (
        running(seed(users), roles=roles) as tenant,
        HostProcess(app_dir=APP, env=environment(tenant, storage, **settings)) as host,
    ):
        yield Rig(tenant, storage, host)
