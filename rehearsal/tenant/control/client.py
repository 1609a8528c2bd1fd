"""A synchronous client for a tenant's control plane."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from rehearsal.tenant.directory.store import JSON


class Control:
    """The control plane of a running tenant. A refused call raises `httpx.HTTPStatusError`; its response has the
    reason.
    """

    def __init__(self, base: str, transport: httpx.BaseTransport | None = None) -> None:
        self._client = httpx.Client(base_url=f"{base}/_sim/", timeout=30.0, trust_env=False, transport=transport)

    def redeem(
        self,
        user_id: str,
        provider: str = "ExternalAzureAD",
        *,
        ticket: str | None = None,
        signed_in: str | None = None,
    ) -> JSON:
        """Redeem an invitation as the person would, and return the changed user. 409 if there is nothing to redeem.

        `signed_in` is the address of another person, who redeems instead.
        """
        more = {"ticket": ticket, "signedIn": signed_in}
        body = {"userId": user_id, "identityProvider": provider, **{name: text for name, text in more.items() if text}}
        return dict(self._post("redeem", body))

    def journal(self, after: int = 0) -> list[JSON]:
        """Return the Graph calls and parts of `$batch` calls so far, in order, beginning after number `after`."""
        return list(self._get(f"journal?after={after}"))

    def totals(self) -> dict[str, int]:
        """Return the number of calls so far as `calls`, `roundTrips`, `invitations` and `throttled`."""
        return dict(self._get("totals"))

    def violations(self) -> list[JSON]:
        """Return the calls that a correct client never makes."""
        return list(self._get("violations"))

    def mails(self) -> list[JSON]:
        """Return the invitation mails that the tenant sent."""
        return list(self._get("mails"))

    def users(self) -> list[JSON]:
        """Return all users, including deleted ones."""
        return list(self._get("users"))

    def user(self, user_id: str) -> JSON:
        """Return one user with groups, roles, app roles and redeem links."""
        return dict(self._get(f"users/{user_id}"))

    def changes(self) -> list[JSON]:
        """Return every write to a user, with the values before and after it."""
        return list(self._get("changes"))

    def open_link(self, link: str) -> JSON:
        """Open a redeem link as the person would, and return the changed user. 409 if the link is dead."""
        return dict(self._post("redeem", {"link": link}))

    def set_roles(self, roles: Sequence[str], client_id: str | None = None) -> None:
        """Set the application permissions of new tokens, for all applications or for `client_id` only."""
        own = {} if client_id is None else {"clientId": client_id}
        self._post("roles", {"roles": list(roles), **own})

    def switches(self) -> dict[str, str]:
        """Return the positions of all switches."""
        return dict(self._get("switches"))

    def set_switch(self, name: str, value: str) -> None:
        """Put one switch into a position."""
        self._post("switches", {name: value})

    def advance(self, seconds: float) -> None:
        """Move the tenant's clock forward."""
        self._post("clock", {"advance": seconds})

    def freeze(self, *, frozen: bool = True) -> None:
        """Freeze the tenant's clock, or let it run again from the time it shows."""
        self._post("clock", {"frozen": frozen})

    def reset(self, seed: Mapping[str, Any] | None = None) -> None:
        """Start over from `seed`; None: from the current seed."""
        self._post("reset", {} if seed is None else {"seed": dict(seed)})

    def set_faults(self, faults: Sequence[Mapping[str, Any]]) -> None:
        """Replace the script of faults.

        Each fault is an object with `kind` (a name in `faults.KINDS`) and these options: `method`, `path` (a regular
        expression searched in `/v1.0/…`), `where` (any, request or part), `nth` (which matching call is hit, counted
        from 1; without it every one is), `when` (before or after the call's effect), `seconds` (of the wait, or in
        Retry-After).
        """
        self._post("faults", {"faults": [dict(fault) for fault in faults]})

    def clear_faults(self) -> None:
        """Remove all faults from the script."""
        self.set_faults([])

    def faults(self) -> list[JSON]:
        """Return the lines of the script, and how often each has `matched` and `fired`."""
        return list(self._get("faults"))

    def set_chaos(self, share: float, *, seed: int | None = None, kinds: Sequence[str] = (), **aim: str) -> None:
        """Let at most this share of the calls (0 to 1) meet a random fault; a share of 0 ends the chaos.

        `aim` selects calls by `method`, `path` and `where`, as in the script. Without `kinds` every kind but `slow`
        occurs.
        """
        chosen = {"kinds": list(kinds)} if kinds else {}
        seeded = {} if seed is None else {"seed": seed}
        self._post("chaos", {"share": share, **chosen, **seeded, **aim})

    def chaos(self) -> JSON:
        """Return the settings of the chaos, how many `calls` it looked at, and how often it has `thrown` each kind."""
        return dict(self._get("chaos"))

    def set_throttling(self, *, on: bool = True, **settings: Any) -> None:
        """Switch throttling on or off. Settings: `tier` (S, M, L; None: by the number of users), `factor`, `grace`."""
        self._post("throttling", {"on": on, **settings})

    def throttling(self) -> JSON:
        """Return the settings of throttling, and how much of each bucket is `used`."""
        return dict(self._get("throttling"))

    def set_lag(self, by_id: float, index: float | None = None, *, seed: int | None = None) -> None:
        """Let replicas lag by up to `by_id` seconds for single objects and `index` (default: the same) for lists."""
        seeded = {} if seed is None else {"seed": seed}
        self._post("lag", {"byId": by_id, "index": by_id if index is None else index, **seeded})

    def set_seed(self, seed: int) -> None:
        """Set the seed of everything random."""
        self._post("seed", {"seed": seed})

    def forgive(self) -> None:
        """Forget every wait that a Retry-After asked of a client."""
        self._post("forgive", {})

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _get(self, path: str) -> Any:
        return self._client.get(path).raise_for_status().json()

    def _post(self, path: str, body: JSON) -> Any:
        return self._client.post(path, json=body).raise_for_status().json()
