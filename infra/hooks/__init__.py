"""Hooks that `azd` runs before and after its steps (azure.yaml). `run.sh` or `run.ps1` starts them.

A hook tells the person who deploys what to know at that step, in one line for each fact.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  a hook runs on whatever Python a machine has
    sys.exit("hook: Python 3.11 or newer is needed on this machine")
