"""Find characters that people cannot see, and name them in messages."""

import re
import unicodedata

_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})
"""Unicode categories of controls, formats (zero width), separators, spaces, and code points without a character."""


def shown(character: str) -> str:
    """Return a visible ASCII character in quotes, any other character as its code point and Unicode name."""
    if character.isascii() and character.isprintable() and character != " ":
        return f'"{character}"' if character == "'" else f"'{character}'"
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()


def unseen(text: str) -> str | None:
    """Return the first character that cannot be seen, line ends and spaces included; None if there is none."""
    return next((character for character in text if unicodedata.category(character) in _UNSEEN), None)


def visible(text: str) -> str:
    """Return a text without the characters that cannot be seen."""
    return "".join(character for character in text if unicodedata.category(character) not in _UNSEEN)


def legible(text: str) -> str:
    """Return a text with every invisible character except the plain space replaced by its code point."""
    return "".join(_named(character) if _hidden(character) else character for character in text)


def _hidden(character: str) -> bool:
    return character != " " and unicodedata.category(character) in _UNSEEN


def _named(character: str) -> str:
    return f"<U+{ord(character):04X}>"


def with_character(expected: str, text: str, foreign: str) -> str:
    """Add the first character of ``text`` that is in the regex class ``foreign`` to the message ``expected``."""
    strange = re.search(f"[{foreign}]", text)
    return f"{expected}; the character {shown(strange.group())} is not allowed" if strange else expected
