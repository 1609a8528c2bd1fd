"""The error with which a build fails."""


class PackageError(Exception):
    """A build failed, and there is no package. The text says in one line why, and what to do."""
