"""The handler that returns the description of the API."""

from b2b.api.answers import Reply
from b2b.api.door import Call, Workflows


async def openapi(app: Workflows, call: Call) -> Reply:
    """Return the description of the API, with the address under which the caller reached it."""
    return Reply(200, app.describe(call.base_url))
