"""`make run LIST=my.csv`: a user's own list is converted to the end, and a bad list is refused with the app's own
message.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXCEL = (
    "Name;UPN;External mail;Supplier\r\n"
    "Anna Berg; anna.berg@adatum.com;anna.berg@fabrikam.com;Fabrikam\r\n"
    "Zoë Durand;zoe.durand@adatum.com;zoe.durand@fabrikam.com;Fabrikam\r\n"
    "Lee Gu;lee.gu@adatum.com;hugo.lind@fabrikam.com;Fabrikam\r\n"
    "Doris Engel;doris.engel@adatum.com;doris.engel@adatum.com;\r\n"
    "Emil Hansson;emil.hansson@adatum.com;;\r\n"
    "Anna again;ANNA.BERG@adatum.com;;\r\n"
)
IDS = "id,mail\n55dcae65-b3f4-46fd-a85c-957a08e20172,lynne@fabrikam.com\n,lidia@northwindtraders.com\n"


def run(raw: bytes, place: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Rehearse a list, with all temporary files below `place`."""
    (place / "my.csv").write_bytes(raw)
    (place / "tmp").mkdir()
    command = [sys.executable, "-m", "rehearsal", "run", "--list", str(place / "my.csv"), *arguments]
    return subprocess.run(  # noqa: S603 - our own command line
        command,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(place / "tmp")},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.parametrize(
    ("raw", "charset"), [(EXCEL.encode("utf-8-sig"), ""), (EXCEL.encode("cp1252"), "windows-1252")]
)
def test_a_list_is_rehearsed_to_the_end_and_leaves_no_files(raw: bytes, charset: str, tmp_path: Path) -> None:
    log = ROOT / ".rehearsal" / "host.log"
    before = log.stat().st_mtime if log.exists() else None
    done = run(raw, tmp_path, *(["--charset", charset] if charset else []))
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["completed", "3"] in [row[:2] for row in lines], done.stdout
    assert ["judged", "2"] in [row[:2] for row in lines]
    assert "DuplicatePerson: the row is about the same account as line 2" in done.stdout
    assert "rows that name no address: 1" in done.stdout
    assert ["lee.gu@adatum.com", "address-unlikely"] in lines
    assert ["doris.engel@adatum.com", "home-account-not-entra,", "own-verified-domain"] in lines
    assert list((tmp_path / "tmp").iterdir()) == []
    assert (log.stat().st_mtime if log.exists() else None) == before


OWN_HEADER = EXCEL.replace("External mail", "ExterneMail").encode()


def test_a_list_whose_address_column_is_unknown_says_so_and_takes_its_header(tmp_path: Path) -> None:
    (tmp_path / "without").mkdir()
    without = run(OWN_HEADER, tmp_path / "without", "--judge-only").stdout
    assert "columns that the app does not read: Name, ExterneMail, Supplier" in without
    assert "NO COLUMN NAMES THE PEOPLE'S ADDRESSES" in without
    done = run(OWN_HEADER, tmp_path, "--address-column", "ExterneMail", "--judge-only")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert "UPN is userPrincipalName, ExterneMail is invitedUserEmailAddress" in done.stdout
    assert "NO COLUMN" not in done.stdout
    assert ["lee.gu@adatum.com", "address-unlikely"] in lines
    assert "5 members judged, none released" in done.stdout
    assert "0 invitations and 0 mails" in done.stdout


def test_people_can_be_listed_by_id_only_or_by_address_only(tmp_path: Path) -> None:
    done = run(IDS.encode(), tmp_path, "--profile", "2020")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 people of my.csv rehearsed (profile 2020)" in done.stdout
    assert "2 accounts made from the list" in done.stdout


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"Name\nAnna Berg\n", "ListHeader: the first line names no account"),
        (EXCEL.encode("cp1252"), "ListNotText: line 3 is not text in UTF-8"),
    ],
)
def test_a_bad_list_is_refused_with_the_apps_message(raw: bytes, said: str, tmp_path: Path) -> None:
    done = run(raw, tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"the app refused: {said}" in done.stdout
    assert ("CHARSET=windows-1252" in done.stdout) == ("UTF-8" in said)
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_missing_list_file_is_named(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "rehearsal", "run", "--list", str(tmp_path / "none.csv")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    assert done.returncode == 2
    assert "none.csv: No such file or directory" in done.stderr
