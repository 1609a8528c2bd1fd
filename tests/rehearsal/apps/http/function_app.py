"""HTTP functions of every kind that the host must distinguish; they return what reached them."""

import json
import os
import threading
from datetime import UTC, datetime

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
SEEN_AT_IMPORT = {name: os.environ.get(name) for name in ("WEBSITE_HOSTNAME", "FUNCTIONS_WORKER_RUNTIME")}


@app.route(route="echo/{kind?}", methods=["GET", "POST"])
async def echo(req: func.HttpRequest) -> func.HttpResponse:
    seen = {
        "method": req.method,
        "url": req.url,
        "headers": dict(req.headers),
        "query": dict(req.params),
        "params": dict(req.route_params),
        "body": req.get_body().decode(),
        "thread": threading.current_thread().name,
        "environment": SEEN_AT_IMPORT,
    }
    return func.HttpResponse(json.dumps(seen), mimetype="application/json")


@app.route(route="items/{id:int}", methods=["GET"])
async def b_numbered(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(f"number {req.route_params['id']}")


@app.route(route="items/{name}", methods=["GET"])
async def a_named(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(f"name {req.route_params['name']}")


@app.route(route="sync")
def on_a_thread(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(threading.current_thread().name, status_code=201, headers={"X-Method": req.method})


@app.route(route="text")
async def text(req: func.HttpRequest) -> str:
    return str(req.method)


@app.route(route="cookies")
async def cookies(req: func.HttpRequest) -> func.HttpResponse:
    answer = func.HttpResponse(req.method)
    for cookie in ("first=1; Path=/", "second=2"):
        answer.headers.add("Set-Cookie", cookie)
    return answer


@app.route(route="raises")
async def raises(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError(req.method)


@app.route(route="keyed", auth_level=func.AuthLevel.FUNCTION)
async def keyed(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(req.method)


@app.route(route="mastered", auth_level=func.AuthLevel.ADMIN)
async def mastered(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(req.method)


@app.route(route="now")
async def now(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the binding wants the parameter
    return func.HttpResponse(str(datetime.now(UTC).timestamp()))
