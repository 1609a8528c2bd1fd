"""Functions that return what the host made of a request, and answers that are difficult to send."""

import json
from collections.abc import Callable

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
Response = func.HttpResponse


def seen(function: str, req: func.HttpRequest) -> func.HttpResponse:
    content = {
        "function": function,
        "method": req.method,
        "path": "/" + req.url.split("/", 3)[3],
        "query": dict(req.params),
        "route": dict(req.route_params),
        "headers": dict(req.headers),
        "body": req.get_body().decode("latin-1"),
    }
    return Response(json.dumps(content), mimetype="application/json")


@app.route(route="parts/{id}", methods=["GET", "POST", "HEAD"])
def part(req: func.HttpRequest) -> func.HttpResponse:
    return seen("part", req)


@app.route(route="counts/{n:int}", methods=["GET"])
def counted(req: func.HttpRequest) -> func.HttpResponse:
    return seen("counted", req)


@app.route(route="guarded", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
def guarded(req: func.HttpRequest) -> func.HttpResponse:
    return seen("guarded", req)


@app.route(route="{*rest}", methods=["GET", "POST", "OPTIONS"], auth_level=func.AuthLevel.FUNCTION)
def zz_rest(req: func.HttpRequest) -> func.HttpResponse:
    return seen("zz_rest", req)


ANSWERS: dict[str, Callable[[], func.HttpResponse]] = {
    "no-content": lambda: Response("dropped", status_code=204),
    "not-modified": lambda: Response(status_code=304, headers={"ETag": '"7"'}),
    "non-ascii": lambda: Response("x", headers={"X-City": "Zürich"}),
    "two-lines": lambda: Response("x", headers={"X-City": "a\r\nX-More: b"}),
    "too-short": lambda: Response("four", headers={"Content-Length": "9"}),
    "too-long": lambda: Response("four", headers={"Content-Length": "2"}),
    "exact": lambda: Response("four", headers={"Content-Length": "4"}),
    "teapot": lambda: Response("x", status_code=599),
    "too-low": lambda: Response("x", status_code=150),
    "too-high": lambda: Response("x", status_code=601),
}


@app.route(route="answers/{kind}", methods=["GET", "HEAD"])
def answers(req: func.HttpRequest) -> func.HttpResponse:
    return ANSWERS[req.route_params["kind"]]()
