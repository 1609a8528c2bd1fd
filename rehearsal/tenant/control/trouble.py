"""The part of the control plane that makes trouble: faults, chaos, throttling, lag, and the seed of all chance.

Each has its name under `/_sim`: GET shows the settings and what has come of them, POST replaces them.
"""

from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.tenant.control.endpoints import reader, writer
from rehearsal.tenant.directory.store import JSON
from rehearsal.tenant.faults.trouble import Trouble
from rehearsal.tenant.tenant import Tenant


class TroublePlane:
    """The endpoints over one tenant; a reset ends all trouble."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    def routes(self) -> list[Route]:
        """The endpoints as routes."""
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
        """The script, with how often each line matched and fired."""
        return [line.as_json() for line in self._trouble.script.lines]

    def chaos(self) -> JSON:
        """Settings of the chaos, and what it has done."""
        return self._trouble.chaos.as_json()

    def throttling(self) -> JSON:
        """Settings of the buckets, and how full they are."""
        return self._trouble.throttling.as_json()

    def lag(self) -> JSON:
        """How far replicas may lag."""
        return self._trouble.replicas.as_json()

    def set_faults(self, body: JSON) -> Response:
        """Replace the script of faults; an empty one ends it."""
        self._trouble.script.load(_only(body, "faults"))
        return JSONResponse(self.faults())

    def set_chaos(self, body: JSON) -> Response:
        """Throw faults in between at random."""
        self._trouble.chaos.set(body)
        return JSONResponse(self.chaos())

    def set_throttling(self, body: JSON) -> Response:
        """Switch the buckets on or off; they start empty."""
        self._trouble.throttling.set(body)
        return JSONResponse(self.throttling())

    def set_lag(self, body: JSON) -> Response:
        """Let replicas lag, from the next write on."""
        self._trouble.replicas.set(body, self._tenant.directory)
        return JSONResponse(self.lag())

    def set_seed(self, body: JSON) -> Response:
        """Seed all chance anew."""
        self._trouble.reseed(int(_only(body, "seed")), self._tenant.directory)
        return JSONResponse(body)

    def forgive(self, _: JSON) -> Response:
        """Forget who was told to come back later."""
        self._trouble.retry_after.forgive()
        return JSONResponse({})


def _only(body: JSON, name: str) -> Any:
    if body.keys() != {name}:
        raise ValueError(f"the body has to be an object with {name} and nothing else")
    return body[name]
