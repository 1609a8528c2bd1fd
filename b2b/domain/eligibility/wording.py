"""How findings name things."""

from collections.abc import Sequence

from b2b.domain.hashing import digest


def listed(names: Sequence[str], most: int = 20) -> str:
    """List up to ``most`` names. A digest of the rest keeps the message unique, so an approval notices changes."""
    names = sorted(names)
    shown = ", ".join(names[:most])
    rest = names[most:]
    return f"{shown} and {len(rest)} more ({digest(' '.join(rest).encode())[:8]})" if rest else shown
