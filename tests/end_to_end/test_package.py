"""The deployment package: it is built from requirements.txt and run as it is unpacked, without the checkout."""

import io
import json
import shutil
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from infra.package.build import Built, build
from infra.package.errors import PackageError
from infra.package.interpreter import SUPPORTED, Machine
from infra.package.place import APP_FILES, APP_FOLDERS, Place
from rehearsal.run import rehearse
from rehearsal.sample import Sample, load
from tests.support.tools import missing

ROOT = Path(__file__).parents[2]
HERE = "{}.{}".format(*sys.version_info[:2])
LARGEST = 50_000_000
FEW = ("litware-mail-only", "northwind-http-no-id", "northwind-cloudevent-invited")

pytestmark = pytest.mark.timeout(600)
"""Seconds; the first test builds the package, which takes half a minute if pip's cache has the packages."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build this checkout's package in a temporary folder, so that the one in dist/ stays."""
    # Azure Functions runs these versions only, so for any other version there is no package. In CI that is a failure.
    if HERE not in SUPPORTED:
        missing(f"there is no package for Python {HERE}: run the tests with one of {', '.join(SUPPORTED)}")
    checkout = tmp_path_factory.mktemp("checkout")
    for name in APP_FILES:
        shutil.copyfile(ROOT / name, checkout / name)
    for name in APP_FOLDERS:
        shutil.copytree(ROOT / name, checkout / name)
    try:
        return build(Place(checkout), HERE, Machine.this())
    except PackageError as error:
        missing(f"the package cannot be built here: {error}")
        raise


def few() -> Sample:
    sample = load()
    return replace(sample, accounts=tuple(sample.account(name) for name in FEW), malformed=(), decisions=(), changes=())


def test_the_package_is_small_and_contains_the_app_and_its_packages(built: Built) -> None:
    assert built.zipped_bytes <= LARGEST
    with zipfile.ZipFile(built.archive) as package:
        names = package.namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {*APP_FILES, *APP_FOLDERS, "__pycache__", ".python_packages"}
    assert len([name for name in names if name.endswith(".pyc")]) == built.compiled
    assert built.compiled < 2_000 < built.files, "msgraph-sdk alone has more than sixteen thousand modules"
    assert [name for name in names if "/tests/" in name] == []


def test_the_package_runs_with_only_the_functions_runtime(built: Built, tmp_path: Path) -> None:
    out = io.StringIO()
    code = rehearse("current", sample=few(), out=out, log_file=tmp_path / "host.log", package=built.archive)
    assert code == 0, out.getvalue()
    assert f"{built.compiled} modules came compiled in the package" in out.getvalue()


def test_a_module_without_a_compiled_file_is_named_and_fails_the_run(built: Built, tmp_path: Path) -> None:
    lacking = tmp_path / "lacking.zip"
    with zipfile.ZipFile(built.archive) as package, zipfile.ZipFile(lacking, "w") as copy:
        copy.comment = package.comment
        for name in package.namelist():
            if not name.startswith("b2b/__pycache__/settings."):
                copy.writestr(name, package.read(name))
    out = io.StringIO()
    assert rehearse("current", sample=few(), out=out, log_file=tmp_path / "host.log", package=lacking) == 1
    assert f"b2b/__pycache__/settings.{sys.implementation.cache_tag}.pyc: imported, and not compiled" in out.getvalue()


@pytest.mark.parametrize("comment", [b"", json.dumps({"python": HERE, "packages": "remote build"}).encode()])
def test_a_package_without_its_dependencies_is_not_run(tmp_path: Path, comment: bytes) -> None:
    source = tmp_path / "source.zip"
    with zipfile.ZipFile(source, "w") as package:
        package.comment = comment
        package.writestr("function_app.py", "")
    out = io.StringIO()
    assert rehearse("current", sample=few(), out=out, log_file=tmp_path / "host.log", package=source) == 1
    assert "does not bring its packages: make it with `make package`" in out.getvalue()


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    out = io.StringIO()
    code = rehearse("current", sample=few(), out=out, log_file=tmp_path / "host.log", package=tmp_path / "none.zip")
    assert code == 1
    assert "none.zip is no package" in out.getvalue()
