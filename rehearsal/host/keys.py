"""Function keys, host keys and the master key, and which functions each opens."""

import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from rehearsal.host.config import ConfigError


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """The keys of one app. A host key opens every function of level `function`; the master key opens everything."""

    master: str
    host: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def generate(cls) -> Self:
        """Return new random keys: a master key and the host key `default`."""
        return cls(master=secrets.token_urlsafe(30), host={"default": secrets.token_urlsafe(30)})

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a JSON file: `{"master": …, "host": {name: key}, "functions": {function: {name: key}}}`."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls(content["master"], content.get("host", {}), content.get("functions", {}))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{path} holds no keys: {error!r}") from None

    def opens(self, level: str, function: str, presented: str | None) -> bool:
        """Tell whether the presented key opens a function with this authorization level.

        The levels are those of the HTTP trigger, in upper or lower case: anonymous, function, admin.
        """
        if level.lower() == "anonymous":
            return True
        accepted = [self.master]
        if level.lower() == "function":
            accepted += [*self.host.values(), *self.functions.get(function, {}).values()]
        given = (presented or "").encode()
        matches = [hmac.compare_digest(given, key.encode()) for key in accepted if key]
        return any(matches)

    def knows(self, presented: str | None) -> bool:
        """Tell whether the presented key is any key of the app."""
        return any(self.opens("function", function, presented) for function in ("", *self.functions))

    def is_master(self, presented: str | None) -> bool:
        """Tell whether the presented key is the master key."""
        return self.opens("admin", "", presented)


def presented_key(headers: Mapping[str, str], query: Mapping[str, str]) -> str | None:
    """Return the key that a request presents, or None.

    The header takes precedence over `?code=`, even if only the latter is valid. The name `code` may be in any case.
    """
    codes = (value for name, value in query.items() if name.lower() == "code")
    return headers.get("x-functions-key") or next(codes, None)
