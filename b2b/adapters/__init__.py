"""One outside service per module."""
