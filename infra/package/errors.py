"""The one way in which a build ends early."""


class PackageError(Exception):
    """There is no package; the text is one line that says why and what to do."""
