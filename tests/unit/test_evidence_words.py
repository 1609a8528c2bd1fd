"""The words of the evidence page: every code that the page can meet has plain words."""

from b2b.api.evidence.words import ISSUERS, MATCHES, OPENS, STATE, WHO
from b2b.domain.actors import ActorKind
from b2b.domain.conversion.redeemer import Matches
from b2b.domain.conversion.stages import BEGINNINGS, Stage
from b2b.domain.lifecycle.credentials import Opens

NEVER_OF_A_CONVERSION = {Stage.REQUESTED, Stage.REJECTED, Stage.ASSESSED}


def test_every_stage_of_a_conversion_has_a_sentence() -> None:
    assert STATE.keys() == set(Stage) - NEVER_OF_A_CONVERSION
    assert STATE.keys() >= BEGINNINGS
    assert all(sentence.endswith(".") for sentence in STATE.values())


def test_every_kind_of_caller_answer_and_credential_has_words() -> None:
    assert WHO.keys() == set(ActorKind)
    assert MATCHES.keys() == {*Matches, None}
    assert OPENS.keys() == set(Opens)
    assert ISSUERS
