"""The builder of the package, with a tiny app and one tiny dependency, without a network."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra.package.build import build, build_source, clear
from infra.package.errors import PackageError
from infra.package.interpreter import SUPPORTED, Machine, find
from infra.package.place import SITE_PACKAGES, Place
from tests.infra.bicep import ROOT

HERE = "{}.{}".format(*sys.version_info[:2])
LINUX = Machine("Linux", "x86_64", "glibc")
WHEEL = "tiny-1.0-py3-none-any.whl"
CACHE = f"__pycache__/{{}}.{sys.implementation.cache_tag}.pyc"
TINY = {
    "tiny/__init__.py": "from tiny import eager\n\n\ndef open_it():\n    from tiny import lazy\n",
    "tiny/eager.py": "class Client:\n    @property\n    def users(self):\n        from tiny import users\n\n"
    "    @property\n    def groups(self):\n        from tiny import groups\n",
    "tiny/lazy.py": "",
    "tiny/users.py": "\ufeffNAME = 'utf-8 with a mark'\n",
    "tiny/groups.py": "",
    "tiny/optional.py": "import not_installed\n",
    "tiny/py.typed": "",
    "tiny/stubs.pyi": "",
    "tiny/tests/__init__.py": "",
    "msgraph/generated/__init__.py": "",
    "msgraph/generated/used.py": "",
    "msgraph/generated/models/unused.py": "",
    "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
    "tiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "tiny-1.0.dist-info/LICENSE": "free\n",
}
APP = {
    "function_app.py": "import tiny\nfrom b2b import work\n",
    "host.json": "{}",
    "b2b/__init__.py": "",
    "b2b/work.py": "from tiny.eager import Client\nimport msgraph.generated.used\n\n\n"
    "def work():\n    import tiny.lazy\n    return Client().users\n",
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Make a checkout whose only dependency is in a local folder that pip searches, and disable the package index."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    wheel = shelf / WHEEL
    with zipfile.ZipFile(wheel, "w") as out:
        for name, text in TINY.items():
            out.writestr(name, text)
        out.writestr(
            "tiny-1.0.dist-info/RECORD", "".join(f"{name},,\n" for name in [*TINY, "tiny-1.0.dist-info/RECORD"])
        )
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    root = tmp_path / "checkout"
    for name, text in APP.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    require(root, hashlib.sha256(wheel.read_bytes()).hexdigest())
    return Place(root)


def require(root: Path, digest: str) -> None:
    (root / "requirements.txt").write_text(f"tiny==1.0 \\\n    --hash=sha256:{digest}\n", "utf-8")


def packed(place: Place) -> set[str]:
    with zipfile.ZipFile(place.archive) as package:
        assert package.testzip() is None
        return set(package.namelist())


def left(place: Place) -> list[str]:
    """Return the names in the output folder, including hidden ones."""
    return sorted(path.name for path in place.output.iterdir()) if place.output.exists() else []


def compiled(place: Place) -> set[str]:
    """Return the compiled modules in the zip's site-packages, as paths without a suffix."""
    names = (Path(name) for name in packed(place) if name.endswith(".pyc"))
    return {"/".join([*path.parent.parent.parts[3:], path.name.split(".")[0]]) for path in names if len(path.parts) > 3}


def test_the_zip_has_the_app_and_its_packages_without_unneeded_files(place: Place) -> None:
    built = build(place, HERE, LINUX)
    names = packed(place)
    assert {
        "function_app.py",
        "host.json",
        "requirements.txt",
        "b2b/work.py",
        str(SITE_PACKAGES / "tiny/lazy.py"),
    } <= names
    assert str(SITE_PACKAGES / "tiny-1.0.dist-info/LICENSE") in names
    unwanted = ("tests/", ".pyi", "RECORD", ".funcignore", "INSTALLER")
    assert [name for name in names for part in unwanted if part in name] == []
    assert (built.files, built.zipped_bytes) == (len(names), place.archive.stat().st_size)
    assert built.compiled == len([name for name in names if name.endswith(".pyc")])
    assert left(place) == ["app", "b2b-conversion.zip"]


def test_only_modules_that_the_app_imports_are_compiled(place: Place) -> None:
    build(place, HERE, LINUX)
    # The app reads the property `users` but not `groups`, and it imports `lazy` in a function.
    assert compiled(place) == {"tiny/__init__", "tiny/eager", "tiny/users", "tiny/lazy", "msgraph/generated/__init__",
                               "msgraph/generated/used"}  # fmt: skip
    assert {name for name in packed(place) if name.startswith("b2b/") and name.endswith(".pyc")} == {
        f"b2b/{CACHE.format(module)}" for module in ("__init__", "work")
    }


def test_a_compiled_file_is_used_whatever_the_time_of_its_source(place: Place, tmp_path: Path) -> None:
    build(place, HERE, LINUX)
    with zipfile.ZipFile(place.archive) as package:
        package.extractall(tmp_path / "elsewhere")
    module = tmp_path / "elsewhere" / "b2b" / "work.py"
    module.write_text("raise RuntimeError('compiled again')\n", "utf-8")
    packages = tmp_path / "elsewhere" / SITE_PACKAGES
    program = f"import sys; sys.path[:0] = [{str(tmp_path / 'elsewhere')!r}, {str(packages)!r}]; import b2b.work"
    command = [sys.executable, "-I", "-S", "-B", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert (done.returncode, done.stderr) == (0, "")


def test_equal_files_give_an_identical_zip(place: Place) -> None:
    build(place, HERE, LINUX)
    first = place.archive.read_bytes()
    for path in place.root.rglob("*.py"):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    build(place, HERE, LINUX)
    assert place.archive.read_bytes() == first


def test_the_funcignore_for_azd_excludes_nothing(place: Place) -> None:
    build(place, HERE, LINUX)
    ignore = (place.app / ".funcignore").read_text("utf-8")
    assert [line for line in ignore.splitlines() if not line.startswith("#")] == []
    in_folder = {path.relative_to(place.app).as_posix() for path in place.app.rglob("*") if path.is_file()}
    assert in_folder - packed(place) == {".funcignore"}


def test_msgraph_is_complete_unless_trimmed(place: Place) -> None:
    unused = str(SITE_PACKAGES / "msgraph/generated/models/unused.py")
    build(place, HERE, LINUX)
    assert unused in packed(place)
    before = compiled(place)
    build(place, HERE, LINUX, trimmed=True)
    assert unused not in packed(place)
    assert compiled(place) == before
    assert str(SITE_PACKAGES / "msgraph/generated/used.py") in packed(place)


def test_the_package_for_the_remote_build_is_the_app_and_the_requirements(place: Place) -> None:
    build_source(place, HERE)
    assert packed(place) == {"requirements.txt", *APP}


def test_the_zip_states_its_python_version(place: Place) -> None:
    build(place, HERE, LINUX)
    with zipfile.ZipFile(place.archive) as package:
        assert json.loads(package.comment) == {"python": HERE, "packages": "included"}


@pytest.mark.parametrize(
    ("machine", "said"),
    [
        (Machine("Darwin", "arm64", ""), "this is Darwin: build in a container"),
        (Machine("Windows", "AMD64", ""), "this is Windows: build in a container"),
        (Machine("Linux", "aarch64", "glibc"), "this is aarch64: build in a container"),
        (Machine("Linux", "x86_64", ""), "glibc, as in Azure: build in a container"),
    ],
)
def test_a_machine_unlike_azures_is_refused(place: Place, machine: Machine, said: str) -> None:
    with pytest.raises(PackageError, match=said) as refused:
        build(place, HERE, machine)
    assert "\n" not in str(refused.value)
    assert left(place) == []


@pytest.mark.parametrize("version", ["3.10", "3.14", "3", "", "3.11.9", "three"])
def test_an_unsupported_python_is_refused(place: Place, version: str) -> None:
    refusal = r"is not supported: 3\.11, 3\.12, 3\.13"
    with pytest.raises(PackageError, match=refusal):
        build(place, version, LINUX)
    with pytest.raises(PackageError, match=refusal):
        build_source(place, version)
    assert left(place) == []


def test_a_missing_or_different_python_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = next(version for version in SUPPORTED if version != HERE)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PackageError, match=f"python{other} is not on PATH"):
        find(other)
    impostor = tmp_path / f"python{other}"
    impostor.symlink_to(shutil.which("false") or "/bin/false")
    with pytest.raises(PackageError, match=f"does not start as CPython {other}"):
        find(other)
    impostor.unlink()
    impostor.symlink_to(sys.executable)
    with pytest.raises(PackageError, match=f"does not start as CPython {other}"):
        find(other)


@pytest.mark.parametrize("body", ["print('hello from sitecustomize')", "import time; time.sleep(60)"])
def test_a_python_with_unexpected_output_or_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    other = next(version for version in SUPPORTED if version != HERE)
    monkeypatch.setenv("PATH", str(tmp_path))
    strange = tmp_path / f"python{other}"
    strange.write_text(f"#!{sys.executable}\n{body}\n", "utf-8")
    strange.chmod(0o755)
    with pytest.raises(PackageError, match=f"does not start as CPython {other}"):
        find(other, seconds=0.5)


def test_an_app_that_exits_silently_on_import_is_reported_in_one_line(place: Place) -> None:
    (place.root / "function_app.py").write_text("import os\nos._exit(9)\n", "utf-8")
    with pytest.raises(PackageError) as refused:
        build(place, HERE, LINUX)
    assert str(refused.value) == "the app cannot be imported from its package: it ended with 9"
    assert left(place) == []


def test_old_leftovers_of_a_killed_build_are_removed_by_the_next(place: Place) -> None:
    stale, fresh = place.output / ".building-old", place.output / ".building-new"
    for folder in (stale, fresh):
        folder.mkdir(parents=True)
        (folder / "file").write_text("x")
    os.utime(stale, (0, 0))
    build(place, HERE, LINUX)
    assert left(place) == [".building-new", "app", place.archive.name]


def test_a_password_in_a_url_is_not_printed(place: Place) -> None:
    (place.root / "requirements.txt").write_text("tiny @@ https://reader:hunter2@contoso.com/tiny.whl\n", "utf-8")
    with pytest.raises(PackageError) as refused:
        build(place, HERE, LINUX)
    assert "contoso.com" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_python_packages_folder_of_another_tool_is_refused(place: Place) -> None:
    stray = place.root / SITE_PACKAGES / "malware"
    stray.mkdir(parents=True)
    with pytest.raises(PackageError, match=r"\.python_packages is another tool's"):
        build(place, HERE, LINUX)
    assert left(place) == []
    assert stray.exists()


def test_without_a_network_the_build_fails_in_one_line(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    build(place, HERE, LINUX)
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(PackageError, match="the package index does not answer") as refused:
        build(place, HERE, LINUX)
    assert "\n" not in str(refused.value)
    assert left(place) == []


def test_a_package_with_another_hash_is_refused(place: Place) -> None:
    require(place.root, "0" * 64)
    with pytest.raises(PackageError, match=r"not the one whose hash requirements\.txt names"):
        build(place, HERE, LINUX)
    assert left(place) == []


def test_a_requirement_without_a_hash_is_refused(place: Place) -> None:
    (place.root / "requirements.txt").write_text("tiny==1.0\n", "utf-8")
    with pytest.raises(PackageError, match=r"not the one whose hash requirements\.txt names"):
        build(place, HERE, LINUX)
    assert left(place) == []


def test_a_package_without_a_wheel_for_azure_is_named(place: Place) -> None:
    require(place.root, "0" * 64)
    (place.root.parent / "shelf" / WHEEL).rename(place.root.parent / "shelf" / "tiny-1.0-cp311-cp311-win_amd64.whl")
    with pytest.raises(PackageError, match=r"pip: No matching distribution found for tiny==1\.0"):
        build(place, HERE, LINUX)
    assert left(place) == []


def test_an_app_that_imports_a_missing_package_is_refused(place: Place) -> None:
    (place.root / "function_app.py").write_text("import yaml\n", "utf-8")
    with pytest.raises(PackageError, match=r"cannot be imported from its package: ModuleNotFoundError.*'yaml'"):
        build(place, HERE, LINUX)
    assert left(place) == []


def test_a_failed_build_removes_the_earlier_package(place: Place) -> None:
    build(place, HERE, LINUX)
    assert place.archive.exists()
    with pytest.raises(PackageError):
        build(place, "3.10", LINUX)
    assert left(place) == []
    clear(place)  # clearing an empty output folder works, too


def test_the_command_prints_its_failure_in_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "infra.package", "--python", "2.7"]
    checkout = Path(shutil.copytree(ROOT / "infra" / "package", tmp_path / "infra" / "package")).parents[1]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "package: Python 2.7 is not supported: 3.11, 3.12, 3.13\n"
