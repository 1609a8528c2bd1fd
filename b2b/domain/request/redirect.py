"""Check and complete the redirect address, to which Microsoft sends a person after redemption.

The address is sent to Graph unchanged except for two corrections (`sent_as`).
"""

import re
from urllib.parse import urlsplit

from b2b.domain.characters import shown, unseen, with_character

LONGEST_URL = 2048
"""The most bytes of a redirect address: browsers accept it, and it fits into a finding."""
NO_URL = "expected an absolute https URL"
FORBIDDEN = '\\ < > "'
"""Characters that no URL contains unless they are percent-encoded. Invisible characters are refused as well."""
_FORBIDDEN = frozenset(FORBIDDEN.split())
NOT_ASCII = r"^\x21-\x7e"
_AUTHORITY = re.compile(r"[^/?#]*//([^/?#]*)")
_SCHEME = re.compile(r"(https?)(?=:)", re.IGNORECASE)
_EMPTY_TENANT = re.compile(r"(?<=[?&])(tenantid=)(?=&|$)", re.IGNORECASE)


def authority_of(url: str) -> str:
    """Return the text between `//` and the path of a URL, unchanged; empty if there is none."""
    found = _AUTHORITY.match(url)
    return found[1] if found else ""


def host_of(url: str) -> str:
    """Return the host of a URL in lower case; empty if there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def redirect_problem(url: str) -> str | None:
    """Return why a text is not a redirect address; None if it is one.

    A redirect address is an absolute http or https URL with a host, and without user, password and port.
    """
    strange = next((character for character in url if character in _FORBIDDEN or unseen(character)), None)
    if strange:
        return f"{NO_URL}; the character {shown(strange)} has to be percent-encoded or left out"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return with_character(NO_URL, authority_of(url), NOT_ASCII)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return NO_URL
    if parts.username is not None or parts.password is not None or port is not None:
        return "expected a URL without user, password or port"
    return None if len(url.encode()) <= LONGEST_URL else f"expected at most {LONGEST_URL} bytes"


def sent_as(url: str, tenant_id: str) -> str:
    """Return a redirect address as it is sent to Graph: with https, and with the tenant's id in an empty `tenantId=`.

    Every other byte stays as it is, because a query that is decoded and encoded again is a different query.
    """
    before, mark, fragment = _SCHEME.sub(_secured, url, count=1).partition("#")
    path, question, query = before.partition("?")
    filled = _EMPTY_TENANT.sub(rf"\g<1>{tenant_id}", f"{question}{query}")
    return f"{path}{filled}{mark}{fragment}"


def _secured(scheme: re.Match[str]) -> str:
    return scheme.group() if scheme.group().lower() == "https" else "https"


def names_tenant(url: str) -> bool:
    """Tell whether the query of a URL has a `tenantId` with a value."""
    return re.search(r"[?&]tenantid=[^&#]", url.partition("#")[0], re.IGNORECASE) is not None


def with_tenant(url: str, tenant_id: str) -> str:
    """Return a URL with the tenant's id added to its query."""
    before, mark, fragment = url.partition("#")
    join = "" if before.endswith(("?", "&")) else "&" if "?" in before else "?"
    return f"{before}{join}tenantId={tenant_id}{mark}{fragment}"
