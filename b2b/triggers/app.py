"""Check the settings, and register the triggers of the function app."""

import os
import sys

import azure.functions as func

from b2b.domain.errors import SettingsError
from b2b.settings import FUNCTIONS_PROCESS, load
from b2b.triggers import http, queue, timers


def _checked(environment: dict[str, str]) -> list[func.Blueprint]:
    """Return the blueprints to register.

    Settings are checked only in a Functions process, so that tests and tools can import the app without settings. If
    the settings are wrong, the only function is a health function that says why.
    """
    level = func.AuthLevel.FUNCTION
    if FUNCTIONS_PROCESS in environment:
        try:
            if load(environment).sign_in:
                # App Service authentication checks callers before the app does, so no function key is asked for.
                level = func.AuthLevel.ANONYMOUS
        except SettingsError as error:
            # The Functions host logs neither exceptions nor log lines of an import, but it does log stderr.
            print(error, file=sys.stderr, flush=True)  # noqa: T201
            return [http.broken(str(error))]
    return [queue.functions, timers.functions, http.routes(level)]


app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
for triggers in _checked(dict(os.environ)):
    app.register_functions(triggers)
