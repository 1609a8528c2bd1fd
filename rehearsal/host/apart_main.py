"""The program that runs the app in its own interpreter, with only those modules of the rehearsal that drive it.

Called as `python -I apart_main.py APP FILE_DESCRIPTOR`. Until the app's packages are on the path, only the standard
library can be imported. The rehearsal is loaded by its location, so that nothing else in its folder becomes importable.
"""

import importlib.util
import os
import sys
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

CLOCK = "clock"
"""The first part of a message that moves the clock. A call begins with its number."""
SITE_PACKAGES = Path(".python_packages", "lib", "site-packages")
"""The folder in which the Functions worker looks for an app's packages."""


def main(app: Path, descriptor: int) -> None:
    """Serve calls until the host closes the pipe."""
    pipe = Connection(descriptor)
    sys.path.insert(0, str(app / SITE_PACKAGES))
    _reach_rehearsal(Path(__file__).parents[1])
    from rehearsal.host.log import show_app_logs, start_logging  # noqa: PLC0415  importable only now
    from rehearsal.host.worker import Worker  # noqa: PLC0415

    start_logging()
    worker = Worker(app)
    pipe.send(worker.load())
    show_app_logs()
    threading.Thread(target=_serve, args=(worker, pipe), name="calls").start()
    try:
        worker.loop.run_forever()
    finally:
        os._exit(1)  # the app called exit


def _reach_rehearsal(folder: Path) -> None:
    spec = importlib.util.spec_from_file_location(
        "rehearsal", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder} is no package")
    module = importlib.util.module_from_spec(spec)
    sys.modules["rehearsal"] = module
    spec.loader.exec_module(module)


def _serve(worker: Any, pipe: Connection) -> None:
    lock = threading.Lock()

    def answer(number: int, future: Any) -> None:
        with lock:
            pipe.send((number, future.result()))

    try:
        while True:
            message = pipe.recv()
            if message[0] == CLOCK:
                _advance(worker, *message[1:])
                continue
            number, function, invocation_id, value, metadata = message
            future = worker.call(function, invocation_id, value, metadata)
            future.add_done_callback(lambda done, number=number: answer(number, done))
    except (EOFError, OSError):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)  # without cleaning up, because Azure kills the worker


def _advance(worker: Any, seconds: float, packages: str) -> None:
    """Move the clock ahead with the library in the host's ``packages``, from which nothing else may be imported."""
    sys.path.append(packages)
    try:
        worker.advance(seconds)
    finally:
        sys.path.remove(packages)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
