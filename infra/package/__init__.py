"""Builds what is deployed: the app and its packages for one version of Python, as a folder and as a zip.

`python -m infra.package` needs the chosen Python with pip and nothing else, on Linux x86-64 or in such a container.
What it makes runs as it is: Azure has nothing left to build.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  the builder runs on whatever Python a machine has
    sys.exit("package: Python 3.11 or newer is needed to build; with make, PYTHON= names it")
