"""The sample tenant: accounts as partners leave them behind, a request for each, and how every one of them must end.

Five files of data stand next to this one. `accounts.json` holds the users and their requests with the expected end
under each eligibility profile, `decisions.json` what an administrator then decides about a few of them,
`malformed.json` the requests that are refused, `tenant.json` everything else in the directory, `variants.json` small
changes to the tenant, for the rules about the tenant itself. The expectations were written from the published rules and
not from the product: where the two disagree, one of them is wrong.
"""

from rehearsal.sample.loading import load
from rehearsal.sample.records import (
    Account,
    Action,
    Decision,
    Expectation,
    Malformed,
    Profile,
    Refusal,
    Request,
    Sample,
    Variant,
    Way,
)

__all__ = [
    "Account",
    "Action",
    "Decision",
    "Expectation",
    "Malformed",
    "Profile",
    "Refusal",
    "Request",
    "Sample",
    "Variant",
    "Way",
    "load",
]
