"""Describe what the probe will make, send, change and remove, and in which tenant, before it starts."""

from collections.abc import Iterable, Iterator, Sequence

from probe.calls import COUNT, CREATE_INVITATION, CREATE_USER, DOMAINS, LIST_DELETED, LIST_USERS, opened, smallest
from probe.questions import Question
from probe.questions.question import WATCHES
from probe.tenant import Tenant

BEFORE = (DOMAINS, COUNT, LIST_USERS, LIST_DELETED)
"""Calls of every run. They read the tenant, and find the accounts that an earlier run left."""
CORE = frozenset({*BEFORE, *WATCHES})
"""Calls that most questions share. Without the permission for any other call, only single questions are skipped."""


def told(
    tenant: Tenant, questions: Sequence[Question], addresses: Sequence[str], *, person: bool, left: int
) -> Iterator[str]:
    """Yield the lines of the plan."""
    asked = [question for question in questions if person or not question.people]
    shared = any(CREATE_INVITATION in question.calls for question in asked)
    accounts = sum(question.accounts for question in asked) + shared
    yield f"Tenant {tenant.default}, {tenant.users} users. {len(asked)} questions will be asked there."
    if left:
        yield f"  removes  {left} test accounts that an earlier run has left"
    if not any(CREATE_USER in question.calls for question in asked):
        yield "  They only read: nothing is made, sent or changed."
        return
    yield f"  makes    up to {accounts} test accounts, one or two at a time, named b2b-probe-...@{tenant.initial}"
    if shared:
        yield f"  invites  the test accounts, at {addresses[0]} and made-up addresses in the same domain"
    mails = sum(question.mails for question in asked) if len(addresses) > 1 else 0
    yield f"  sends    {f'an invitation mail to {addresses[1]} with copies to {addresses[0]}' if mails else 'no mail'}"
    if any(question.licences for question in asked):
        yield "  uses     a free licence with a mailbox for some minutes, if the tenant has one"
    if any(question.people for question in asked):
        yield f"  asks you to open one or two links and sign in as {addresses[0]}"
    yield "  removes  every test account for good, out of the recycle bin too"
    yield "It touches no account that it has not made, no group, no policy and no setting."


def required(questions: Iterable[Question]) -> tuple[str, ...]:
    """Return the permissions without which the probe does not start."""
    asked = {call for question in questions for call in question.calls}
    return smallest({*BEFORE, *(asked & CORE)})


def permissions(questions: Sequence[Question]) -> Iterator[str]:
    """Yield lines with the smallest set of permissions, and with the permissions that only single questions need."""
    needed = required(questions)
    yield f"The smallest set of application permissions: {', '.join(needed)}"
    more = {question: [p for p in smallest(question.calls) if not opened(p, needed)] for question in questions}
    if any(more.values()):
        yield "Single questions are skipped without:"
    for question, names in more.items():
        if names:
            yield f"  {question.id:<9} {', '.join(names)}"
    used = {*BEFORE, *(call for question in questions for call in question.calls)}
    yield "What each is for:"
    for call in sorted((call for call in used if call.permission), key=lambda call: (str(call.permission), call.name)):
        yield f"  {call.permission:<42} {call.name}: {call.purpose}"
