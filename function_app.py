"""Every trigger of the app. Translation only: what the work is stands in b2b/workflows."""

import json
import os
import sys
from collections.abc import Awaitable, Callable

import azure.functions as func

from b2b.adapters.queue import REQUESTS
from b2b.bootstrap import public_base_url, services
from b2b.domain.answers import Reply, refused
from b2b.domain.errors import RequestRefused, SettingsError
from b2b.domain.request import handshake, parameters
from b2b.settings import FUNCTIONS_PROCESS, STORAGE, load
from b2b.workflows.intake.receive import Delivery

work = func.Blueprint()  # type: ignore[no-untyped-call]  # the library has no annotation here
Handler = Callable[[func.HttpRequest], Awaitable[Reply]]
Trigger = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]


def _answered(handler: Handler) -> Trigger:
    """Make a trigger of a handler that says what to answer."""

    async def trigger(req: func.HttpRequest) -> func.HttpResponse:
        try:
            parameters.check(req.params)
        except RequestRefused as error:
            return _response(refused(error))
        return _response(await handler(req))

    # Not functools.wraps: the worker would follow it and read the handler's annotations as those of the trigger.
    trigger.__name__, trigger.__doc__ = handler.__name__, handler.__doc__
    return trigger


@work.queue_trigger(arg_name="message", queue_name=REQUESTS, connection=STORAGE)
async def convert(message: func.QueueMessage) -> None:
    """Work on one request."""
    delivery = Delivery(message.get_body(), message.id or "", message.dequeue_count or 1)
    await services().receiver.receive(delivery)


@work.timer_trigger(arg_name="timer", schedule="%B2B_SWEEP_SCHEDULE%", run_on_startup=False)
async def sweep(timer: func.TimerRequest) -> None:  # noqa: ARG001  the binding wants the parameter
    """Follow redemptions and drain the poison queue."""
    await services().sweep.run()


@work.route("requests", methods=["POST", "OPTIONS"])
@_answered
async def submit_request(req: func.HttpRequest) -> Reply:
    """Take a request in, and let a sender of events deliver here: one function, so that one key does for both."""
    if req.method == "OPTIONS":
        return Reply(200, {}, handshake.permission(req.headers))
    return await services().api.submit(req.get_body(), _base_url(req))


@work.route("requests/{requestId}", methods=["GET"])
@_answered
async def request_status(req: func.HttpRequest) -> Reply:
    """Return where a request stands."""
    return await services().api.status(req.route_params["requestId"], _base_url(req))


@work.route("requests/{requestId}/retry", methods=["POST"])
@_answered
async def retry_request(req: func.HttpRequest) -> Reply:
    """Begin a failed or blocked request again."""
    return await services().api.retry(req.route_params["requestId"], _base_url(req))


@work.route("requests/{requestId}/approve", methods=["POST"])
@_answered
async def approve_request(req: func.HttpRequest) -> Reply:
    """Let a request that needs review go on."""
    return await services().api.approve(req.route_params["requestId"], req.get_body(), _base_url(req))


@work.route("requests/{requestId}/refuse", methods=["POST"])
@_answered
async def refuse_request(req: func.HttpRequest) -> Reply:
    """End a request that needs review."""
    return await services().api.refuse(req.route_params["requestId"], req.get_body(), _base_url(req))


@work.route("requests/{requestId}/release", methods=["POST"])
@_answered
async def release_request(req: func.HttpRequest) -> Reply:
    """Let a dry run become real."""
    return await services().api.release(req.route_params["requestId"], _base_url(req))


@work.route("requests/{requestId}/cancel", methods=["POST"])
@_answered
async def cancel_request(req: func.HttpRequest) -> Reply:
    """End a request that was not invited yet."""
    return await services().api.cancel(req.route_params["requestId"], _base_url(req))


@work.route("operations/{requestId}", methods=["GET"])
@_answered
async def operation_status(req: func.HttpRequest) -> Reply:
    """Return the status of the operation, always with 200."""
    return await services().api.operation(req.route_params["requestId"], _base_url(req))


@work.route("assessments", methods=["POST"])
@_answered
async def assess(req: func.HttpRequest) -> Reply:
    """Judge a request and change nothing."""
    return await services().api.assess(req.get_body())


@work.route("health", methods=["GET"])
@_answered
async def health(req: func.HttpRequest) -> Reply:  # noqa: ARG001  the binding wants the parameter
    """Return the state of the app's parts."""
    return await services().health.report()


def _response(reply: Reply) -> func.HttpResponse:
    return func.HttpResponse(
        json.dumps(reply.body), status_code=reply.status, headers=dict(reply.headers), mimetype="application/json"
    )


def _base_url(req: func.HttpRequest) -> str:
    return services().settings.public_url or public_base_url(os.environ, req.url)


def _broken(problem: str) -> func.Blueprint:
    """Return an app that only reports what is wrong: its messages wait instead of failing into poison."""
    only_health = func.Blueprint()  # type: ignore[no-untyped-call]

    @only_health.route("health", methods=["GET"])
    async def health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001
        return _response(
            Reply(503, {"status": "unhealthy", "checks": [{"name": "settings", "status": "failed", "detail": problem}]})
        )

    return only_health


def _checked(environment: dict[str, str]) -> func.Blueprint:
    """Check the settings where the app is about to run; elsewhere, tests and tools import it without any."""
    if FUNCTIONS_PROCESS in environment:
        try:
            load(environment)
        except SettingsError as error:
            # An exception or a log line at import reaches no log of the Functions host; stderr does.
            print(error, file=sys.stderr, flush=True)  # noqa: T201
            return _broken(str(error))
    return work


app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
app.register_functions(_checked(dict(os.environ)))
