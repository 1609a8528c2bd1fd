"""Where the package is built from and where it goes. Both names are fixed: hooks, workflow and docs use them."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SITE_PACKAGES = Path(".python_packages", "lib", "site-packages")
"""Where the Functions worker looks for an app's packages."""
APP_FILES = ("function_app.py", "host.json", "requirements.txt")
APP_FOLDERS = ("b2b",)


@dataclass(frozen=True, slots=True)
class Place:
    """One checkout and the folder in it that packages are built into."""

    root: Path = ROOT

    @property
    def output(self) -> Path:
        """The folder of everything that a build makes."""
        return self.root / "dist"

    @property
    def app(self) -> Path:
        """The package as a folder: what `azd` deploys."""
        return self.output / "app"

    @property
    def archive(self) -> Path:
        """The package as a zip: what `az` deploys."""
        return self.output / "b2b-conversion.zip"

    @property
    def requirements(self) -> Path:
        """Every package with its version and its hashes."""
        return self.root / "requirements.txt"

    @property
    def stray_packages(self) -> Path:
        """Where other tools put packages: never the builder's."""
        return self.root / SITE_PACKAGES.parts[0]
