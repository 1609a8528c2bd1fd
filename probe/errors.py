"""How a question, or the whole probe, ends without an answer. Every text is one sentence for the operator."""

from probe.graph import Answer


class ProbeError(Exception):
    """The probe cannot go on."""


class Skipped(Exception):
    """A question is not asked: the tenant, the sign-in or the operator lacks what it takes."""


class Unclear(Exception):
    """A question was asked, and what came back answers it neither way."""

    def __init__(self, reason: str, answer: Answer | None = None) -> None:
        super().__init__(reason)
        self.answer = answer
