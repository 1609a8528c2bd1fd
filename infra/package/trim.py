"""Remove the parts of msgraph-sdk that the app does not import. This is an option, and off by default.

These parts are most of the package's size, but do not slow the start, because a module that is not imported costs no
time. Removing them is safe as long as the app reads Graph's answers as bytes. If the SDK parsed an answer, its models
would import one another.
"""

from collections.abc import Collection
from pathlib import Path

GENERATED = Path("msgraph", "generated")


def trim(site_packages: Path, imported: Collection[Path]) -> None:
    """Remove every generated module of msgraph that is not in ``imported``, and then every empty folder."""
    generated = site_packages / GENERATED
    for path in generated.rglob("*.py"):
        if path not in imported:
            path.unlink()
    for path in sorted(generated.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
