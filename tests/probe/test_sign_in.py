"""Signing in: each form gives its credential, and errors are reported in one sentence."""

import base64
import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import AzureCliCredential, CertificateCredential, ManagedIdentityCredential
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from probe.clock import SystemClock
from probe.errors import ProbeError
from probe.sign_in import CLOUDS, PASSWORD, Session, credential
from rehearsal.tenant.clock import Clock
from rehearsal.tenant.protocol.auth import issue
from tests.rehearsal.tenant_support import FABRIKAM, TENANT_ID

PUBLIC = CLOUDS["public"]


def issued(*roles: str) -> str:
    return issue(PUBLIC.graph, tenant_id=TENANT_ID, client_id=None, roles=roles, clock=Clock())["access_token"]


class Stub:
    """A credential that returns a given token and counts the calls."""

    def __init__(self, token: str, seconds: float = 3600) -> None:
        self.token, self.seconds, self.asked = token, seconds, 0

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.asked += 1
        self.scopes = scopes
        return AccessToken(self.token, int(datetime.now(UTC).timestamp() + self.seconds))


def session(source: Any, form: str = "az") -> Session:
    return Session(form, source, PUBLIC, SystemClock())


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ("az", AzureCliCredential),
        ("managed-identity", ManagedIdentityCredential),
        (f"managed-identity:{FABRIKAM}", ManagedIdentityCredential),
    ],
)
def test_each_form_of_sign_in_gives_its_credential(form: str, kind: type) -> None:
    assert type(credential(form, PUBLIC)) is kind


@pytest.mark.parametrize(
    "form", ["", "browser", "certificate", "certificate:tenant:client", "managed-identity:", "az:x"]
)
def test_an_unknown_form_is_refused_with_a_list_of_the_forms(form: str) -> None:
    with pytest.raises(ProbeError, match=r"^There is no sign-in .*; the forms are az, managed-identity, .*\.$"):
        credential(form, PUBLIC)


def certificate(folder: Path, password: str | None = None) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "probe")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    encryption = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    path = folder / "probe.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def test_a_certificate_is_opened_with_its_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = certificate(tmp_path)
    assert type(credential(f"certificate:{TENANT_ID}:{FABRIKAM}:{path}", PUBLIC)) is CertificateCredential
    path = certificate(tmp_path, "word")
    with pytest.raises(ProbeError, match=r"^The certificate .*probe\.pem cannot be used: .*\.$"):
        credential(f"certificate:{TENANT_ID}:{FABRIKAM}:{path}", PUBLIC)
    monkeypatch.setenv(PASSWORD, "word")
    assert type(credential(f"certificate:{TENANT_ID}:{FABRIKAM}:{path}", PUBLIC)) is CertificateCredential


@pytest.mark.parametrize("content", [None, b"nothing of the kind"])
def test_an_unusable_certificate_is_reported_in_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "c.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ProbeError, match=r"^The certificate .*c\.pem cannot be used: [^\n]*\.$"):
        credential(f"certificate:{TENANT_ID}:{FABRIKAM}:{path}", PUBLIC)


def az(folder: Path, script: str) -> None:
    path = folder / "az"
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_the_azure_cli_is_asked_for_a_token_for_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = issued("User.Invite.All")
    answer = {"accessToken": token, "expires_on": int(datetime.now(UTC).timestamp()) + 3600}
    log = tmp_path / "asked"
    az(tmp_path, f"echo \"$@\" >> {log}\necho '{json.dumps(answer)}'")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    signed_in = session(credential("az", PUBLIC))
    assert (signed_in.token(), signed_in.token()) == (token, token)
    assert log.read_text("utf-8").split() == [
        *("account", "get-access-token", "--output", "json", "--resource", "https://graph.microsoft.com")
    ]
    assert (signed_in.who, signed_in.tenant_id) == ("application", TENANT_ID)
    assert signed_in.permissions == {"User.Invite.All"}


def test_a_cli_that_is_not_signed_in_is_reported_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    az(tmp_path, "echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(ProbeError, match=r"^Signing in with az failed: [^\n]*az login[^\n]*\.$"):
        session(credential("az", PUBLIC)).token()


def test_a_refused_sign_in_is_reported_in_one_sentence() -> None:
    class Refusing:
        def get_token(self, *_: str, **__: Any) -> AccessToken:
            raise ClientAuthenticationError("AADSTS700027: the certificate is not registered.\nTrace ID: 1")

    with pytest.raises(ProbeError) as caught:
        session(Refusing(), "certificate:a:b:c").token()
    assert str(caught.value) == "Signing in with certificate failed: AADSTS700027: the certificate is not registered."


def test_a_token_is_kept_until_it_nearly_expires_or_is_refused() -> None:
    lasting, ending = Stub(issued()), Stub(issued(), seconds=60)
    for source, asked in ((lasting, 1), (ending, 3)):
        signed_in = session(source)
        assert [signed_in.token() for _ in range(3)] == [source.token] * 3
        assert source.asked == asked
        assert source.scopes == ("https://graph.microsoft.com/.default",)
    signed_in = session(lasting)
    signed_in.token()
    signed_in.renew()
    signed_in.token()
    assert lasting.asked == 3


def claims(**values: Any) -> str:
    return f"x.{base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip('=')}.y"


@pytest.mark.parametrize(
    ("token", "who", "permissions"),
    [
        (claims(scp="User.Read User.ReadWrite.All"), "person", {"User.Read", "User.ReadWrite.All"}),
        (claims(roles=["User.Invite.All"]), "application", {"User.Invite.All"}),
        (claims(idtyp="app"), "application", set()),
        ("opaque", "unknown", set()),
        ("a.b!.c", "unknown", set()),
        (claims(), "unknown", set()),
    ],
)
def test_a_readable_token_tells_who_signed_in_and_the_permissions(token: str, who: str, permissions: set[str]) -> None:
    signed_in = session(Stub(token))
    assert signed_in.who == who
    assert signed_in.permissions == permissions
