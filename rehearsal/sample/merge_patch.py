"""Apply a JSON Merge Patch (RFC 7396), the form in which a variant changes the tenant."""

from collections.abc import Mapping
from typing import Any


def merge(target: Any, patch: Any) -> Any:
    """Return a copy of the target with the patch applied.

    An object is merged member by member, and `null` removes a member. Any other value, also a list, replaces the old
    one.
    """
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged
