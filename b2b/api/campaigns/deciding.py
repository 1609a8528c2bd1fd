"""Handlers of decisions about members: show the members that wait for a decision, approve and refuse them."""

from collections.abc import Sequence

from b2b.api import bodies
from b2b.api.answers import Fault, Reply
from b2b.api.campaigns.answers import DecisionGroup, DecisionsWaiting, MemberDecided, MembersDecided, ToDecide
from b2b.api.campaigns.bodies import LARGEST, MembersApproval, MembersRefusal
from b2b.api.decisions import decider, named
from b2b.api.door import Call, Workflows
from b2b.domain.actors import Actor, acting_as
from b2b.domain.campaign.deciding import Answer, Choice, asked
from b2b.domain.campaign.member import Member
from b2b.domain.errors import MalformedRequest
from b2b.domain.request.approval import Waived
from b2b.domain.request.decision import Decision
from b2b.workflows.campaigns.desk import Decided
from b2b.workflows.campaigns.runs import MOST_NAMED


async def waiting(app: Workflows, call: Call) -> Reply:
    """Show the members that wait for a decision."""
    groups = [
        DecisionGroup(
            rule=group.rule,
            count=len(group.members),
            alone=group.alone,
            members=[_shown(member) for member in group.members[:MOST_NAMED]],
        )
        for group in await app.campaigns.groups(call.campaign_id, call.query.get("rule", ""))
    ]
    return Reply(200, DecisionsWaiting(groups=groups))


async def approve(app: Workflows, call: Call) -> Reply:
    """Approve some members. This waives the findings that the caller was shown."""
    body = bodies.read(call.body, MembersApproval, *named("approvedBy", app, call), limit=LARGEST)
    return await _decided(
        app, call, Answer.APPROVE, body.members, decider(call, "approvedBy", body.approved_by), body.reason
    )


async def refuse(app: Workflows, call: Call) -> Reply:
    """Refuse some members."""
    body = bodies.read(call.body, MembersRefusal, *named("refusedBy", app, call), limit=LARGEST)
    return await _decided(
        app, call, Answer.REFUSE, body.members, decider(call, "refusedBy", body.refused_by), body.reason
    )


async def _decided(
    app: Workflows, call: Call, answer: Answer, choices: Sequence[Choice], by: Actor, reason: str
) -> Reply:
    if not 0 < len(choices) <= MOST_NAMED:
        raise MalformedRequest("InvalidValue", f"members: expected 1 to {MOST_NAMED}", "members")
    if len({choice.member for choice in choices}) < len(choices):
        raise MalformedRequest("InvalidValue", "members: expected each member once", "members")
    with acting_as(by):
        found = await app.campaigns.decide(call.campaign_id, answer, choices, Decision(by, reason))
    results = [_result(each) for each in found]
    decided = sum(each.decided for each in results)
    return Reply(200, MembersDecided(decided=decided, refused=len(results) - decided, members=results))


def _result(found: Decided) -> MemberDecided:
    refused = found.refused
    fault = Fault(code=refused.code.value, message=refused.message) if refused is not None else None
    return MemberDecided(member=found.member, decided=refused is None, error=fault)


def _shown(member: Member) -> ToDecide:
    return ToDecide(
        member=member.key,
        findings=[Waived(finding.rule, finding.message) for finding in asked(member)],
        user_principal_name=member.user_principal_name or None,
        invited_user_email_address=member.invited_address or member.address or None,
        reference=member.reference or None,
        stage=member.stage,
    )
