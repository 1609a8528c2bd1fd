"""Storage for the rehearsal: Azurite (Microsoft's storage emulator) with the queues and tables that the app expects.

`python -m rehearsal.storage` starts Azurite on its usual ports, creates the queues and tables, prints the connection
string and waits. Use it to run the app under Core Tools (`func start`).
"""

import base64
import datetime as dt
import ipaddress
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

from azure.core.exceptions import ResourceExistsError
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

QUEUES = ("conversion-requests", "conversion-requests-poison")
TABLES = ("conversions", "requests", "campaigns")

DEFAULT_ACCOUNT = "devstoreaccount1"
# Published by Microsoft; every emulator has it: https://learn.microsoft.com/azure/storage/common/storage-use-azurite
DEFAULT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
DEFAULT_PORTS = (10000, 10001, 10002)

AZURITE = Path(__file__).parent / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_LISTENING = re.compile(r"Azurite (Blob|Queue|Table) service is successfully listening at (https?)://[^:]+:(\d+)")


class StorageError(Exception):
    """Azurite is not installed or did not start; the text says what to do."""


class Azurite(AbstractContextManager["Azurite"]):
    """One Azurite process on loopback. It keeps all data in memory and ends with the context.

    `accounts` is the number of extra storage accounts. `account()` hands them out one by one, so that each user of a
    shared process gets empty storage without any clean-up. `ports` are the ports for blobs, queues and tables; for 0
    the system chooses one. With `oauth` Azurite speaks https and also accepts bearer tokens; a client must then trust
    `certificate`. Azurite checks issuer, audience and lifetime of a token, but not its signature or its roles.
    """

    def __init__(self, *, accounts: int = 0, ports: tuple[int, int, int] = (0, 0, 0), oauth: bool = False) -> None:
        self._keys = {DEFAULT_ACCOUNT: DEFAULT_KEY}
        self._keys |= {f"rehearsal{number:04d}": _key(f"rehearsal{number:04d}") for number in range(accounts)}
        self._fresh: Iterator[str] = iter([name for name in self._keys if name != DEFAULT_ACCOUNT])
        self._ports = ports
        self._oauth = oauth
        self._process: subprocess.Popen[bytes] | None = None
        self._listening: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._directory = Path(tempfile.mkdtemp(prefix="azurite-"))
        try:
            self._process = self._start()
            self._wait_until_listening(self._process)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def certificate(self) -> Path:
        """Path of the PEM file with the self-signed certificate that an `oauth` instance presents."""
        return self._directory / "cert.pem"

    @property
    def pid(self) -> int:
        """The id of the Azurite process, for example to measure its memory."""
        if self._process is None:
            raise StorageError("Azurite is not running.")
        return self._process.pid

    def account(self) -> str:
        """Return the name of the next unused account. Raises `StorageError` if all are taken."""
        try:
            return next(self._fresh)
        except StopIteration:
            raise StorageError(f"All {len(self._keys) - 1} accounts are taken: start Azurite with more.") from None

    def endpoint(self, service: str, account: str = DEFAULT_ACCOUNT) -> str:
        """Return the URL of `service` ("blob", "queue" or "table") for one account."""
        return f"{'https' if self._oauth else 'http'}://127.0.0.1:{self._listening[service]}/{account}"

    def connection_string(self, account: str = DEFAULT_ACCOUNT) -> str:
        """Return a connection string with the account's key, in the form that the Azure portal shows."""
        protocol = "https" if self._oauth else "http"
        endpoints = "".join(f"{name.title()}Endpoint={self.endpoint(name, account)};" for name in self._listening)
        return f"DefaultEndpointsProtocol={protocol};AccountName={account};AccountKey={self._keys[account]};{endpoints}"

    def _start(self) -> subprocess.Popen[bytes]:
        node = shutil.which("node")
        if node is None:
            raise StorageError("Node.js is not on PATH: Azurite needs version 18 or newer.")
        if not AZURITE.exists():
            raise StorageError("Azurite is not installed. Run: npm ci --prefix rehearsal")
        blob, queue, table = (str(port) for port in self._ports)
        command = [
            node,
            str(AZURITE),
            "--inMemoryPersistence",
            "--silent",
            "--disableTelemetry",
            "--skipApiVersionCheck",
        ]
        command += ["--blobPort", blob, "--queuePort", queue, "--tablePort", table]
        if self._oauth:
            _write_certificate(self._directory)
            command += ["--oauth", "basic", "--cert", "cert.pem", "--key", "key.pem"]
        accounts = ";".join(f"{name}:{key}" for name, key in self._keys.items())
        with (self._directory / "log").open("wb") as log:
            return subprocess.Popen(
                command,
                cwd=self._directory,
                env={**os.environ, "AZURITE_ACCOUNTS": accounts},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl+C in the terminal reaches the parent only, which then stops Azurite
            )

    def _wait_until_listening(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while len(self._listening) < len(self._ports):
            text = (self._directory / "log").read_text(errors="replace")
            self._listening = {name.lower(): int(port) for name, _, port in _LISTENING.findall(text)}
            if process.poll() is not None:
                raise StorageError(f"Azurite ended with code {process.returncode}:\n{text[-2000:]}")
            if time.monotonic() > deadline:
                raise StorageError(f"Azurite is not ready after {_START_SECONDS:.0f} s:\n{text[-2000:]}")
            time.sleep(0.02)

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self._directory, ignore_errors=True)


def provision(connection_string: str) -> None:
    """Create the app's queues and tables if they are missing, as the deployment does in Azure."""
    with QueueServiceClient.from_connection_string(connection_string) as queues:
        for queue in QUEUES:
            try:
                queues.create_queue(queue).close()
            except ResourceExistsError:
                continue
    with TableServiceClient.from_connection_string(connection_string) as tables:
        for table in TABLES:
            tables.create_table_if_not_exists(table).close()


def _key(name: str) -> str:
    return base64.b64encode(f"key of {name}".encode()).decode()


def _write_certificate(directory: Path) -> None:
    """Write `cert.pem` and `key.pem` for 127.0.0.1, valid for two days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    addresses = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(addresses, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (directory / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (directory / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def main() -> int:
    """Run Azurite on its usual ports until a signal stops it. Return 0, or 1 if Azurite cannot start."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        with Azurite(ports=DEFAULT_PORTS) as azurite:
            connection_string = azurite.connection_string()
            provision(connection_string)
            print(f"Queues {', '.join(QUEUES)} and tables {', '.join(TABLES)} are ready. Stop with Ctrl+C.")
            print(f"B2BStorage={connection_string}", flush=True)
            stop.wait()
    except StorageError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
