"""The function app: the settings are checked, then the triggers are registered."""

import os
import sys

import azure.functions as func

from b2b.domain.errors import SettingsError
from b2b.settings import FUNCTIONS_PROCESS, load
from b2b.triggers import http, queue, timers


def _checked(environment: dict[str, str]) -> list[func.Blueprint]:
    """Check the settings where the app is about to run; elsewhere, tests and tools import it without any."""
    level = func.AuthLevel.FUNCTION
    if FUNCTIONS_PROCESS in environment:
        try:
            if load(environment).sign_in:
                level = func.AuthLevel.ANONYMOUS  # App Service authentication stands in front, and roles decide
        except SettingsError as error:
            # An exception or a log line at import reaches no log of the Functions host; stderr does.
            print(error, file=sys.stderr, flush=True)  # noqa: T201
            return [http.broken(str(error))]
    return [queue.functions, timers.functions, http.routes(level)]


app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
for triggers in _checked(dict(os.environ)):
    app.register_functions(triggers)
