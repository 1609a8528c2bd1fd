"""What an administrator does in the directory while the app converts accounts, through Graph and without the app."""

from collections.abc import Callable, Iterable, Mapping

import httpx

from rehearsal.rig import HostedRig
from rehearsal.sample import Act, Change

CLIENT_ID = "5d2c4e1a-6b37-4f0e-9a58-3c7f1e8b2d60"
USER_AGENT = "administrator"
"""The header by which the tenant's journal tells these calls from the app's."""
PERMISSIONS = ("Directory.ReadWrite.All", "GroupMember.ReadWrite.All", "User.Invite.All", "User.ReadWrite.All")
PORTAL = "https://myapplications.microsoft.com/"
RESOURCE = "https://graph.microsoft.com"

Call = tuple[str, str, Mapping[str, object] | None]
"""Method, path and body of a Graph call."""


def invitation(user_id: str, address: str, *, reset: bool) -> Call:
    """Return the call that invites an account without a mail, or resets its redemption."""
    body = {
        "invitedUser": {"id": user_id},
        "invitedUserEmailAddress": address,
        "inviteRedirectUrl": PORTAL,
        "sendInvitationMessage": False,
        "resetRedemption": reset,
    }
    return "POST", "/invitations", body


CALLS: Mapping[Act, Callable[[str, str], Call]] = {
    "invite": lambda user_id, address: invitation(user_id, address, reset=False),
    "reset": lambda user_id, address: invitation(user_id, address, reset=True),
    "leave-group": lambda user_id, group: ("DELETE", f"/groups/{group}/members/{user_id}/$ref", None),
    "disable": lambda user_id, _: ("PATCH", f"/users/{user_id}", {"accountEnabled": False}),
    "enable": lambda user_id, _: ("PATCH", f"/users/{user_id}", {"accountEnabled": True}),
    "delete": lambda user_id, _: ("DELETE", f"/users/{user_id}", None),
    "restore": lambda user_id, _: ("POST", f"/directory/deletedItems/{user_id}/restore", None),
}
"""The Graph call of each act, by the account's object id and the change's value."""
TOUCHES: Mapping[Act, str] = {"leave-group": "groups", "disable": "accountEnabled", "delete": "userPrincipalName"}
"""The property of an account that an act changes, if it is one that a conversion must keep."""
REVERTS: Mapping[Act, Act] = {"enable": "disable", "restore": "delete"}
"""The act whose effect an act takes back."""


def touched(changes: Iterable[Change]) -> frozenset[str]:
    """Return which properties, of those that a conversion must keep, these changes of one account alter."""
    done = set[Act]()
    for change in changes:
        done.discard(REVERTS[change.act]) if change.act in REVERTS else done.add(change.act)
    return frozenset(TOUCHES[act] for act in done if act in TOUCHES)


class Administrator:
    """Changes accounts with a token of its own application, so that the app's calls and permissions stay apart."""

    def __init__(self, rig: HostedRig) -> None:
        self._rig = rig

    def does(self, change: Change, user_id: str) -> None:
        """Make one change. Raises `httpx.HTTPStatusError` if the tenant refuses it."""
        method, path, body = CALLS[change.act](user_id, change.value)
        headers = {"authorization": f"Bearer {self._token()}", "user-agent": USER_AGENT}
        url = self._rig.tenant.graph_url + path
        httpx.request(method, url, json=body, headers=headers, trust_env=False).raise_for_status()

    def _token(self) -> str:
        self._rig.tenant.control.set_roles(PERMISSIONS, CLIENT_ID)
        identity = self._rig.tenant.identity_env
        answer = httpx.get(
            identity["IDENTITY_ENDPOINT"],
            params={"resource": RESOURCE, "api-version": "2019-08-01", "client_id": CLIENT_ID},
            headers={"x-identity-header": identity["IDENTITY_HEADER"]},
            trust_env=False,
        )
        answer.raise_for_status()
        return str(answer.json()["access_token"])
