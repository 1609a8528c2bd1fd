"""How the local host starts and ends: broken apps, wrong configuration, SIGTERM, managed identity."""

import base64
import http.server
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from azure.storage.queue import QueueClient

from rehearsal.host.process import HostError, HostProcess, wait_until
from rehearsal.storage import Azurite

APPS = Path(__file__).parent / "apps"


@pytest.fixture
def queue(azurite: Azurite) -> Iterator[QueueClient]:
    with QueueClient.from_connection_string(azurite.connection_string(azurite.account()), "work") as made:
        made.create_queue()
        yield made


def test_an_app_that_fails_to_import_has_no_functions_and_logs_only_its_stderr() -> None:
    with HostProcess(app_dir=APPS / "broken") as host:
        assert host.running()
        assert "0 functions found" in host.log()
        assert "said on stderr" in host.log()
        assert "said by the exception" not in host.log()
        assert "said through logging" not in host.log()


def test_a_directory_without_host_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"host\.json does not exist"), HostProcess(app_dir=tmp_path):
        pass


def test_a_host_with_an_invalid_lease_does_not_start_and_logs_why() -> None:
    host = HostProcess(app_dir=APPS / "http", env={"REHEARSAL_MESSAGE_LEASE_SECONDS": "10m"})
    with pytest.raises(HostError, match="cannot start: REHEARSAL_MESSAGE_LEASE_SECONDS is '10m'; allowed: whole"), host:
        pass


def test_a_host_does_not_start_on_a_taken_port() -> None:
    with HostProcess(app_dir=APPS / "http") as host:
        second = HostProcess(app_dir=APPS / "http", port=host.port)
        with pytest.raises(HostError, match="Address already in use"), second:
            pass


def test_only_the_master_key_moves_the_apps_clock() -> None:
    with HostProcess(app_dir=APPS / "http") as host:
        url, body = f"{host.base}/_rehearsal/clock", {"advance": 60}
        answers = [httpx.post(url, json=body, headers=key).status_code for key in ({}, {"x-functions-key": "wrong"})]
        assert answers == [401, 401]
        assert httpx.post(url, json=body, headers={"x-functions-key": host.function_key}).status_code == 403
        master = {"x-functions-key": host.master_key}
        assert httpx.post(url, content=b"soon", headers=master).status_code == 400
        began, before = time.monotonic(), httpx.get(f"{host.base}/api/now").json()
        host.advance(3600)
        host.advance(3600)
        passed = httpx.get(f"{host.base}/api/now").json() - before
        assert passed == pytest.approx(7200, abs=time.monotonic() - began + 1)


def test_a_killed_host_can_be_started_again_on_its_port() -> None:
    with HostProcess(app_dir=APPS / "http") as host:
        host.kill()
        assert not host.running()
        with HostProcess(app_dir=APPS / "http", port=host.port) as again:
            assert again.base == host.base
            assert again.pid != host.pid


def test_a_queue_function_with_an_unknown_connection_is_reported(tmp_path: Path) -> None:
    env = {"QUEUE": "work", "CONNECTION": "Nowhere", "NOTES": str(tmp_path / "notes")}
    with HostProcess(app_dir=APPS / "queues", env=env) as host:
        assert "The 'work' function is in error: Storage connection 'Nowhere' does not exist" in host.log()


def test_after_sigterm_running_requests_and_queues_continue_without_new_connections(
    azurite: Azurite, queue: QueueClient, tmp_path: Path
) -> None:
    release, notes = tmp_path / "release", tmp_path / "notes"
    connection = azurite.connection_string(str(queue.account_name))
    env = {"Work": connection, "NOTES": str(notes), "RELEASE": str(release)}
    with HostProcess(app_dir=APPS / "drain", env=env) as host, ThreadPoolExecutor() as pool:
        answer = pool.submit(httpx.get, f"{host.base}/api/waits", timeout=30)
        wait_until(lambda: host.invocations()["waits"].running)
        host.terminate()
        wait_until(lambda: _refuses(host.base))
        queue.send_message("after the signal")
        wait_until(notes.exists)
        release.touch()
        assert answer.result().status_code == 200
        assert host.wait(20) == 0
    assert queue.get_queue_properties().approximate_message_count == 0


def test_a_message_still_running_10_s_after_sigterm_is_cut_off_and_stays_leased(
    azurite: Azurite, queue: QueueClient, tmp_path: Path
) -> None:
    connection = azurite.connection_string(str(queue.account_name))
    env = {"Work": connection, "CONNECTION": "Work", "QUEUE": "work", "NOTES": str(tmp_path / "notes")}
    queue.send_message("hold")
    with HostProcess(app_dir=APPS / "queues", env={**env, "RELEASE": str(tmp_path / "never")}) as host:
        wait_until((tmp_path / "notes").exists)
        began = time.monotonic()
        host.terminate()
        assert host.wait(30) == 0
        assert time.monotonic() - began > 9
    assert queue.peek_messages() == []
    assert queue.get_queue_properties().approximate_message_count == 1


def test_a_queue_is_served_with_a_managed_identity(tmp_path: Path) -> None:
    with Azurite(oauth=True) as azurite, IdentityEndpoint() as identity:
        env = {
            "Work__queueServiceUri": azurite.endpoint("queue"),
            "Work__credential": "managedidentity",
            "Work__clientId": "7d7a5b8c-0000-4000-8000-000000000001",
            "CONNECTION": "Work",
            "QUEUE": "work",
            "NOTES": str(tmp_path / "notes"),
            "IDENTITY_ENDPOINT": identity.address,
            "IDENTITY_HEADER": "secret",
            "SSL_CERT_FILE": str(azurite.certificate),
        }
        client = QueueClient.from_connection_string(
            azurite.connection_string(), "work", connection_verify=str(azurite.certificate)
        )
        with client as queue, HostProcess(app_dir=APPS / "queues", env=env):
            queue.create_queue()
            queue.send_message("by identity")
            wait_until(lambda: queue.get_queue_properties().approximate_message_count == 0)
        assert identity.asked == [("https://storage.azure.com", "7d7a5b8c-0000-4000-8000-000000000001", "secret")]


class IdentityEndpoint:
    """The managed-identity endpoint of App Service, which issues tokens that Azurite accepts."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str | None]] = []
        asked = self.asked

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                asked.append((query["resource"][0], query["client_id"][0], self.headers["X-IDENTITY-HEADER"]))
                expires = int(time.time()) + 3600
                answer = {"access_token": _token(expires), "expires_on": str(expires), "token_type": "Bearer"}
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps({**answer, "resource": query["resource"][0]}).encode())

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/msi/token"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,)).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _token(expires: int) -> str:
    claims = {
        "iss": "https://sts.windows.net/7d7a5b8c-0000-4000-8000-000000000002/",
        "aud": "https://storage.azure.com",
        "nbf": expires - 7200,
        "iat": expires - 7200,
        "exp": expires,
    }
    parts = [{"alg": "RS256", "typ": "JWT"}, claims]
    return ".".join(
        [*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), "c2ln"]
    )


def _refuses(base: str) -> bool:
    try:
        httpx.get(f"{base}/api/nothing")
    except httpx.ConnectError:
        return True
    return False
