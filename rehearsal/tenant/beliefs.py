"""Read the switch positions that `python -m probe` saw in a real tenant from its result file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rehearsal.tenant.switches import TABLE, Switches

FORMAT = 1


def read(path: Path) -> dict[str, str]:
    """Return the switches with the positions that the probe saw.

    If the probe could not tell several positions apart, the default is taken if it is among them, else the first. A
    switch is left out if its question was skipped, stayed unclear, or got an answer that fits no position.

    Raises:
        ValueError: the file is no result of the probe, or names an unknown switch or position.
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
    """Return the positions that are not the default of their switch."""
    return {name: position for name, position in positions.items() if position != TABLE[name].default}


def _position(belief: Mapping[str, Any]) -> str:
    switch = TABLE.get(belief["switch"])
    positions = list(belief["positions"])
    return switch.default if switch and switch.default in positions else str(positions[0])
