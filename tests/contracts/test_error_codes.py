"""The app uses exactly the error codes of the table."""

import ast
import re
from collections.abc import Iterator

from b2b.api.routes import ROUTES
from b2b.domain.error_codes import ErrorCode
from b2b.domain.request.record import NEVER_RAN
from tests.contracts.pages import ROOT

RAISED_IN = [
    path
    for name in ("domain/errors.py", "domain/request/*.py", "domain/campaign/*.py", "workflows/**/*.py", "api/**/*.py")
    for path in (ROOT / "b2b").glob(name)
    if path.name != "__init__.py"
]


NOT_CODES = {"ContentData", "NotStarted", "Content-Length", "ExternalAzureAD", "MicrosoftAccount"}


def constants(module: ast.Module) -> Iterator[str]:
    """Yield the error codes that a module uses, and strings that look like one: two or more words run together."""
    for node in ast.walk(module):
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(node, ast.Attribute) and node.attr in ErrorCode.__members__:
            yield ErrorCode[node.attr]
        if isinstance(value, str) and re.fullmatch(r"[A-Z][a-z0-9]+([A-Z][a-z0-9]*)+", value):
            yield value


def test_the_app_uses_exactly_the_error_codes_of_the_table() -> None:
    operations = {route.operation_id for route in ROUTES}
    trees = [ast.parse(path.read_text("utf-8")) for path in RAISED_IN]
    used = {code for tree in trees for code in constants(tree)} - NOT_CODES - operations
    assert used - {NEVER_RAN} == set(ErrorCode)
