"""What the Functions host loads. The app is built in `b2b.triggers.app`, where import-linter sees its imports."""

from b2b.triggers.app import app

__all__ = ["app"]
