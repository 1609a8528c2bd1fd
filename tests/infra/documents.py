"""The pages that tests compare with code and templates, and the tables in them."""

from tests.contracts.pages import read, rows
from tests.contracts.pages import section as section_of

OPERATIONS = read("docs/operations.md")
SECURITY = read("docs/security.md")
METRICS = read("docs/reference/metrics.md")
COSTS = read("docs/reference/costs.md")
DEPLOY = read("docs/how-to/deploy.md")
NETWORK = read("docs/how-to/network.md")
WORKFLOW = read("docs/how-to/github-workflow.md")
GO_LIVE = read("docs/how-to/go-live.md")
WRONG = read("docs/how-to/when-something-is-wrong.md")
POWERSHELL = read("docs/how-to/powershell.md")
PACKAGE = read("docs/reference/package.md")
DOCUMENTS = (OPERATIONS, SECURITY, METRICS, COSTS, DEPLOY, NETWORK, WORKFLOW, GO_LIVE, WRONG, POWERSHELL, PACKAGE)


def table(document: str, title: str, number: int = 0) -> list[list[str]]:
    """Return the rows of a section's table without its head. `number` selects among several tables."""
    blocks = [block for block in section_of(document, title).split("\n\n") if block.lstrip().startswith("|")]
    return rows(blocks[number])[1:]
