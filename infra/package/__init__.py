"""Build the package to deploy: the app and its dependencies for one version of Python, as a folder and as a zip.

`python -m infra.package` needs only that version of Python with pip, on Linux x86-64 or in such a container. Azure runs
the package as it is and builds nothing.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  the builder runs on whatever Python a machine has
    sys.exit("package: Python 3.11 or newer is needed to build; with make, PYTHON= names it")
