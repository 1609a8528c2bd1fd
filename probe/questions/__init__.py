"""All questions, in the order in which they are asked: first those that cost nothing, last those that need a person."""

from probe.questions import pending, permissions, reads, refusals
from probe.questions.question import Question, Reading

QUESTIONS: tuple[Question, ...] = (
    *reads.QUESTIONS,
    *refusals.QUESTIONS,
    *permissions.QUESTIONS,
    *pending.QUESTIONS,
)
__all__ = ["QUESTIONS", "Question", "Reading"]
