"""The error by which a hook stops azd."""


class HookError(Exception):
    """A hook failed, and azd must stop. The text says in one line why, and what to do."""
