"""The answers of the campaign routes: campaigns, their lists, their members and their runs."""

from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from b2b.api.answers import ActorShown, Answer, Cost, Fault, WaitsFor
from b2b.api.campaigns.bodies import CampaignDefaults
from b2b.domain.campaign.member import MemberStage
from b2b.domain.campaign.outlook import Prospect
from b2b.domain.campaign.records import CampaignState, ImportState
from b2b.domain.campaign.runs import RunKind
from b2b.domain.findings import Finding, Verdict
from b2b.domain.request.approval import Waived

_Token = Annotated[str | UnsetType, Meta(description="Asks for the next page.")]
_Link = Annotated[str | UnsetType, Meta(description="The address of the next page.")]


class CampaignStatus(Answer, frozen=True, kw_only=True):
    """A campaign."""

    campaign_id: Annotated[str, Meta(description="The id of the campaign.")]
    name: Annotated[str, Meta(description="Its name.")]
    description: Annotated[str | None, Meta(description="What it is about.")] = None
    state: Annotated[CampaignState, Meta(description="Whether members are invited: open, paused or ended.")]
    defaults: Annotated[CampaignDefaults, Meta(description="What its requests say unless a row says otherwise.")]
    created_at: Annotated[datetime, Meta(description="When it was made.")]


class CampaignPage(Answer, frozen=True, kw_only=True):
    """A page of campaigns, by id."""

    campaigns: Annotated[list[CampaignStatus], Meta(description="The campaigns of this page.")]
    continuation_token: _Token = UNSET
    next_link: _Link = UNSET


class Tally(Answer, frozen=True, kw_only=True):
    """How often something occurs."""

    name: Annotated[str, Meta(description="What is counted.")]
    count: Annotated[int, Meta(description="How often it occurs.")]


class PeopleCounted(Answer, frozen=True, kw_only=True):
    """How many people of a campaign are of each kind. A person whom two rows name counts once."""

    people: Annotated[int, Meta(description="All people of the campaign.")]
    stages: Annotated[list[Tally], Meta(description="People by stage.")]
    verdicts: Annotated[list[Tally], Meta(description="People by verdict.")]
    rules: Annotated[list[Tally], Meta(description="People by rule that has something to say about them.")]
    prospects: Annotated[
        list[Tally], Meta(description="People who are not invited yet: ready, fixable, needsAPerson or cannot.")
    ]
    changes: Annotated[list[Tally], Meta(description="The fixable, by the change that each of them needs.")]
    needed: Annotated[list[Tally], Meta(description="Those who need a person, by who has to act.")]


class ListStatus(Answer, frozen=True, kw_only=True):
    """A list that was sent, and how far it has come."""

    import_id: Annotated[str, Meta(description="Names the list. The same list, sent again, has the same one.")]
    state: Annotated[ImportState, Meta(description="running: send the same list again to finish it; or finished.")]
    started_at: Annotated[datetime, Meta(description="When it was sent first.")]
    finished_at: Annotated[datetime | None, Meta(description="When all of its rows were stored.")] = None
    rows: Annotated[int, Meta(description="Rows of the list.")]
    taken: Annotated[int, Meta(description="Rows that became new members.")]
    changed: Annotated[int, Meta(description="Rows that replaced the row of a member.")]
    unchanged: Annotated[int, Meta(description="Rows that said what was known already.")]
    refused: Annotated[int, Meta(description="Rows that were not taken.")]


class ListColumn(Answer, frozen=True, kw_only=True):
    """How a column of a list was understood."""

    header: Annotated[str, Meta(description="The header in the list.")]
    column: Annotated[str | None, Meta(description="What it says; null: it was not read.")] = None
    kept: Annotated[bool, Meta(description="Whether it is shown with the members.")]


class RowFault(Answer, frozen=True, kw_only=True):
    """What is wrong with a row."""

    column: Annotated[str | None, Meta(description="The header of the column; null: the whole row.")] = None
    code: Annotated[str, Meta(description="What is wrong, as a code of the contract.")]
    message: Annotated[str, Meta(description="What is wrong and what to do, in one sentence.")]


class RowTaken(Answer, frozen=True, kw_only=True):
    """The result for one row of a list."""

    line: Annotated[int, Meta(description="The line in which the row begins; in JSON, its place in the array.")]
    outcome: Annotated[str, Meta(description="taken, changed, unchanged or refused.")]
    member: Annotated[str | None, Meta(description="The key of its member.")] = None
    faults: Annotated[list[RowFault], Meta(description="What is wrong with it, where it was refused.")]


class ListTaken(Answer, frozen=True, kw_only=True):
    """The result for a list, row by row."""

    status: Annotated[ListStatus, Meta(description="The list as a whole.")]
    columns: Annotated[list[ListColumn], Meta(description="How its columns were understood.")]
    rows: Annotated[list[RowTaken], Meta(description="Every row that is not empty, in order.")]
    next: Annotated[str, Meta(description="What to do next.")]


class ListPage(Answer, frozen=True, kw_only=True):
    """The lists that were sent to a campaign."""

    lists: Annotated[list[ListStatus], Meta(description="The lists, the latest first.")]


class MemberLine(Answer, frozen=True, kw_only=True):
    """A member as a list shows it."""

    member: Annotated[str, Meta(description="The key of the member.")]
    user_principal_name: Annotated[
        str | None, Meta(description="The user principal name; of the list, until the member is judged.")
    ] = None
    invited_user_email_address: Annotated[
        str | None, Meta(description="The address that was judged; before that, the one that the list names.")
    ] = None
    reference: Annotated[str | None, Meta(description="The caller's own reference.")] = None
    user_id: Annotated[str | None, Meta(description="Object id of the account, once it was found.")] = None
    stage: Annotated[MemberStage, Meta(description="Where the member stands.")]
    verdict: Annotated[Verdict | None, Meta(description="What the findings add up to, once it was judged.")] = None
    prospect: Annotated[
        Prospect | None, Meta(description="Whether the member is ready, fixable, needs a person, or cannot be invited.")
    ] = None
    rules: Annotated[list[str], Meta(description="The rules that have something to say about the member.")]
    changes: Annotated[list[str], Meta(description="The changes that would help.")]
    needed: Annotated[list[str], Meta(description="Who has to act.")]
    waiting: Annotated[WaitsFor | None, Meta(description="What its request waits for.")] = None
    waits_since: Annotated[
        datetime | None, Meta(description="Since when it waits for a service, for a decision or for the person.")
    ] = None
    request_id: Annotated[str | None, Meta(description="Its request, once it was released.")] = None
    invited_at: Annotated[datetime | None, Meta(description="When the person was invited.")] = None
    accepted_at: Annotated[datetime | None, Meta(description="When the person redeemed.")] = None


class MemberColumn(Answer, frozen=True, kw_only=True):
    """A column that the caller added to the list."""

    header: Annotated[str, Meta(description="The header in the list.")]
    value: Annotated[str, Meta(description="What the member's row says.")]


class MemberStatus(MemberLine, frozen=True, kw_only=True):
    """A member with everything that is known of it."""

    findings: Annotated[list[Finding], Meta(description="What the rules say about the member.")]
    waived: Annotated[list[Waived], Meta(description="The findings that a person approved.")]
    decided_by: Annotated[str | None, Meta(description="Who decided about it.")] = None
    decided_because: Annotated[str | None, Meta(description="Why.")] = None
    decided_at: Annotated[datetime | None, Meta(description="When.")] = None
    last_error: Annotated[str | None, Meta(description="The last error.")] = None
    listed_at: Annotated[datetime, Meta(description="When its row came in.")]
    judged_at: Annotated[datetime | None, Meta(description="When it was judged last.")] = None
    columns: Annotated[list[MemberColumn], Meta(description="Columns of the list that were kept.")]


class MemberPage(Answer, frozen=True, kw_only=True):
    """A page of members. A page with a token has a next page, even if it is short or empty."""

    members: Annotated[list[MemberLine], Meta(description="The members of this page.")]
    cost: Annotated[Cost, Meta(description="What it cost to find them.")]
    continuation_token: _Token = UNSET
    next_link: _Link = UNSET


class ToDecide(Answer, frozen=True, kw_only=True):
    """A member that waits for a decision. To decide about it, send its key and its findings back unchanged."""

    member: Annotated[str, Meta(description="The key of the member.")]
    findings: Annotated[list[Waived], Meta(description="Everything that is to be decided about the member.")]
    user_principal_name: Annotated[str | None, Meta(description="The user principal name.")] = None
    invited_user_email_address: Annotated[str | None, Meta(description="The address that would be invited.")] = None
    reference: Annotated[str | None, Meta(description="The caller's own reference.")] = None
    stage: Annotated[MemberStage, Meta(description="judged: before its release; needsReview: after it.")]


class DecisionGroup(Answer, frozen=True, kw_only=True):
    """Members that wait for a decision because of one rule."""

    rule: Annotated[str, Meta(description="The rule.")]
    count: Annotated[int, Meta(description="How many members wait because of it.")]
    alone: Annotated[bool, Meta(description="Whether each of them has to be decided about by itself.")]
    members: Annotated[list[ToDecide], Meta(description="The members, at most as many as one decision may name.")]


class DecisionsWaiting(Answer, frozen=True, kw_only=True):
    """What waits for a decision, the largest group first. A member with two findings is in two groups."""

    groups: Annotated[list[DecisionGroup], Meta(description="One group for each rule.")]


class MemberDecided(Answer, frozen=True, kw_only=True):
    """The result of the decision about one member."""

    member: Annotated[str, Meta(description="The key of the member.")]
    decided: Annotated[bool, Meta(description="Whether the decision holds.")]
    error: Annotated[Fault | None, Meta(description="Why it does not.")] = None


class MembersDecided(Answer, frozen=True, kw_only=True):
    """The results of a decision about several members. The decision about each member succeeds or fails by itself."""

    decided: Annotated[int, Meta(description="How many were decided about.")]
    refused: Annotated[int, Meta(description="How many were not: look at them again.")]
    members: Annotated[list[MemberDecided], Meta(description="Each member, in the order of the call.")]


class RunStatus(Answer, frozen=True, kw_only=True):
    """Work on the members of a campaign, and how far it has come."""

    run_id: Annotated[str, Meta(description="The id of the run.")]
    kind: Annotated[RunKind, Meta(description="judge, release or end.")]
    finished: Annotated[bool, Meta(description="Whether every member was seen to.")]
    members: Annotated[int | None, Meta(description="How many members it sees to; null: that is being found out.")]
    done: Annotated[int, Meta(description="How many of them it has seen to.")]
    outcomes: Annotated[list[Tally], Meta(description="What became of them.")]
    asked_at: Annotated[datetime, Meta(description="When it was ordered.")]
    asked_by: Annotated[ActorShown, Meta(description="Who ordered it.")]
    reason: Annotated[str | None, Meta(description="Why.")] = None
