"""The module that the Functions host loads. `b2b.triggers.app` builds the app: import-linter checks only packages."""

from b2b.triggers.app import app

__all__ = ["app"]
