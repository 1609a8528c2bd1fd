"""`python -m rehearsal.host --app DIR`: serve one function app on loopback until SIGTERM or Ctrl+C."""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path
from typing import NoReturn

from rehearsal.host.apart import WorkerApart
from rehearsal.host.config import ConfigError, HostConfig
from rehearsal.host.host import Host, Setup
from rehearsal.host.keys import Keys
from rehearsal.host.log import host_log, show_app_logs, start_logging
from rehearsal.host.server import bound_socket
from rehearsal.host.worker import Worker, prepare_environment

DEFAULT_PORT = 7071


def main() -> int:
    """Run the host. Return 1 if it cannot start; otherwise the process exits with the host's own code."""
    arguments = _arguments()
    app = arguments.app.resolve()
    start_logging()
    try:
        config = HostConfig.read(app)
        keys = _keys(arguments)
        bound = bound_socket(arguments.port)
    except (ConfigError, OSError) as error:
        host_log.error("The host cannot start: %s", error)
        return 1
    prepare_environment(os.environ, f"127.0.0.1:{bound.getsockname()[1]}")
    state = arguments.state.resolve() if arguments.state else app / ".rehearsal" / "host"
    worker = WorkerApart(app, arguments.interpreter) if arguments.interpreter else Worker(app)
    functions = worker.load()
    show_app_logs()
    setup = Setup(config=config, keys=keys, state=state, bound=bound, environment=os.environ)
    return _serve(worker, Host(worker, functions, setup))


def _serve(worker: Worker | WorkerApart, host: Host) -> NoReturn:
    """Run the app's event loop on the main thread, as in Azure, and the host in a second thread. The process exits when
    the host ends.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: host.stop())
    threading.Thread(target=_serve_and_exit, args=(host,), name="host").start()
    while True:
        try:
            worker.loop.run_forever()
        except SystemExit:
            host_log.error("The app called exit: the worker is gone.")
            host.worker_broke()


def _serve_and_exit(host: Host) -> NoReturn:
    code = 1
    try:
        code = host.serve()
    except Exception:  # noqa: BLE001 - the process ends here, and its log must give the reason
        host_log.exception("The host failed.")
    finally:
        # Azure kills the worker, so neither `atexit` nor `finally` runs, and nothing waits for its threads.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _keys(arguments: argparse.Namespace) -> Keys:
    if arguments.keys_file:
        return Keys.read(arguments.keys_file)
    if arguments.master_key:
        return Keys(arguments.master_key, {"default": arguments.function_key} if arguments.function_key else {})
    keys = Keys.generate()
    host_log.info("Keys of this run: master %s, default %s", keys.master, keys.host["default"])
    return keys


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m rehearsal.host", description=__doc__)
    parser.add_argument("--app", type=Path, required=True, help="directory of function_app.py and host.json")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 lets the system choose")
    parser.add_argument(
        "--state", type=Path, help="folder with the last run of each timer (default: APP/.rehearsal/host)"
    )
    parser.add_argument(
        "--interpreter",
        type=Path,
        help="run the app in its own process with this Python, which has the runtime library, and its own packages",
    )
    keys = parser.add_mutually_exclusive_group()
    keys.add_argument("--keys-file", type=Path, help='{"master": …, "host": {name: key}, "functions": {function: …}}')
    keys.add_argument("--master-key", help="the master key; without it the host generates keys and prints them")
    parser.add_argument("--function-key", help="with --master-key: the host key `default`")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
