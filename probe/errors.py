"""The errors that end a question or the whole probe without an answer. Each text is one sentence for the operator."""

from probe.graph import Answer


class ProbeError(Exception):
    """The probe cannot continue. The text says what to change before the next run."""


class Skipped(Exception):
    """A question was not asked, because the tenant, the sign-in or the operator lacks what the question needs."""


class Unclear(Exception):
    """A question was asked, but Graph's answer decides it neither way. Retry: perhaps in a later run."""

    def __init__(self, reason: str, answer: Answer | None = None) -> None:
        super().__init__(reason)
        self.answer = answer
