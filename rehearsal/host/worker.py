"""Run `function_app.py` in Microsoft's runtime library, on the event loop of the main thread.

As in Azure, async functions run on that loop and sync functions in the runtime's thread pool. The rest of the host has
its own loop, so an app that blocks its loop stops neither lease renewal nor `functionTimeout`.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Mapping, MutableMapping
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


# The library reads `BindingInfo.in`, and `in` is a keyword, so the class cannot be written with `class`.
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
    """One indexed function. `bindings` are those of a function.json, including the trigger."""

    name: str
    id: str
    bindings: tuple[Mapping[str, Any], ...]

    @property
    def trigger(self) -> Mapping[str, Any]:
        """The binding that starts the function."""
        return next(binding for binding in self.bindings if binding["type"].lower().endswith("trigger"))


@dataclass(frozen=True, slots=True)
class Result:
    """How one call of a function ended. `value` is what it returned; `error` is its exception in one line, or None."""

    succeeded: bool
    value: Datum | None = None
    error: str | None = None


def prepare_environment(environment: MutableMapping[str, str], hostname: str) -> None:
    """Set the environment variables that the host in Azure and Core Tools set for the app."""
    environment["FUNCTIONS_WORKER_RUNTIME"] = "python"
    environment["WEBSITE_HOSTNAME"] = hostname
    environment.setdefault("AZURE_FUNCTIONS_ENVIRONMENT", "Development")
    environment.setdefault("PYTHON_THREADPOOL_THREAD_COUNT", "1000")


class Worker:
    """The app in one folder. A process can have only one, because the runtime library keeps module state."""

    def __init__(self, app: Path) -> None:
        self._app = app
        self._advance: Callable[[float], None] | None = None
        self.loop = asyncio.new_event_loop()

    def advance(self, seconds: float) -> None:
        """Move the app's clock ahead."""
        if self._advance is None:
            # Only a rehearsal that moves the clock has the library for it in the app's interpreter.
            from rehearsal.host.clock import AheadClock  # noqa: PLC0415

            self._advance = AheadClock().advance
        self._advance(seconds)

    def load(self) -> list[Function]:
        """Import and index the app, and return its functions in the order of their names.

        If the app cannot be imported, there are no functions and no reason is given. That is so on the real host, too:
        only what the import prints is in its log.
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
        """Start one call, from any thread but the app's."""
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
