"""What the probe has made, or may have made, and not yet removed: a file that is ahead of every call.

An account is written down before it is asked for, so that an end at any moment leaves no account without a line.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from probe.errors import ProbeError

if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[str]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: IO[str]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@dataclass(slots=True)
class Entry:
    """One account: its name, when it was asked for, and its object id as soon as that is known."""

    name: str
    since: str
    id: str | None = None
    where: str = "directory"


class Leftovers:
    """The file of one tenant."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._entries = {entry.name: entry for entry in self._read()}

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries.values()))

    def __len__(self) -> int:
        return len(self._entries)

    def note(self, entry: Entry) -> None:
        """Write an account down, or what is known of it by now."""
        self._entries[entry.name] = entry
        self._write()

    def drop(self, entry: Entry) -> None:
        """Strike out an account that is gone."""
        self._entries.pop(entry.name, None)
        self._write()

    def _read(self) -> list[Entry]:
        try:
            return [Entry(**given) for given in json.loads(self.path.read_text("utf-8"))]
        except FileNotFoundError:
            return []
        except (ValueError, TypeError):
            raise ProbeError(f"{self.path} cannot be read; move it away and run with --clean.") from None

    def _write(self) -> None:
        text = json.dumps([asdict(entry) for entry in self._entries.values()], indent=1)
        beside = self.path.with_suffix(".new")
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder for one probe; the system lets go of it however the process ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a", encoding="utf-8") as file:
        try:
            _lock(file)
        except OSError:
            raise ProbeError(f"Another probe is at work in {folder}; wait until it has ended.") from None
        yield
