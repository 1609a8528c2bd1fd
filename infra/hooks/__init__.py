"""What `azd` runs before and after its steps (azure.yaml). `run.sh` and `run.ps1` start it on each system.

Everything that a person deploying with azd has to know is said here, at the step where it helps, in one line each.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  a hook runs on whatever Python a machine has
    sys.exit("hook: Python 3.11 or newer is needed on this machine")
