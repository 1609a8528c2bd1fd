"""The app's side of the host: `function_app.py` in Microsoft's runtime library, on the event loop of the main thread.

Async functions run on that loop, sync ones in the runtime's pool, as in Azure. The host proper has a loop of its own,
so an app that blocks its loop stops neither lease renewal nor `functionTimeout`.
"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping, MutableMapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime
from azure_functions_runtime import native_invocation as native

from rehearsal.host.bindings import Datum


class _Message:
    """Stands in for the protobuf messages that the runtime library builds."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


class _Status(_Message):
    Failure = 0
    Success = 1


# `BindingInfo.in` and its neighbours are read by name, and `in` is a keyword.
_BindingInfo = type("_BindingInfo", (_Message,), {"in": 0, "out": 1, "inout": 2, "undefined": 0})
_PROTOS = SimpleNamespace(
    StatusResult=_Status,
    BindingInfo=_BindingInfo,
    WorkerInitResponse=_Message,
    WorkerMetadata=_Message,
    RpcException=_Message,
    FunctionMetadataResponse=_Message,
    RpcFunctionMetadata=_Message,
    RpcRetryOptions=_Message,
)


@dataclass(frozen=True, slots=True)
class Function:
    """One indexed function; `bindings` as in a function.json, the trigger among them."""

    name: str
    id: str
    bindings: tuple[Mapping[str, Any], ...]

    @property
    def trigger(self) -> Mapping[str, Any]:
        """The binding that starts it."""
        return next(binding for binding in self.bindings if binding["type"].lower().endswith("trigger"))


@dataclass(frozen=True, slots=True)
class Result:
    """How one call of a function ended; `value` is what it returned, `error` the exception in one line."""

    succeeded: bool
    value: Datum | None = None
    error: str | None = None


def prepare_environment(environment: MutableMapping[str, str], hostname: str) -> None:
    """Set what the host in Azure (and Core Tools) sets for the app."""
    environment["FUNCTIONS_WORKER_RUNTIME"] = "python"
    environment["WEBSITE_HOSTNAME"] = hostname
    environment.setdefault("AZURE_FUNCTIONS_ENVIRONMENT", "Development")
    environment.setdefault("PYTHON_THREADPOOL_THREAD_COUNT", "1000")


class Worker:
    """The app of one directory. There can be one per process: the runtime library keeps module state."""

    def __init__(self, app: Path) -> None:
        self._app = app
        self.loop = asyncio.new_event_loop()

    def load(self) -> list[Function]:
        """Import and index the app; the functions in the order of their names.

        An app that cannot be imported has none, and why is not told: so it is on the real host, where only what the
        import printed reaches the log.
        """
        os.chdir(self._app)
        sys.path.insert(0, str(self._app))
        runtime.start_threadpool_executor()
        functions = self.loop.run_until_complete(self._index())
        return sorted(functions, key=lambda function: function.name.lower())

    async def _index(self) -> list[Function]:
        init = _Message(capabilities={}, function_app_directory=str(self._app))
        request = _Message(
            request=_Message(worker_init_request=init), properties={"host": "127.0.0.1", "protos": _PROTOS}
        )
        response = await runtime.worker_init_request(request)
        if response.result.status != _Status.Success:
            return []
        metadata = (await runtime.functions_metadata_request(None)).function_metadata_results or []
        return [
            Function(each.name, each.function_id, tuple(json.loads(binding) for binding in each.raw_bindings))
            for each in metadata
        ]

    def call(
        self, function: Function, invocation_id: str, value: Datum, metadata: Mapping[str, Datum]
    ) -> Future[Result]:
        """Start one call from another thread than the app's."""
        inputs = [(function.trigger["name"], value)]
        return asyncio.run_coroutine_threadsafe(
            self._call(function.id, invocation_id, inputs, dict(metadata)), self.loop
        )

    async def _call(
        self, function_id: str, invocation_id: str, inputs: list[tuple[str, Datum]], metadata: dict[str, Datum]
    ) -> Result:
        succeeded, value, _, error, _ = await native.invocation_request_native(
            invocation_id, function_id, inputs, metadata
        )
        return Result(succeeded, value, error)
