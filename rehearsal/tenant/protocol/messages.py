"""A Graph call and its answer, sent alone or as a part of a `$batch`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """One Graph call. Header names are in lower case; `batch` is the number of the `$batch` call it is a part of."""

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
        """The URL of the service root, for example `http://127.0.0.1:5000/v1.0`."""
        return f"{self.origin}/{self.version}"

    @property
    def address(self) -> str:
        """Version and path, for example `/v1.0/users`."""
        return f"/{self.version}{self.path}"

    @property
    def writes(self) -> bool:
        """Whether the call may change the directory. A batch itself does not: only its parts may."""
        return self.method != "GET" and not self.path.startswith("/$batch")

    @property
    def identity(self) -> str:
        """A key made of method, address, query and body. It is equal for two calls that ask for the same thing."""
        return json.dumps([self.method, self.address, dict(self.query), self.body], sort_keys=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body (JSON; a `str` for other text; None for no body) and the headers that not every answer has.

    `told` maps what the client must not call (a call or a limit) to the seconds that it has to wait.
    """

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[str, float] = field(default_factory=dict)
