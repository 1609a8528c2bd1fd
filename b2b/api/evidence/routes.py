"""The route that gives out evidence."""

import logging
from enum import StrEnum
from typing import Final

import msgspec

from b2b.api.answers import JSON, Reply
from b2b.api.callers import Role
from b2b.api.door import Call, Workflows
from b2b.api.evidence.answers import Evidence
from b2b.api.evidence.page import page
from b2b.api.evidence.show import evidence
from b2b.api.route import Parameter, Route
from b2b.domain.error_codes import ErrorCode as E
from b2b.domain.errors import RequestRefused
from b2b.evidence import digest_of, line

log = logging.getLogger(__name__)

HTML: Final = "text/html"
SAFE: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
"""The evidence names people, so no cache may store it, no page may frame it, and no script may run in it."""


class Form(StrEnum):
    """The forms of evidence."""

    JSON = "json"
    HTML = "html"


FORM: Final = Parameter("format", "The form: `json`, the default, or `html`, a page to print.", Form)


async def give(app: Workflows, call: Call) -> Reply:
    """Give out evidence, and write its SHA-256 to the log."""
    form = _form(call.query.get(FORM.name, Form.JSON))
    found = await app.dossier.of(call.path["userId"])
    told = evidence(found, call.caller.actor)
    content = page(told) if form is Form.HTML else msgspec.json.format(msgspec.json.encode(told), indent=2)
    user_id, digest = found.access.conversion.user_id, digest_of(content)
    log.info("%s", line(digest, user_id, form))
    named = f'inline; filename="evidence-{user_id}.{form}"'
    headers = {**SAFE, "Content-Disposition": named, "X-Evidence-SHA256": digest}
    return Reply(200, content, headers, HTML if form is Form.HTML else JSON)


def _form(text: str) -> Form:
    try:
        return Form(text)
    except ValueError:
        said = f"{FORM.name}: expected {' or '.join(Form)}"
        raise RequestRefused(E.INVALID_VALUE, said, FORM.name) from None


ROUTES: Final = (
    Route(
        name="conversion_evidence",
        method="GET",
        path="conversions/{userId}/evidence",
        handler=give,
        roles=frozenset({Role.READ, Role.DECIDE, Role.MANAGE}),
        summary="Get the evidence of an account",
        text="Returns all that the app knows of an account's conversion, as JSON or as a page. "
        "The app writes its SHA-256 to the log.",
        query=(FORM,),
        answers={200: Evidence},
        also=(HTML,),
        own_errors=(E.CONVERSION_NOT_FOUND, E.INVALID_VALUE),
        in_connector=False,
    ),
)
