"""Lists of names in the text of findings."""

from collections.abc import Sequence

from b2b.domain.hashing import digest


def listed(names: Sequence[str], most: int = 20) -> str:
    """Return up to ``most`` names as text, and for the rest their number and a digest.

    The digest makes the message change with the names, so that an approval of the message does not cover other names.
    """
    names = sorted(names)
    shown = ", ".join(names[:most])
    rest = names[most:]
    return f"{shown} and {len(rest)} more ({digest(' '.join(rest).encode())[:8]})" if rest else shown
