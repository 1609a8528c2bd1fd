"""The plain words in which the evidence page says what codes mean, for readers who do not administer the tenant."""

from typing import Final

from b2b.domain.actors import ActorKind
from b2b.domain.conversion.redeemer import Matches
from b2b.domain.conversion.stages import Stage
from b2b.domain.lifecycle.credentials import Opens

KEPT: Final = (
    "A conversion keeps the account with its object id, its name and what it may use. What changes is how the person "
    "signs in: with an account of their own organisation."
)
STATE: Final = {
    Stage.BLOCKED: "Not converted: the findings forbid it.",
    Stage.NEEDS_REVIEW: "Not converted yet: an administrator must decide about the findings.",
    Stage.INVITING: "Not converted yet: the app is sending the invitation, or finds out whether it was sent.",
    Stage.INVITED: "Not converted yet: the invitation was sent, and the person has not accepted it.",
    Stage.ACCEPTED: "The invitation was accepted. The app is comparing what the account has with what it had.",
    Stage.VERIFIED: "The invitation was accepted, and the account has what it had.",
    Stage.UNVERIFIED: "The invitation was accepted, but an administrator must decide about the findings.",
    Stage.COMPLETED: "The conversion is complete.",
    Stage.FAILED: "Not converted: the app gave up.",
    Stage.CANCELLED: "Not converted: the conversion was cancelled.",
}
"""The state of a conversion in one sentence, by its stage."""
EVENTS: Final = {
    Stage.INVITING: "the app is about to send the invitation",
    Stage.ACCEPTED: "the invitation was accepted; the comparison begins",
    Stage.UNVERIFIED: "an administrator must decide",
}
"""The meaning of an event that enters a stage, if the page needs other words than the list of stages."""
WHO: Final = {
    ActorKind.PERSON: "a person who signed in",
    ActorKind.APPLICATION: "an application",
    ActorKind.KEY: "a caller with an access key, who gave no name",
    ActorKind.STATED: "stated by the caller",
    ActorKind.QUEUE: "a message on the app's queue",
    ActorKind.TIMER: "the app itself",
}
ISSUERS: Final = {
    "ExternalAzureAD": "a work account of another organisation",
    "MicrosoftAccount": "a Microsoft account",
    "google.com": "a Google account",
    "mail": "a passcode that is sent to the person's email address",
}
"""How a person signs in, by the issuer of the identity."""
MATCHES: Final = {
    Matches.YES: "yes",
    Matches.NO: "no",
    Matches.CANNOT_TELL: "not confirmed: the account does not show the address of the person who accepted",
    None: "not checked",
}
OPENS: Final = {Opens.YES: "yes", Opens.NO: "no", Opens.NOT_KNOWN: "not known", Opens.NOTHING: "does not apply"}
UNDOCUMENTED: Final = "Microsoft does not document it"
GLOSSARY: Final = (
    ("accept, redeem", "to open the invitation and sign in with the other account; Microsoft calls it redeeming"),
    ("app role", "a right inside one application"),
    ("directory role", "a right to administer the tenant"),
    ("finding", "what a rule of the app found; its severity says whether it forbids, needs a decision or only informs"),
    ("Graph request-id", "Microsoft's number of the call, which Microsoft's support asks for"),
    ("object id", "the number of the account in the tenant, which never changes"),
    ("refused-repeat", "the id of the request came again with other content; the app refused that, without effect"),
    ("sponsor", "a person or group who answers for the account"),
    ("tenant", "an organisation's directory of accounts in Microsoft Entra ID"),
    ("user principal name", "the name with which the account signed in before"),
)
