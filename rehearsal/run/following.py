"""Start what happens by itself in Azure: people redeem, and the timer runs the sweep."""

from collections.abc import Mapping
from types import MappingProxyType

import httpx

from rehearsal.host.process import wait_until
from rehearsal.rig import HostedRig
from rehearsal.run.progress import Progress

HEALTH_SECONDS = 30.0
SWEEP_SECONDS = 60.0
REST_SECONDS = 30.0


class NotHealthyError(Exception):
    """The app started, but not all of its health checks pass; the text gives the reasons."""


def until_healthy(rig: HostedRig, progress: Progress) -> None:
    """Wait until every health check passes.

    Raises:
        NotHealthyError: some check does not pass in time.

    """
    ill: list[str] = []

    def passed() -> tuple[int, int]:
        rig.must_live()
        checks = rig.api.get("/api/health").json()["checks"]
        ill[:] = [f"{check['name']}: {check['detail']}" for check in checks if check["status"] != "ok"]
        return len(checks) - len(ill), len(checks)

    if not progress.wait("health checks passed", passed, HEALTH_SECONDS):
        raise NotHealthyError("; ".join(ill))


def let_redeem(
    rig: HostedRig, people: Mapping[str, str], others: Mapping[str, str] = MappingProxyType({})
) -> frozenset[str]:
    """Let people redeem, each with an identity provider. Return the object ids of the people who could redeem.

    ``others``: by object id, the address of another person who redeems instead.
    """
    redeemed = set()
    for user_id, provider in people.items():
        try:
            rig.tenant.control.redeem(user_id, provider, signed_in=others.get(user_id))
        except httpx.HTTPStatusError:
            continue  # nothing to redeem; the checks report the stage of this account
        redeemed.add(user_id)
    return frozenset(redeemed)


def sweep(rig: HostedRig, progress: Progress) -> bool:
    """Run the sweep as its timer does, and tell whether it succeeded."""
    succeeded = rig.host.run_function("sweep", seconds=SWEEP_SECONDS)
    try:
        wait_until(rig.host.idle, REST_SECONDS, "a host without running functions")
    except TimeoutError as error:
        progress.late.append(str(error))
    return succeeded
