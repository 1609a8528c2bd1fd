"""The HTTP contract as files: OpenAPI 3.1, the connector's OpenAPI 2.0, and the schema of a request for flows."""

import json
from typing import Any

from b2b.api import connector
from b2b.api import openapi as described
from b2b.api.routes import ROUTES


def openapi() -> str:
    """OpenAPI 3.1, as the app tells it of itself."""
    return _text(described.document(ROUTES, f"https://{connector.HOST}"))


def swagger() -> str:
    """OpenAPI 2.0 for a custom connector."""
    return _text(connector.document(ROUTES))


def parse_json() -> str:
    """The schema of a request for *Parse JSON*."""
    return _text(connector.parse_json_schema())


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
