"""The part of the control plane that makes trouble: faults, chaos, throttling, lag, and the seed of everything random.

Each has its own path under `/_sim`: GET returns its settings and what they have caused, POST replaces the settings.
"""

from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.tenant.control.endpoints import reader, writer
from rehearsal.tenant.directory.store import JSON
from rehearsal.tenant.faults.trouble import Trouble
from rehearsal.tenant.tenant import Tenant


class TroublePlane:
    """The endpoints for one tenant. Resetting the tenant ends all trouble."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    def routes(self) -> list[Route]:
        """Return the routes of all endpoints."""
        readers = {
            "faults": self.faults,
            "chaos": self.chaos,
            "throttling": self.throttling,
            "lag": self.lag,
        }
        writers = {
            "faults": self.set_faults,
            "chaos": self.set_chaos,
            "throttling": self.set_throttling,
            "lag": self.set_lag,
            "seed": self.set_seed,
            "forgive": self.forgive,
        }
        return [
            *(Route(f"/_sim/{name}", reader(read), methods=["GET"]) for name, read in readers.items()),
            *(Route(f"/_sim/{name}", writer(write), methods=["POST"]) for name, write in writers.items()),
        ]

    @property
    def _trouble(self) -> Trouble:
        return self._tenant.trouble

    def faults(self) -> list[JSON]:
        """Return the lines of the script, and how often each has matched and fired."""
        return [line.as_json() for line in self._trouble.script.lines]

    def chaos(self) -> JSON:
        """Return the settings of the chaos, and which faults it has caused."""
        return self._trouble.chaos.as_json()

    def throttling(self) -> JSON:
        """Return the settings of throttling, and how full the buckets are."""
        return self._trouble.throttling.as_json()

    def lag(self) -> JSON:
        """Return how far replicas may lag."""
        return self._trouble.replicas.as_json()

    def set_faults(self, body: JSON) -> Response:
        """Replace the script of faults; an empty list ends it."""
        self._trouble.script.load(_only(body, "faults"))
        return JSONResponse(self.faults())

    def set_chaos(self, body: JSON) -> Response:
        """Replace the settings of the chaos."""
        self._trouble.chaos.set(body)
        return JSONResponse(self.chaos())

    def set_throttling(self, body: JSON) -> Response:
        """Replace the settings of throttling and empty all buckets."""
        self._trouble.throttling.set(body)
        return JSONResponse(self.throttling())

    def set_lag(self, body: JSON) -> Response:
        """Set how far replicas may lag, from the next write on."""
        self._trouble.replicas.set(body, self._tenant.directory)
        return JSONResponse(self.lag())

    def set_seed(self, body: JSON) -> Response:
        """Set a new seed for everything random."""
        self._trouble.reseed(int(_only(body, "seed")), self._tenant.directory)
        return JSONResponse(body)

    def forgive(self, _: JSON) -> Response:
        """Forget every wait that a Retry-After asked of a client."""
        self._trouble.retry_after.forgive()
        return JSONResponse({})


def _only(body: JSON, name: str) -> Any:
    if body.keys() != {name}:
        raise ValueError(f"the body has to be an object with {name} and nothing else")
    return body[name]
