"""Write the zip. The same files give the same bytes, regardless of when and where the zip is written."""

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

_MOMENT = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16
LEVEL = 6


def files_of(folder: Path) -> Iterator[Path]:
    """Yield every file below a folder, in the order of their relative paths."""
    found = (Path(at, name) for at, _, names in os.walk(folder) for name in names)
    yield from sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def write(folder: Path, archive: Path, left_out: frozenset[str], comment: str) -> None:
    """Write every file of ``folder`` into a zip, except those directly in ``folder`` that ``left_out`` names."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as out:
        out.comment = comment.encode()
        for path in files_of(folder):
            name = path.relative_to(folder).as_posix()
            if name not in left_out:
                entry = zipfile.ZipInfo(name, _MOMENT)
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, _MODE
                out.writestr(entry, path.read_bytes())
