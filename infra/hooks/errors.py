"""The one way in which a hook stops azd."""


class HookError(Exception):
    """azd must not go on; the text is one line that says why and what to do."""
