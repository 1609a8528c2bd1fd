"""What goes in and out: one Graph call and its answer, over the wire or as a part of a `$batch`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """One Graph call. Header names are in lower case; `batch` is the number of the envelope it came in."""

    method: str
    version: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    origin: str
    batch: int | None = None

    @property
    def root(self) -> str:
        """Address of the service root, `http://127.0.0.1:5000/v1.0`."""
        return f"{self.origin}/{self.version}"

    @property
    def address(self) -> str:
        """Version and path, `/v1.0/users`."""
        return f"/{self.version}{self.path}"

    @property
    def writes(self) -> bool:
        """Whether the call may change the directory; a batch does so by its parts only."""
        return self.method != "GET" and not self.path.startswith("/$batch")

    @property
    def identity(self) -> str:
        """The same for two calls that ask for the same thing: method, address, query and body."""
        return json.dumps([self.method, self.address, dict(self.query), self.body], sort_keys=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body (JSON, text of another type as `str`, None for none) and headers beyond those of every answer.

    `told` is what the client learns from it to stay away from, and for how many seconds.
    """

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[str, float] = field(default_factory=dict)
