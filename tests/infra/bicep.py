"""The real Bicep compiler and its predicted deployments. `python -m tests.infra.bicep` renews the kept snapshots."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
SNAPSHOTS = INFRA / "snapshots"
VERSION = "0.49.2"
"""The version that made the kept snapshots. Another version may evaluate more or less of an expression."""
HOW_TO_GET_ONE = (
    f"no Bicep CLI: `az bicep install --version v{VERSION}`, then put it on PATH or its path into BICEP (~/.azure/bin)"
)
SCENARIOS = sorted(file.stem for file in SNAPSHOTS.glob("*.bicepparam"))
APP_SCENARIOS = [name for name in SCENARIOS if not name.startswith(("graph-", "sign-in"))]
GRAPH_SCENARIOS = [name for name in SCENARIOS if name.startswith("graph-")]


def find_compiler() -> str | None:
    """Return the path of the compiler from the variable BICEP, from PATH, or next to the repository; else None."""
    beside = ROOT.parent / "shared" / "tools" / "bicep"
    return os.environ.get("BICEP") or shutil.which("bicep") or (str(beside) if beside.exists() else None)


class Refused(Exception):
    """The compiler, or the engine that predicts a deployment, refused; the text is its message."""


class Compiler:
    """A compiler process that answers over JSON-RPC, which is much faster than a process per file, and its command
    line.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._server = subprocess.Popen(  # noqa: S603  the compiler chosen by the caller
            [path, "jsonrpc", "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._calls = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.close()
        self._server.wait(10)
        self._server.stdout.close()

    def version(self) -> str:
        return str(self._call("bicep/version", {})["version"])

    def predict(self, parameters: Path) -> dict[str, Any]:
        """Return the predicted resources and outputs of a deployment with these parameters.

        Raises:
            Refused: the template does not accept these parameters.

        """
        place = {
            "tenantId": None,
            "subscriptionId": "00000000-0000-0000-0000-000000000001",
            "resourceGroup": "rg-b2b",
            "location": "westeurope",
            "deploymentName": "b2b-conversion",
        }
        result = self._call("bicep/getSnapshot", {"path": str(parameters), "metadata": place, "externalInputs": None})
        document: dict[str, Any] = json.loads(result["snapshot"])
        return document

    def run(
        self, *arguments: str, cwd: Path = INFRA, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603
            [self._path, *arguments],
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )

    def _call(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._calls += 1
        message = {"jsonrpc": "2.0", "id": self._calls, "method": method, "params": parameters}
        body = json.dumps(message).encode()
        self._server.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._server.stdin.flush()
        length = 0
        while line := self._server.stdout.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        answer = json.loads(self._server.stdout.read(length))
        if "error" in answer:
            raise Refused(answer["error"]["message"])
        result: dict[str, Any] = answer["result"]
        return result


@dataclass(frozen=True)
class Deployment:
    """The kept prediction of one scenario. tests/infra/test_snapshots.py compares it with the templates."""

    name: str
    resources: Sequence[dict[str, Any]]
    outputs: dict[str, Any]
    diagnostics: Sequence[Any]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return all resources of a type."""
        return [resource for resource in self.resources if resource["type"] == kind]

    def one(self, kind: str, name: str = "") -> dict[str, Any]:
        """Return the only resource of a type whose name begins with `name`."""
        (found,) = (resource for resource in self.of(kind) if resource["name"].startswith(name))
        return found

    @property
    def app_settings(self) -> dict[str, str]:
        (found,) = (each for each in self.of("Microsoft.Web/sites/config") if each["name"].endswith("/appsettings"))
        settings: dict[str, str] = found["properties"]
        return settings


def kept(name: str) -> Deployment:
    """Read a kept prediction."""
    document = json.loads((SNAPSHOTS / f"{name}.snapshot.json").read_text("utf-8"))
    return Deployment(name, document["predictedResources"], document["outputs"], document["diagnostics"])


def text_of(document: dict[str, Any]) -> str:
    """Return a prediction as the text that is kept.

    Outputs are sorted, because the compiler gives them in any order.
    """
    ordered = {**document, "outputs": dict(sorted(document["outputs"].items()))}
    return json.dumps(ordered, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    found = find_compiler()
    if found is None:
        raise SystemExit(HOW_TO_GET_ONE)
    with Compiler(found) as compiler:
        for scenario in SCENARIOS:
            prediction = compiler.predict(SNAPSHOTS / f"{scenario}.bicepparam")
            (SNAPSHOTS / f"{scenario}.snapshot.json").write_text(text_of(prediction), "utf-8")
