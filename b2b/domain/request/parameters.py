"""Query parameters of the HTTP routes: one that a route does not know is refused, because it would be ignored."""

from collections.abc import Iterable

from b2b.domain.errors import RequestRefused

KNOWN = frozenset({"code"})
"""The function key, which the host takes out of the address where it is not in a header."""


def check(names: Iterable[str]) -> None:
    """Refuse what no route takes.

    Raises:
        RequestRefused: names the first one. `?dryRun=true` must not turn into a conversion by being overlooked.

    """
    strange = sorted(set(names) - KNOWN)
    if strange:
        message = f"{strange[0]}: not a known query parameter; what a request says stands in its body"
        raise RequestRefused("UnknownParameter", message, strange[0])
