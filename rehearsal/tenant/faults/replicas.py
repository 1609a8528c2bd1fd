"""Replicas: a read may be answered by a copy of the directory that does not have the latest writes yet.

Each write reaches each replica after its own delay, within a bound. A read goes to any replica, so reads can show the
new state and then the old one again until all replicas are up to date. Lists come from indexes, which lag further.
Writes and the control plane use the primary only. Sources: article current-limitations; and
hashicorp/terraform-provider-azuread, which waits after a write for reads by id, and longer for lists.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, NamedTuple

from rehearsal.tenant.clock import Clock
from rehearsal.tenant.directory.addresses import ADDRESS_PROPERTIES
from rehearsal.tenant.directory.store import JSON, RELATE, Change, Directory, put
from rehearsal.tenant.faults.seeded import fraction
from rehearsal.tenant.protocol.messages import Request

COUNT = 3
Depth = Literal["object", "index"]
_ABOUT_USERS = re.compile(r"/users(?!/delta)(/.*)?|/directory/deletedItems/.*")
"""Reads that show users. A delta is not one: it has changes earlier (microsoftgraph/microsoft-graph-docs#15839)."""
_OBJECT = re.compile(r"/(?:users|directory/deletedItems)/(?P<id>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})")
_LISTS = (
    "/users",
    "/users/$count",
    "/directory/deletedItems/microsoft.graph.user",
    "/directory/deletedItems/graph.user",
)


class Pending(NamedTuple):
    """A change that has not reached a replica yet, and the time when it does."""

    change: Change
    due: float


class Replicas:
    """The replicas of one tenant. Without lag every read goes to the primary."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.by_id = 0.0
        self.index = 0.0
        self.seed = 0
        self._seen = 0
        self._start_over(seen=0)

    def set(self, given: Mapping[str, Any], directory: Directory) -> None:
        """Set the bounds in seconds (`byId`; `index`, at least `byId`) and the `seed`, for writes from now on."""
        unknown = given.keys() - {"byId", "index", "seed"}
        if unknown:
            raise ValueError(f"lag has no {', '.join(sorted(unknown))}")
        by_id = float(given.get("byId", 0.0))
        index = float(given.get("index", by_id))
        if not 0.0 <= by_id <= index:
            raise ValueError(f"an index lags at least as much as an object, got byId {by_id} and index {index}")
        self.by_id, self.index, self.seed = by_id, index, int(given.get("seed", self.seed))
        self._start_over(seen=len(directory.log))

    def reseed(self, seed: int, directory: Directory) -> None:
        """Use another seed, and bring all replicas up to date."""
        self.seed = seed
        self._start_over(seen=len(directory.log))

    def as_json(self) -> JSON:
        """Return the settings as JSON."""
        return {"byId": self.by_id, "index": self.index, "seed": self.seed}

    def choose(self, request: Request) -> int | None:
        """Return the replica that answers a read of users; None: the primary. All pages of a listing use it."""
        if not self.index or request.method != "GET" or not _ABOUT_USERS.fullmatch(request.path):
            return None
        query = sorted((name, value) for name, value in request.query.items() if name != "$skiptoken")
        what = (request.address, *query)
        if "$skiptoken" not in request.query:
            self._reads[what] += 1
        return int(fraction("replica", self.seed, what, self._reads[what]) * COUNT)

    def view(self, replica: int, request: Request, directory: Directory) -> Directory:
        """Return the directory as a replica has it for this read."""
        self._hear_of(directory)
        missing = self._missing(replica, request)
        if not missing:
            return directory
        users, deleted, relations = dict(directory.users), dict(directory.deleted_users), directory.relations()
        for change in reversed(missing):
            if change.kind == RELATE:
                ((relation, value),) = change.before.items()
                put(relations[relation], change.id.lower(), value)
            else:
                _take_back(change, users, deleted)
        unsettled = frozenset(change.id.lower() for change in missing if _moves_addresses(change))
        return replace(directory, users=users, deleted_users=deleted, unsettled=unsettled, **relations)

    def _missing(self, replica: int, request: Request) -> list[Change]:
        """Return the changes that a replica does not have yet and that concern this read."""
        depth: Depth = "index" if request.path in _LISTS else "object"
        now = self._clock.seconds()
        waiting = self._pending[depth, replica] = [p for p in self._pending[depth, replica] if p.due > now]
        named = _OBJECT.match(request.path)
        wanted = named["id"].lower() if named else None
        return [change for change, _ in waiting if wanted in (None, change.id.lower())]

    def _hear_of(self, directory: Directory) -> None:
        for change in directory.log[self._seen :]:
            self._writes[change.id] += 1
            for replica in range(COUNT):
                for depth, delay in self._delays(replica, change).items():
                    key = (depth, replica, change.id)
                    self._settled[key] = max(self._settled[key], change.moment + delay)
                    self._pending[depth, replica].append(Pending(change, self._settled[key]))
        self._seen = len(directory.log)

    def _delays(self, replica: int, change: Change) -> dict[Depth, float]:
        """Return the delays of a change, spread over the bound, so that there is always a quick and a slow replica."""
        what = (self.seed, replica, change.id, self._writes[change.id])
        position = (replica + fraction("delay", *what)) / COUNT
        behind = position * self.by_id
        return {"object": behind, "index": behind + fraction("index", *what) * (self.index - self.by_id)}

    def _start_over(self, seen: int) -> None:
        self._seen = seen
        self._reads: Counter[tuple[object, ...]] = Counter()
        self._writes: Counter[str] = Counter()
        self._settled: defaultdict[tuple[Depth, int, str], float] = defaultdict(float)
        self._pending: defaultdict[tuple[Depth, int], list[Pending]] = defaultdict(list)


def _moves_addresses(change: Change) -> bool:
    settled = {"update", RELATE}
    return change.kind not in settled or bool(ADDRESS_PROPERTIES & change.after.keys())


def _take_back(change: Change, users: dict[str, JSON], deleted: dict[str, JSON]) -> None:
    """Undo a change in a view. Later changes of the same object have been undone before."""
    key = change.id.lower()
    if change.kind == "add":
        del users[key]
    elif change.kind == "update":
        users[key] = {**users[key], **change.before}
    elif change.kind == "delete":
        users[key] = {**deleted.pop(key), **change.before}
    elif change.kind == "restore":
        deleted[key] = {**users.pop(key), **change.before}
    else:
        deleted[key] = dict(change.before)
