"""Find the facts and properties that a rule needs and could not read, and say so in a finding."""

from dataclasses import dataclass
from typing import Any, Self

from b2b.domain.eligibility import facts
from b2b.domain.eligibility.case import Case
from b2b.domain.eligibility.fact import Fact
from b2b.domain.eligibility.rule import Rule


@dataclass(frozen=True)
class Unread:
    """What a rule needs and could not read.

    ``denied``: facts for which the permission is missing. ``refused``: facts that Graph refused for another reason,
    each with Graph's answer. ``withheld``: properties of the account that Graph left out of its answer.
    """

    denied: tuple[Fact[Any], ...]
    refused: tuple[tuple[Fact[Any], str], ...]
    withheld: tuple[str, ...]

    @classmethod
    def of(cls, rule: Rule, case: Case) -> Self:
        """Return what a rule needs and could not read in this case."""
        unreadable = case.facts.unreadable
        missing = [(fact, unreadable[fact].because) for fact in facts.FACTS if fact in rule.needs & unreadable.keys()]
        withheld = case.account.withheld if case.account else ()
        return cls(
            denied=tuple(fact for fact, because in missing if not because),
            refused=tuple((fact, because) for fact, because in missing if because),
            withheld=tuple(name for name in withheld if name in rule.reads),
        )

    def __bool__(self) -> bool:
        return bool(self.denied or self.refused or self.withheld)

    @property
    def said(self) -> str:
        """The facts and properties that could not be read, as the text of a finding."""
        names = ", ".join(sorted(fact.name for fact in self.denied))
        parts = [
            f"{names} cannot be read without {self._permissions}" if names else "",
            *(f"{because} to the question for the {fact.name}" for fact, because in self.refused),
            f"Graph's answer for the account has no {', '.join(self.withheld)}" if self.withheld else "",
        ]
        return "; ".join(filter(None, parts))

    @property
    def advice(self) -> str:
        """What an administrator can do so that the app can read them, as the beginning of a finding's fix."""
        by_name = any(fact is facts.ACCOUNT for fact, _ in self.refused)
        parts = [
            f"grant {self._permissions} to the application" if self.denied else "",
            "name the account by its object id" if by_name else "",
            "ask the same question in Graph Explorer to see why"
            if self.withheld or (self.refused and not by_name)
            else "",
        ]
        text = ", and ".join(filter(None, parts))
        return text[:1].upper() + text[1:]

    @property
    def _permissions(self) -> str:
        return ", ".join(sorted({fact.permission for fact in self.denied}))
