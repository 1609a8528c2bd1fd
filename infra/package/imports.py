"""Import what the app imports, and compile only these modules. The package's own Python runs this inside the package.

A package in Azure is read-only, so every instance that starts compiles each module that has no compiled file. Compiling
all modules would double the package's size, for modules that the app never imports.
"""

import ast
import importlib
import importlib.util
import json
import os
import pkgutil
import py_compile
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType

CHOSEN_BY_NAME = ("anyio.to_thread", "anyio._backends._asyncio")
"""Modules that no import statement names. httpcore and anyio choose them at the first connection, by the event loop."""


def main(app: Path, site_packages: Path) -> int:
    """Compile each module of the package that the running app imports. Print their relative paths as JSON."""
    os.chdir(app)
    sys.path[:0] = [str(app), str(site_packages)]
    import_app()
    import_later(app)
    # The interpreter wrote a compiled file for each module that it read, even if the import failed.
    written = sorted(app.rglob("*.pyc"))
    files = [Path(importlib.util.source_from_cache(str(path))) for path in written]
    for path in files:
        # Python must not compare the file with its source: unpacking changes times, and comparing reads the disk.
        py_compile.compile(
            str(path),
            dfile=str(path.relative_to(app)),
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
    print(json.dumps([str(path.relative_to(app)) for path in files]))
    return 0


def import_app() -> None:
    """Import the app as the Functions worker does, and all modules of the app's own package."""
    importlib.import_module("function_app")
    package = importlib.import_module("b2b")
    for info in pkgutil.walk_packages(package.__path__, "b2b."):
        importlib.import_module(info.name)


def import_later(app: Path) -> None:
    """Import what functions import when they run: all functions of the app, and those of packages that the app names.

    Each property of an SDK's client imports a module when the property is read, and there are hundreds of properties.
    So only the properties whose names appear in the app's code are followed. `python -m rehearsal run --package`
    reports the modules that this misses.
    """
    own = [path for path in (app / "function_app.py", *(app / "b2b").rglob("*.py")) if path.exists()]
    named = {name for path in own for name in _names(path)}
    for chosen in CHOSEN_BY_NAME:
        if importlib.util.find_spec(chosen.partition(".")[0]):
            importlib.import_module(chosen)
    seen: set[str] = set()
    while fresh := [name for name in sys.modules if name not in seen]:
        for name in fresh:
            seen.add(name)
            module = sys.modules.get(name)
            path = Path(getattr(module, "__file__", None) or "")
            if module is not None and path.suffix == ".py" and path.is_relative_to(app):
                for statement in _inner_imports(path, None if path in own else named):
                    _import(statement, module)


def _names(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.alias):
            yield node.name.rpartition(".")[2]


def _inner_imports(path: Path, named: set[str] | None) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the import statements inside functions.

    If ``named`` is not None, it must contain the name of the closest public function or class around the statement.
    """
    stack: list[tuple[ast.AST, bool, bool]] = [(ast.parse(path.read_bytes()), False, named is None)]
    while stack:
        node, inside, wanted = stack.pop()
        if isinstance(node, ast.Import | ast.ImportFrom) and inside and wanted:
            yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            private = node.name.startswith("_")
            wanted = wanted if named is None or private else node.name in named
            inside = inside or not isinstance(node, ast.ClassDef)
        stack.extend((child, inside, wanted) for child in ast.iter_child_nodes(node))


def _import(statement: ast.Import | ast.ImportFrom, module: ModuleType) -> None:
    """Carry out an import statement. Skip a module that is not installed, because only an optional feature needs it."""
    with suppress(ImportError):
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                importlib.import_module(alias.name)
            return
        name = "." * statement.level + (statement.module or "")
        parent = importlib.import_module(name, module.__package__)
        for alias in statement.names:
            # Most names that are imported from a module are not modules.
            if not hasattr(parent, alias.name) and hasattr(parent, "__path__"):
                importlib.import_module(f"{parent.__name__}.{alias.name}")


if __name__ == "__main__":
    sys.exit(main(*(Path(argument) for argument in sys.argv[1:])))
