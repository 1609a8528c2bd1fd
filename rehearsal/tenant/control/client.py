"""A small synchronous client for the control plane of a running tenant."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from rehearsal.tenant.directory.store import JSON


class Control:
    """The control plane of a running tenant. Errors are `httpx.HTTPStatusError`, with the reason in the response."""

    def __init__(self, base: str, transport: httpx.BaseTransport | None = None) -> None:
        self._client = httpx.Client(base_url=f"{base}/_sim/", timeout=30.0, trust_env=False, transport=transport)

    def redeem(self, user_id: str, provider: str = "ExternalAzureAD", *, ticket: str | None = None) -> JSON:
        """Let the person redeem; 409 when there is nothing to redeem. Returns the user as it is then."""
        body = {"userId": user_id, "identityProvider": provider} | ({"ticket": ticket} if ticket else {})
        return dict(self._post("redeem", body))

    def journal(self, after: int = 0) -> list[JSON]:
        """Every Graph call so far, parts of a `$batch` as well, in order; only those behind the number `after`."""
        return list(self._get(f"journal?after={after}"))

    def totals(self) -> dict[str, int]:
        """How many calls there were: `calls`, `roundTrips`, `invitations`, `throttled`."""
        return dict(self._get("totals"))

    def violations(self) -> list[JSON]:
        """Calls that no right client makes."""
        return list(self._get("violations"))

    def mails(self) -> list[JSON]:
        """Invitation mails that went out."""
        return list(self._get("mails"))

    def users(self) -> list[JSON]:
        """All users, deleted ones too."""
        return list(self._get("users"))

    def user(self, user_id: str) -> JSON:
        """One user with groups, roles, app roles and redeem links."""
        return dict(self._get(f"users/{user_id}"))

    def changes(self) -> list[JSON]:
        """Every write to a user, with before and after."""
        return list(self._get("changes"))

    def open_link(self, link: str) -> JSON:
        """Open a redeem link as the person does; 409 when it is dead. Returns the user as it is then."""
        return dict(self._post("redeem", {"link": link}))

    def set_roles(self, roles: Sequence[str], client_id: str | None = None) -> None:
        """Application permissions of the tokens issued from now on: everybody's, or those of one application."""
        own = {} if client_id is None else {"clientId": client_id}
        self._post("roles", {"roles": list(roles), **own})

    def switches(self) -> dict[str, str]:
        """Positions of all switches."""
        return dict(self._get("switches"))

    def set_switch(self, name: str, value: str) -> None:
        """Put one switch into a position."""
        self._post("switches", {name: value})

    def advance(self, seconds: float) -> None:
        """Move the tenant's clock forward."""
        self._post("clock", {"advance": seconds})

    def freeze(self, *, frozen: bool = True) -> None:
        """Let the tenant's clock stand still, or run again from where it stands."""
        self._post("clock", {"frozen": frozen})

    def reset(self, seed: Mapping[str, Any] | None = None) -> None:
        """Start over: from the first seed, or from another."""
        self._post("reset", {} if seed is None else {"seed": dict(seed)})

    def set_faults(self, faults: Sequence[Mapping[str, Any]]) -> None:
        """Replace the script of faults.

        Each is an object: `kind` (a name in `faults.KINDS`), and where wanted `method`, `path` (a regular expression
        searched in `/v1.0/…`), `where` (any, request or part), `nth` (counted from 1; without it every one), `when`
        (before or after the effect), `seconds` (of the wait, or in Retry-After).
        """
        self._post("faults", {"faults": [dict(fault) for fault in faults]})

    def clear_faults(self) -> None:
        """End the script."""
        self.set_faults([])

    def faults(self) -> list[JSON]:
        """The script, with how often each line `matched` and `fired`."""
        return list(self._get("faults"))

    def set_chaos(self, share: float, *, seed: int | None = None, kinds: Sequence[str] = (), **aim: str) -> None:
        """Throw faults in between, at most in this share of the calls; `aim` is method, path, where as in the script.

        Without `kinds` every kind but `slow`; a share of 0 ends it.
        """
        chosen = {"kinds": list(kinds)} if kinds else {}
        seeded = {} if seed is None else {"seed": seed}
        self._post("chaos", {"share": share, **chosen, **seeded, **aim})

    def chaos(self) -> JSON:
        """Settings of the chaos, how many `calls` it saw, and how often each kind was `thrown`."""
        return dict(self._get("chaos"))

    def set_throttling(self, *, on: bool = True, **settings: Any) -> None:
        """Switch the buckets on or off; `tier` (S, M, L or None: by the number of users), `factor`, `grace`."""
        self._post("throttling", {"on": on, **settings})

    def throttling(self) -> JSON:
        """Settings of the buckets, and how much of each is `used`."""
        return dict(self._get("throttling"))

    def set_lag(self, by_id: float, index: float | None = None, *, seed: int | None = None) -> None:
        """Let replicas lag by up to so many seconds, from the next write on; `index` is for lists."""
        seeded = {} if seed is None else {"seed": seed}
        self._post("lag", {"byId": by_id, "index": by_id if index is None else index, **seeded})

    def set_seed(self, seed: int) -> None:
        """Seed all that is left to chance."""
        self._post("seed", {"seed": seed})

    def forgive(self) -> None:
        """Forget who was told to come back later."""
        self._post("forgive", {})

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _get(self, path: str) -> Any:
        return self._client.get(path).raise_for_status().json()

    def _post(self, path: str, body: JSON) -> Any:
        return self._client.post(path, json=body).raise_for_status().json()
