"""Compare a name with an address, a company with the tenant, and an employee type with known words.

No source gives these comparisons. They are this project's own, tuned to find nothing in ordinary accounts.
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
"""Number of first letters by which a longer part of a name is recognised."""
FEWEST_COLLEAGUES = 3
"""Number of a company's other accounts below which their domains prove nothing about an account."""


def is_employee_type(text: str | None) -> bool:
    """Tell whether Graph's `employeeType`, a free text, means an employee."""
    return _letters(text or "") in _EMPLOYEE_TYPES


def is_outside_type(text: str | None) -> bool:
    """Tell whether Graph's `employeeType`, a free text, means an external person."""
    words = re.findall(r"[a-z]+", (text or "").casefold())
    return _letters(text or "") in _OUTSIDE_TYPES or bool(_OUTSIDE_TYPES & set(words))


def is_own_company(name: str | None, verified: Iterable[str]) -> bool:
    """Tell whether a company's name, without its legal form, is a label of a verified domain.

    For example, Contoso Ltd. is a label of contoso.com.
    """
    words = [word for word in re.findall(r"\w+", (name or "").casefold()) if word not in _LEGAL_FORMS]
    labels = {label.replace("-", "") for domain in verified for label in domain.split(".")[:-1]} - _SHARED_LABELS
    return bool(words) and "".join(words) in labels


def names_person(local_part: str, names: Iterable[str | None]) -> bool | None:
    """Tell whether the part of an address before the @ holds a part of one of the names, or consists of initials.

    None if there is nothing to compare, for example if the names are in letters that addresses do not have.
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
    """Return the ways to write a part of a name in the letters a to z: Müller is muller or mueller."""
    lowered = part.casefold()
    written_out = "".join(_UMLAUTS.get(letter, letter) for letter in lowered)
    found = {_letters(lowered), _letters(written_out)}
    return frozenset(text for text in found if len(text) >= SHORTEST_PART)


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"[^a-z]", "", plain)


def stranger_domain(domain: str, colleagues: Mapping[str, int]) -> bool:
    """Tell whether no colleague has an address in ``domain`` although enough have one in other domains.

    ``colleagues`` maps each domain to the number of the company's other accounts with an address in it.
    """
    return sum(colleagues.values()) >= FEWEST_COLLEAGUES and not colleagues.get(domain, 0)
