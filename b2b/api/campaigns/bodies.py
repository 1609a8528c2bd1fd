"""The bodies of the routes of campaigns."""

from typing import Annotated

import msgspec
from msgspec import Meta

from b2b.api.bodies import LONGEST_NAME, LONGEST_REASON, Body, Why
from b2b.domain.campaign.deciding import Choice
from b2b.domain.campaign.member import MemberStage
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.findings import Verdict
from b2b.domain.request.model import MAX_SPONSORS, MessageInfo
from b2b.workflows.campaigns.runs import MOST_NAMED

LARGEST = 1024 * 1024
"""The most bytes of a body that names members. Such a body may name 500 members, each with its findings."""
_Stated = {"maxLength": LONGEST_NAME}
_Reason = Annotated[
    str | None, Meta(description="Why; it stays in the history.", extra_json_schema={"maxLength": LONGEST_REASON})
]


class CampaignDefaults(Body, frozen=True, kw_only=True):
    """What every request of a campaign says unless its row says something else."""

    send_invitation_message: Annotated[
        bool | None, Meta(description="Whether Microsoft sends its mail; left out: as the app is set.")
    ] = None
    invite_redirect_url: Annotated[
        str | None, Meta(description="Where the person lands after redeeming; its host must be allowed.")
    ] = None
    invited_user_message_info: Annotated[
        MessageInfo | None, Meta(description="What Microsoft's mail says, and who gets a copy.")
    ] = None
    invited_user_sponsors: Annotated[
        tuple[str, ...],
        Meta(description="Object ids of the people's sponsors.", extra_json_schema={"maxItems": MAX_SPONSORS}),
    ] = ()


_Description = Annotated[
    str | None, Meta(description="What it is about.", extra_json_schema={"maxLength": LONGEST_REASON})
]
_Defaults = Annotated[
    CampaignDefaults | None, Meta(description="What its requests say unless a row says something else.")
]


class NewCampaign(Body, frozen=True, kw_only=True):
    """Makes a campaign."""

    campaign_id: Annotated[
        str,
        Meta(
            description="Your own id for it: 1 to 64 of A-Z a-z 0-9 . _ -; sent again, it is the same campaign.",
            extra_json_schema={"minLength": 1, "maxLength": 64},
        ),
    ]
    name: Annotated[str, Meta(description="Its name.", extra_json_schema={"minLength": 1, "maxLength": LONGEST_NAME})]
    description: _Description = None
    defaults: _Defaults = None


class CampaignChange(Body, frozen=True, kw_only=True):
    """Changes a campaign; what is left out stays as it is."""

    name: Annotated[
        str | None, Meta(description="Its new name.", extra_json_schema={"minLength": 1, "maxLength": LONGEST_NAME})
    ] = None
    description: _Description = None
    defaults: _Defaults = None


class ListRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A row of a list in JSON. It names an account, or an address by which its account is found."""

    id: Annotated[str | None, Meta(description="The object id of the account.")] = None
    user_principal_name: Annotated[str | None, Meta(description="The user principal name of the account.")] = None
    mail: Annotated[str | None, Meta(description="An address that only this account has.")] = None
    invited_user_email_address: Annotated[
        str | None, Meta(description="The address to invite; left out: the account's own.")
    ] = None
    reference: Annotated[str | None, Meta(description="Your own name for the member.")] = None
    send_invitation_message: Annotated[bool | None, Meta(description="Whether Microsoft sends its mail.")] = None
    invite_redirect_url: Annotated[str | None, Meta(description="Where the person lands after redeeming.")] = None
    message_language: Annotated[str | None, Meta(description="The language of the mail, such as en-US.")] = None
    cc_recipient: Annotated[str | None, Meta(description="Who gets a copy of the mail.")] = None
    invited_user_sponsors: Annotated[list[str], Meta(description="Object ids of the person's sponsors.")] = []


class MemberList(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A list in JSON. An array of rows alone is accepted, too. Fields with other names are the caller's own columns."""

    members: Annotated[list[ListRow], Meta(description="The rows of the list, up to 10,000.")]


class MembersWanted(Body, frozen=True, kw_only=True):
    """Which members are meant: all, those that meet every condition, or those that are named."""

    stage: Annotated[MemberStage | None, Meta(description="Only members of this stage.")] = None
    verdict: Annotated[Verdict | None, Meta(description="Only members with this verdict.")] = None
    rule: Annotated[str | None, Meta(description="Only members about whom this rule has something to say.")] = None
    domain: Annotated[str | None, Meta(description="Only members with an address of this domain.")] = None
    waiting: Annotated[WaitReason | None, Meta(description="Only members that wait for this reason.")] = None
    waits_longer_than_days: Annotated[
        int | None,
        Meta(
            description="Only members that have waited for more than so many days.",
            extra_json_schema={"minimum": 0, "maximum": 3650},
        ),
    ] = None
    members: Annotated[
        tuple[str, ...],
        Meta(
            description="The keys of the members that are meant, instead of conditions.",
            extra_json_schema={"maxItems": MOST_NAMED},
        ),
    ] = ()


class MembersRelease(MembersWanted, frozen=True, kw_only=True):
    """Releases members that were judged ready."""

    released_by: Annotated[
        str | None,
        Meta(
            description="Who releases them. A person who signed in leaves it out.",
            extra_json_schema=_Stated,
        ),
    ] = None
    reason: _Reason = None


class Turn(Body, frozen=True, kw_only=True):
    """Says why a campaign is paused, resumed or ended."""

    reason: _Reason = None


_Choices = Annotated[
    list[Choice],
    Meta(
        description="The members, each with the findings under which it was shown.",
        extra_json_schema={"minItems": 1, "maxItems": MOST_NAMED},
    ),
]


class MembersApproval(Body, frozen=True, kw_only=True):
    """Waives the findings that were shown for exactly these members."""

    approved_by: Annotated[
        str | None,
        Meta(
            description="Who approves. Required with a key; a person who signed in leaves it out.",
            extra_json_schema=_Stated,
        ),
    ] = None
    reason: Why
    members: _Choices


class MembersRefusal(Body, frozen=True, kw_only=True):
    """Refuses exactly these members."""

    refused_by: Annotated[
        str | None,
        Meta(
            description="Who refuses. Required with a key; a person who signed in leaves it out.",
            extra_json_schema=_Stated,
        ),
    ] = None
    reason: Why
    members: _Choices
