"""Report a rehearsal of the user's own list: people by stage, and who is not released and why."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rehearsal.run.report import people, reasons

MOST_NAMED = 20
"""The most people to name; the campaign's CSV names all."""


def table(members: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the number of people in each stage, the reasons against releasing, and the first people not released."""
    yield from people(members)
    held = [member for member in members if member["stage"] == "judged"]
    if not held:
        return
    yield ""
    yield from reasons(members)
    yield ""
    yield f"{'Who':<40}  because of"
    for member in held[:MOST_NAMED]:
        who = (
            member["userPrincipalName"] or member["invitedUserEmailAddress"] or member["reference"] or member["member"]
        )
        yield f"{who:<40}  {', '.join(member['rules'])}"
    if len(held) > MOST_NAMED:
        yield f"and {len(held) - MOST_NAMED} more"
