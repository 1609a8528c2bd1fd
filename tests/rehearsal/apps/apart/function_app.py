"""Functions that report where they run and what they can import, and one that exits the process."""

import importlib.util
import json
import logging
import os
import sys
import time
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from pathlib import Path

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="where")
async def where(req: func.HttpRequest) -> func.HttpResponse:
    logging.getLogger("app").info("asked where")
    found = {name: importlib.util.find_spec(name) is not None for name in req.params["modules"].split(",")}
    seen = {"python": sys.executable, "process": os.getpid(), "found": found, "directory": str(Path.cwd())}
    seen |= {"now": datetime.now(UTC).timestamp(), "elapsed": time.monotonic()}
    answer = func.HttpResponse(json.dumps(seen), headers={"X-Body": req.get_body().hex()})
    answer.headers.add("Set-Cookie", SimpleCookie({"kept": "1"}).output(header="").strip())
    return answer


@app.route(route="raises")
async def raises(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError(req.method)


@app.route(route="slow")
async def slow(req: func.HttpRequest) -> func.HttpResponse:
    time.sleep(60)  # noqa: ASYNC251  blocks on purpose
    return func.HttpResponse(req.method)


@app.route(route="leave")
async def leave(req: func.HttpRequest) -> func.HttpResponse:
    os._exit(int(req.params["code"]))
