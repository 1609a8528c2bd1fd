"""Write the HTTP contract as OpenAPI 3.1, as OpenAPI 2.0 for a connector, and as a schema for *Parse JSON* in flows."""

import json
from typing import Any

from b2b.api import connector
from b2b.api import openapi as described
from b2b.api.routes import ROUTES


def openapi() -> str:
    """Return the OpenAPI 3.1 document that the app serves."""
    return _text(described.document(ROUTES, f"https://{connector.HOST}"))


def swagger() -> str:
    """Return the OpenAPI 2.0 document for a custom connector."""
    return _text(connector.document(ROUTES))


def parse_json() -> str:
    """Return the schema of a request for the action *Parse JSON*."""
    return _text(connector.parse_json_schema())


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
