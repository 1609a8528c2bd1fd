"""Every question, in the order in which it is asked: what costs nothing first, what costs a person's time last."""

from probe.questions import pending, permissions, reads, refusals
from probe.questions.question import Question, Reading

QUESTIONS: tuple[Question, ...] = (
    *reads.QUESTIONS,
    *refusals.QUESTIONS,
    *permissions.QUESTIONS,
    *pending.QUESTIONS,
)
__all__ = ["QUESTIONS", "Question", "Reading"]
