"""JSON Merge Patch (RFC 7396): how a variant changes the tenant."""

from collections.abc import Mapping
from typing import Any


def merge(target: Any, patch: Any) -> Any:
    """Return the target with the patch applied; neither of the two is changed.

    An object is merged member by member, `null` removes a member, anything else (a list too) replaces what was there.
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
