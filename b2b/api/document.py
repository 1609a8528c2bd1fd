"""Handler of the document that describes the API."""

from b2b.api.answers import Reply
from b2b.api.door import Call, Workflows


async def openapi(app: Workflows, call: Call) -> Reply:
    """Describe the API as it is reached from outside."""
    return Reply(200, app.describe(call.base_url))
