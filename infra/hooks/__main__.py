"""Run one of azd's hooks: `python -m infra.hooks HOOK`."""

import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

from infra.hooks.after import postdeploy, postprovision
from infra.hooks.before import preprovision
from infra.hooks.errors import HookError
from infra.hooks.package import prepackage
from infra.hooks.tools import Tools
from infra.package.interpreter import Machine
from infra.package.place import Place

FAILED = 2
HOOKS = ("preprovision", "prepackage", "postprovision", "postdeploy")


def main(arguments: list[str]) -> int:
    """Run a hook and print its lines. If the hook fails, print its error in one line and return 2, which stops azd."""
    hook = arguments[0] if len(arguments) == 1 else ""
    try:
        for line in _lines(hook, Tools(dict(os.environ))):
            print(line, flush=True)
    except (HookError, OSError) as error:
        print(f"{hook or 'hook'}: {error}", file=sys.stderr)
        return FAILED
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        # Another version of az or azd. The answer itself may be a token or a key, so it is not repeated.
        name = f"{type(error).__name__} at {_place(error)}"
        print(f"{hook}: az or azd answers in another form than is known ({name}): is it too new?", file=sys.stderr)
        return FAILED
    return 0


def _place(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"


def _lines(hook: str, tools: Tools) -> Iterator[str]:
    match hook:
        case "preprovision":
            return preprovision(tools)
        case "prepackage":
            return prepackage(tools, Place(), Machine.this())
        case "postprovision":
            return postprovision(tools)
        case "postdeploy":
            return postdeploy(tools)
        case _:
            raise HookError(f"expected one of {', '.join(HOOKS)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
