"""The sample tenant: accounts of partners' people, a request for each, and the expected end of every request.

The data is in six files in this folder. `accounts.json` holds the users and their requests, with the expected end
under each eligibility profile. `decisions.json` holds what an administrator then decides about a few of them,
`changes.json` what happens to a few of them in the directory meanwhile, `malformed.json` the requests that are refused,
and `tenant.json` everything else in the directory. `variants.json` holds small changes to the tenant, for the rules
about the tenant itself. The expectations were written from the published rules and not from the product: if the two
disagree, one of them is wrong.
"""

from rehearsal.sample.loading import load
from rehearsal.sample.records import (
    Account,
    Act,
    Action,
    Change,
    Decision,
    Expectation,
    Malformed,
    Moment,
    Profile,
    Redemption,
    Refusal,
    Request,
    Sample,
    Variant,
    Way,
)

__all__ = [
    "Account",
    "Act",
    "Action",
    "Change",
    "Decision",
    "Expectation",
    "Malformed",
    "Moment",
    "Profile",
    "Redemption",
    "Refusal",
    "Request",
    "Sample",
    "Variant",
    "Way",
    "load",
]
