"""What several tests of the sample count with."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

STATUS_OF = {
    "EmptyBody": 400,
    "NotJson": 400,
    "UnknownField": 400,
    "MissingField": 400,
    "WrongType": 400,
    "InvalidValue": 400,
    "RedirectHostNotAllowed": 400,
    "CallbackNotAvailable": 400,
    "RequestTooLarge": 413,
    "RequestIdInUse": 409,
}


def twice(values: Iterator[Any]) -> list[Any]:
    return [value for value, count in Counter(values).items() if count > 1]
