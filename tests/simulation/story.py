"""Stories: histories that once ended badly, as named steps.

A story names its fault by the kind and subject of a call, so it keeps its meaning when the app is rebuilt.
"""

from dataclasses import dataclass

from tests.simulation.history import Ask, History, Step


@dataclass(frozen=True)
class Story:
    """One defect: what went wrong, and the history that reproduces it."""

    name: str
    said: str
    history: History
    oracle: str
    """The oracle that first reported the defect."""


PARTNERS = "https://partners.contoso.com/start"
BOTH_HOSTS = ("B2B_ALLOWED_REDIRECT_HOSTS", "myapps.microsoft.com,partners.contoso.com")
SHARED_ADDRESS = (
    ("B2B_RULE_OVERRIDES", '{"address-in-use": "warn", "address-not-on-account": "warn", "address-unlikely": "off"}'),
)
HELD = (("held-address", "accepted"),)


def send(at: float, request: str | None, person: str = "anna", **more: object) -> Step:
    return Step(at, "send", "", Ask(request, person, **more))  # type: ignore[arg-type]
