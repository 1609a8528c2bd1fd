"""The positions that a real tenant was seen in, read from the file that `python -m probe` leaves."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rehearsal.tenant.switches import TABLE, Switches

FORMAT = 1


def read(path: Path) -> dict[str, str]:
    """Switches with the positions that were seen; ValueError for a file that is none, or names what does not exist.

    Where the tenant could not tell some positions apart, the default stays if it is one of them. What was skipped, what
    stayed unclear, and what fits no position leaves its switch alone.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
        if found["format"] != FORMAT:
            raise ValueError(f"{path} has format {found['format']}, not {FORMAT}")
        seen = [belief for belief in found["beliefs"] if "switch" in belief and belief["ended"] == "seen"]
        positions = {belief["switch"]: _position(belief) for belief in seen if belief["positions"]}
    except (OSError, KeyError, TypeError, json.JSONDecodeError):
        raise ValueError(f"{path} is no result of the probe") from None
    Switches(positions)
    return positions


def unusual(positions: Mapping[str, str]) -> dict[str, str]:
    """Those that are not the default."""
    return {name: position for name, position in positions.items() if position != TABLE[name].default}


def _position(belief: Mapping[str, Any]) -> str:
    switch = TABLE.get(belief["switch"])
    positions = list(belief["positions"])
    return switch.default if switch and switch.default in positions else str(positions[0])
