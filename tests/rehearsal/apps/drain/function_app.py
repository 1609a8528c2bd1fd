"""An HTTP function that waits until the file RELEASE exists, and a queue function that writes the file NOTES."""

import asyncio
import os
import time
from pathlib import Path

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="waits")
async def waits(req: func.HttpRequest) -> func.HttpResponse:
    await asyncio.to_thread(_wait_for_release)
    return func.HttpResponse(req.method)


@app.queue_trigger(arg_name="msg", queue_name="work", connection="Work")
def work(msg: func.QueueMessage) -> None:
    Path(os.environ["NOTES"]).write_bytes(msg.get_body())


def _wait_for_release() -> None:
    while not Path(os.environ["RELEASE"]).exists():
        time.sleep(0.02)
