"""The module that the Functions host loads.

The code is in `b2b.triggers.app`, because import-linter checks packages only.
"""

from b2b.triggers.app import app

__all__ = ["app"]
