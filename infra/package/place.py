"""The folders from which and into which the package is built. The hooks, the workflow and the docs use their names."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SITE_PACKAGES = Path(".python_packages", "lib", "site-packages")
"""The folder in which the Functions worker looks for an app's packages."""
APP_FILES = ("function_app.py", "host.json", "requirements.txt")
APP_FOLDERS = ("b2b",)


@dataclass(frozen=True, slots=True)
class Place:
    """A checkout, and the folder in it into which packages are built."""

    root: Path = ROOT

    @property
    def output(self) -> Path:
        """The folder for everything that a build writes."""
        return self.root / "dist"

    @property
    def app(self) -> Path:
        """The package as a folder, which `azd` deploys."""
        return self.output / "app"

    @property
    def archive(self) -> Path:
        """The package as a zip, which `az` deploys."""
        return self.output / "b2b-conversion.zip"

    @property
    def requirements(self) -> Path:
        """The file with every dependency, its version and its hashes."""
        return self.root / "requirements.txt"

    @property
    def stray_packages(self) -> Path:
        """The folder into which other tools install packages. The builder never writes to it."""
        return self.root / SITE_PACKAGES.parts[0]
