"""An option that is off: leave out the parts of msgraph-sdk that the app does not import.

They are most of the package's size, and none of its start: what is not imported costs no time. Leaving them out is safe
as long as the app reads Graph's answers as bytes; the SDK's models import one another when an answer is read into them.
"""

from collections.abc import Collection
from pathlib import Path

GENERATED = Path("msgraph", "generated")


def trim(site_packages: Path, imported: Collection[Path]) -> None:
    """Remove every generated module of msgraph that is not among the imported ones, and then every empty folder."""
    generated = site_packages / GENERATED
    for path in generated.rglob("*.py"):
        if path not in imported:
            path.unlink()
    for path in sorted(generated.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
