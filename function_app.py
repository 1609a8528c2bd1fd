"""Every trigger of the app. Translation only: what the work is stands in b2b/workflows."""

import json
import os
import sys

import azure.functions as func

from b2b.adapters.queue import REQUESTS
from b2b.bootstrap import public_base_url, services
from b2b.domain.answers import Reply
from b2b.domain.errors import SettingsError
from b2b.settings import FUNCTIONS_PROCESS, STORAGE, load

work = func.Blueprint()  # type: ignore[no-untyped-call]  # the library has no annotation here


@work.queue_trigger(arg_name="message", queue_name=REQUESTS, connection=STORAGE)
async def convert(message: func.QueueMessage) -> None:
    """Carry one request through."""
    await services().converter.receive(message.get_body(), message.id or "")


@work.timer_trigger(arg_name="timer", schedule="%B2B_SWEEP_SCHEDULE%", run_on_startup=False)
async def sweep(timer: func.TimerRequest) -> None:  # noqa: ARG001  the binding wants the parameter
    """Follow redemptions and drain the poison queue."""
    await services().sweep.run()


@work.route("conversions", methods=["POST"])
async def submit_conversion(req: func.HttpRequest) -> func.HttpResponse:
    """Take a request in."""
    return _response(await services().api.submit(req.get_body(), _base_url(req)))


@work.route("conversions/{requestId}", methods=["GET"])
async def conversion_status(req: func.HttpRequest) -> func.HttpResponse:
    """Tell where a request stands."""
    return _response(await services().api.status(req.route_params["requestId"], _base_url(req)))


@work.route("conversions/{requestId}/retry", methods=["POST"])
async def retry_conversion(req: func.HttpRequest) -> func.HttpResponse:
    """Begin a failed or blocked request again."""
    return _response(await services().api.retry(req.route_params["requestId"], _base_url(req)))


@work.route("conversions/{requestId}/approve", methods=["POST"])
async def approve_conversion(req: func.HttpRequest) -> func.HttpResponse:
    """Let a request that needs review go on."""
    return _response(await services().api.approve(req.route_params["requestId"], req.get_body(), _base_url(req)))


@work.route("operations/{requestId}", methods=["GET"])
async def operation_status(req: func.HttpRequest) -> func.HttpResponse:
    """Tell the same as a status monitor."""
    return _response(await services().api.operation(req.route_params["requestId"], _base_url(req)))


@work.route("assessments", methods=["POST"])
async def assess(req: func.HttpRequest) -> func.HttpResponse:
    """Judge a request and change nothing."""
    return _response(await services().api.assess(req.get_body()))


@work.route("health", methods=["GET"])
async def health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the binding wants the parameter
    """Tell how healthy the app is."""
    return _response(await services().health.report())


def _response(reply: Reply) -> func.HttpResponse:
    return func.HttpResponse(
        json.dumps(reply.body), status_code=reply.status, headers=dict(reply.headers), mimetype="application/json"
    )


def _base_url(req: func.HttpRequest) -> str:
    return public_base_url(os.environ, req.url)


def _broken(problem: str) -> func.Blueprint:
    """Return an app that does nothing but say what is wrong: its messages wait instead of failing into poison."""
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
