"""What looks alike: a name and an address, a company and the tenant, a worker type and an employee.

These are judgements of this project, tuned to be silent about ordinary accounts; no source gives them.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping

_EMPLOYEE_TYPES = frozenset(
    {"employee", "internal", "permanent", "staff", "intern", "apprentice", "trainee", "fte", "fulltime", "parttime"}
)
_OUTSIDE_TYPES = frozenset(
    {
        "agency",
        "consultant",
        "contingent",
        "contractor",
        "customer",
        "external",
        "freelancer",
        "guest",
        "nonemployee",
        "partner",
        "supplier",
        "vendor",
    }
)
_LEGAL_FORMS = frozenset(
    {"ab", "ag", "as", "bv", "co", "company", "corp", "corporation", "gmbh", "group", "holding", "inc", "kg", "limited"}
    | {"llc", "ltd", "nv", "oy", "plc", "sa", "sarl", "se", "spa", "srl"}
)
_SHARED_LABELS = frozenset({"ac", "co", "com", "edu", "gov", "mail", "net", "onmicrosoft", "org"})
_UMLAUTS = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "å": "aa", "æ": "ae"}
SHORTEST_PART = 2
_RECOGNISED = 4
"""Letters of a long name that are enough to know it again."""
FEWEST_COLLEAGUES = 3
"""Accounts of a company, the one in question apart, before their domains say anything about another."""


def is_employee_type(text: str | None) -> bool:
    """Tell whether Graph's `employeeType`, a free text, stands for an employee."""
    return _letters(text or "") in _EMPLOYEE_TYPES


def is_outside_type(text: str | None) -> bool:
    """Tell whether it stands for an external person."""
    words = re.findall(r"[a-z]+", (text or "").casefold())
    return _letters(text or "") in _OUTSIDE_TYPES or bool(_OUTSIDE_TYPES & set(words))


def is_own_company(name: str | None, verified: Iterable[str]) -> bool:
    """Tell whether a company's name is a label of a verified domain: Contoso Ltd. and contoso.com."""
    words = [word for word in re.findall(r"\w+", (name or "").casefold()) if word not in _LEGAL_FORMS]
    labels = {label.replace("-", "") for domain in verified for label in domain.split(".")[:-1]} - _SHARED_LABELS
    return bool(words) and "".join(words) in labels


def names_person(local_part: str, names: Iterable[str | None]) -> bool | None:
    """Tell whether the part of an address before the @ holds a part of a name, or its initials.

    None: there is nothing to compare, such as a name in letters that no address has.
    """
    spelled = [_spellings(part) for name in names for part in re.split(r"[\s,.()/_-]+", name or "")]
    parts = [spelling for spelling in spelled if spelling]
    if not parts:
        return None
    local = _letters(local_part)
    if any(_recognised(text, local) for spelling in parts for text in spelling):
        return True
    initials = {text[0] for spelling in parts for text in spelling}
    return len(parts) > 1 and len(local) > 1 and set(local) <= initials


def _recognised(part: str, local: str) -> bool:
    return part in local or (len(part) > _RECOGNISED and part[:_RECOGNISED] in local)


def _spellings(part: str) -> frozenset[str]:
    """Return a part of a name in the letters of an address: Müller is muller or mueller."""
    lowered = part.casefold()
    written_out = "".join(_UMLAUTS.get(letter, letter) for letter in lowered)
    found = {_letters(lowered), _letters(written_out)}
    return frozenset(text for text in found if len(text) >= SHORTEST_PART)


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"[^a-z]", "", plain)


def stranger_domain(domain: str, colleagues: Mapping[str, int]) -> bool:
    """Tell whether no other account of the company has an address in a domain, and enough have one elsewhere."""
    return sum(colleagues.values()) >= FEWEST_COLLEAGUES and not colleagues.get(domain, 0)
