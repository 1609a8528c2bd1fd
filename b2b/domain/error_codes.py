"""The error codes of the HTTP API. docs/reference/errors.md and OpenAPI are generated from them."""

from enum import StrEnum
from typing import Self

_RECORDED = "row `rejected`"


class ErrorCode(StrEnum):
    """An error code, its HTTP status, when the app answers it, and what the same fault does to a queue message."""

    status: int
    when: str
    by_queue: str

    def __new__(cls, code: str, status: int, when: str, by_queue: str = "") -> Self:
        """Make an error code from its row in the table."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.status, member.when, member.by_queue = status, when, by_queue
        return member

    EMPTY_BODY = "EmptyBody", 400, "the body is empty; a chunked body arrives empty", _RECORDED
    NOT_JSON = "NotJson", 400, "the body is not JSON", _RECORDED
    UNKNOWN_FIELD = "UnknownField", 400, "a field is not known; `target` is its path", _RECORDED
    MISSING_FIELD = "MissingField", 400, "a required field is missing", _RECORDED
    WRONG_TYPE = "WrongType", 400, "a value has another JSON type than expected", _RECORDED
    INVALID_VALUE = (
        "InvalidValue",
        400,
        "a value is out of range; none or several of `id`, `userPrincipalName`, `mail`; a field is given twice",
        _RECORDED,
    )
    REDIRECT_HOST_NOT_ALLOWED = (
        "RedirectHostNotAllowed",
        400,
        "the settings do not allow the host of the redirect address",
        _RECORDED,
    )
    CALLBACK_NOT_AVAILABLE = "CallbackNotAvailable", 400, "`callbackUrl`: the app delivers no callbacks yet", _RECORDED
    REQUEST_TOO_LARGE = "RequestTooLarge", 413, "the body has more than 48 KiB", _RECORDED
    REQUEST_ID_IN_USE = (
        "RequestIdInUse",
        409,
        "the same `requestId` came with another body",
        "an event in the first request's history",
    )
    UNKNOWN_PARAMETER = "UnknownParameter", 400, "the route does not know a query parameter, such as `?dryRun=true`"
    NOT_SIGNED_IN = (
        "NotSignedIn",
        401,
        "sign-in is on, and the caller is not signed in or the header that names the caller cannot be read",
    )
    ROLE_MISSING = "RoleMissing", 403, "the caller has none of the roles that the route requires"
    PERSON_REQUIRED = (
        "PersonRequired",
        403,
        "a decision by an application, while `B2B_STATED_DECISIONS` does not let it pass on a person's decision",
    )
    OWN_REQUEST = (
        "OwnRequest",
        403,
        "an approval by the person who submitted the request or sent its list, while `B2B_SELF_APPROVAL` is `false`",
    )
    INVALID_TOKEN = "InvalidToken", 400, "a `continuationToken` that is not of this list with these filters"
    CONVERSION_NOT_FOUND = "ConversionNotFound", 404, "there is no conversion of this account"
    REQUEST_NOT_FOUND = "RequestNotFound", 404, "there is no request with this id"
    ROUTE_NOT_FOUND = "RouteNotFound", 404, "there is no such route"
    METHOD_NOT_ALLOWED = "MethodNotAllowed", 405, "the route has no such method; `Allow` names those that it has"
    NOT_RETRYABLE = "NotRetryable", 409, "a retry of a request that is neither failed nor blocked"
    NOT_RELEASABLE = (
        "NotReleasable",
        409,
        "a release of a request that was not assessed, or found no account to invite",
    )
    NOT_CANCELLABLE = (
        "NotCancellable",
        409,
        "a cancellation of a request that has ended, or whose invitation may have been sent",
    )
    MODE_IS_ASSESS = (
        "ModeIsAssess",
        409,
        "a retry, an approval, a release, a resend or a correction while the mode is `assess`",
    )
    NOT_AWAITING_APPROVAL = (
        "NotAwaitingApproval",
        409,
        "an approval or a refusal of a request that does not wait for a person",
    )
    DECISION_SUPERSEDED = (
        "DecisionSuperseded",
        409,
        "a decision about a request that joined another one, or an approval after a later request was judged",
    )
    NOT_UNVERIFIED = (
        "NotUnverified",
        409,
        "an acceptance or another comparison for an account whose conversion is not `unverified`",
    )
    NOT_ADOPTABLE = "NotAdoptable", 409, "an adoption of a request that is not blocked by an invitation of someone else"
    NOT_INVITED = (
        "NotInvited",
        409,
        "a resend or a correction for an account that is not invited yet, or whose person has already redeemed",
    )
    NOT_READY = (
        "NotReady",
        409,
        "a resend or a correction that the rules now forbid; `target` of each of the `details` is a rule",
    )
    SENT_JUST_NOW = (
        "SentJustNow",
        409,
        "a resend within an hour of the last mail, or while the app is sending a mail",
    )
    ADDRESS_UNCHANGED = "AddressUnchanged", 409, "a correction to the address that is already invited: resend instead"
    GRAPH_REFUSED = "GraphRefused", 409, "a resend or a correction that Graph refused; nothing was sent"
    APP_PAUSED = "AppPaused", 409, "a resend or a correction while `B2B_PAUSED` is `true`"
    COMPARISON_OFF = "ComparisonOff", 409, "another comparison while `B2B_COMPARE_ACCESS` is `false`"
    REQUEST_CHANGED = "RequestChanged", 409, "the request changed while a decision about it was being processed"
    LIST_TOO_LARGE = "ListTooLarge", 413, "a list of a campaign has more than 8 MiB or 10,000 rows"
    LIST_EMPTY = "ListEmpty", 400, "a list has a header and no rows"
    LIST_NOT_TEXT = (
        "ListNotText",
        400,
        "a list is not text in UTF-8, UTF-16, or the encoding that the call names, or holds a NUL or a lone surrogate",
    )
    LIST_NOT_CSV = "ListNotCsv", 400, "the quotation marks of a list do not match"
    LIST_HEADER = (
        "ListHeader",
        400,
        "a header lacks the account's column, repeats one, or has over 200 columns or a name of over 200 characters",
    )
    DUPLICATE_PERSON = "DuplicatePerson", 409, "in the answer to a list: a row names the same account as another row"
    DUPLICATE_ADDRESS = (
        "DuplicateAddress",
        409,
        "in the answer to a list: a row names the address of another person's row",
    )
    MEMBER_RELEASED = (
        "MemberReleased",
        409,
        "in the answer to a list: a row changes a member that is already released",
    )
    CAMPAIGN_NOT_FOUND = "CampaignNotFound", 404, "there is no campaign with this id"
    CAMPAIGN_ID_IN_USE = "CampaignIdInUse", 409, "a campaign with this id has another name or other defaults"
    CAMPAIGN_ENDED = (
        "CampaignEnded",
        409,
        "the campaign has ended: it accepts no list, and no member of it is judged or released",
    )
    CAMPAIGN_PAUSED = "CampaignPaused", 409, "a release, a resend or a correction while the campaign is paused"
    MEMBER_NOT_FOUND = (
        "MemberNotFound",
        404,
        "the campaign has no such member",
    )
    RUN_NOT_FOUND = "RunNotFound", 404, "the campaign has no such run"
    MEDIA_TYPE = "UnsupportedMediaType", 415, "a list that is not sent as text: send the file itself as the body"
    NOT_AWAITING_DECISION = (
        "NotAwaitingDecision",
        409,
        "a decision about a member that needs none; a refusal of one that is being converted, invited or cancelled",
    )
    FINDINGS_CHANGED = (
        "FindingsChanged",
        409,
        "a decision names other findings than the member has now: read the member again",
    )
    DECIDE_ALONE = "DecideAlone", 409, "a decision about several members, one of which needs a decision of its own"
    SERVICE_UNAVAILABLE = (
        "ServiceUnavailable",
        503,
        "with `Retry-After`: storage does not answer or, for an assessment, Graph fails",
        "the request waits; after `B2B_GIVE_UP_SECONDS` of uninterrupted failures the request ends `failed`",
    )
    INTERNAL_ERROR = (
        "InternalError",
        500,
        "a bug of the app",
        "the message is retried, then moved to the poison queue, from which the sweep returns it at most three times",
    )


_BY_CODE = {member.value: member for member in ErrorCode}


def code_of(text: str) -> ErrorCode:
    """Return the error code that a text names."""
    return _BY_CODE[text]
