"""Keep a file of the test accounts that the probe has made, or may have made, and has not removed yet.

An account is noted before the call that makes it. So if the probe ends at any moment, the file names every account.
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
    """One account: its name, when the probe began to make it, and its object id, None until that is known."""

    name: str
    since: str
    id: str | None = None
    where: str = "directory"


class Leftovers:
    """The file of the test accounts in one tenant that are not removed yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._entries = {entry.name: entry for entry in self._read()}

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries.values()))

    def __len__(self) -> int:
        return len(self._entries)

    def note(self, entry: Entry) -> None:
        """Write the entry of an account, or replace it with what is now known."""
        self._entries[entry.name] = entry
        self._write()

    def drop(self, entry: Entry) -> None:
        """Delete the entry of an account that was removed."""
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
    """Lock the folder, so that only one probe uses it. The system ends the lock however the process ends.

    Raises:
        ProbeError: another probe uses the folder. Retry: when that probe has ended.

    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a", encoding="utf-8") as file:
        try:
            _lock(file)
        except OSError:
            raise ProbeError(f"Another probe is at work in {folder}; wait until it has ended.") from None
        yield
