"""`python -m b2b.evidence verify`: what it reads, and what it answers."""

import json
from pathlib import Path

import pytest

from b2b import evidence

ACCOUNT = "00000000-0000-4000-8000-000000000001"
CONTENT = b'{"title": "Evidence"}'
LINE = evidence.line(evidence.digest_of(CONTENT), ACCOUNT, "json")
AT = "2026-11-28T01:02:03Z"
QUOTED = f'"{LINE}"'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "evidence.json"
    path.write_bytes(CONTENT)
    return path


@pytest.mark.parametrize(
    "export",
    [
        f"TimeGenerated [UTC],Message,AppRoleName\n{AT},{LINE},func-b2b\n",
        f"\ufeffTimeGenerated,Message\n{AT},{QUOTED}\n",
        json.dumps([{"Message": LINE, "TimeGenerated": AT, "TableName": "PrimaryResult"}]),
        json.dumps({"tables": [{"columns": [{"name": "TimeGenerated"}, {"name": "Message"}], "rows": [[AT, LINE]]}]}),
        f"timestamp,message\n{AT},{LINE}\n",
    ],
    ids=["portal", "spreadsheet", "az", "API", "Application Insights"],
)
def test_a_logged_file_is_found_in_every_export(
    export: str, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "export"
    log.write_text(export, "utf-8")
    assert evidence.main(["verify", str(file), "--log", str(log)]) == evidence.LOGGED
    said = capsys.readouterr().out
    assert said == f"{file} is as the app created it at {AT}: evidence of account {ACCOUNT}, as json.\n"


@pytest.mark.parametrize("change", [b" ", b"\n", b"x"])
def test_a_file_with_one_more_byte_is_not_found(change: bytes, file: Path, tmp_path: Path) -> None:
    log = tmp_path / "export"
    log.write_text(f"Message\n{LINE}\n")
    file.write_bytes(CONTENT + change)
    assert evidence.main(["verify", str(file), "--log", str(log)]) == evidence.NOT_LOGGED


def test_without_an_export_verify_prints_the_query_for_the_file(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evidence.main(["verify", str(file)]) == evidence.LOGGED
    said = capsys.readouterr().out
    digest = evidence.digest_of(CONTENT)
    assert f"| where Digest == '{digest}'" in said
    assert said.endswith(f"{evidence.QUERY.format(digest=digest)}\n")


def test_the_query_parses_the_line_that_the_app_logs() -> None:
    """Kusto's `parse` takes the words between the columns literally."""
    pattern = evidence.QUERY.partition("parse Message with ")[2].partition("\n")[0]
    words = pattern.split("'")[1::2]
    rest, values = LINE, list[str]()
    for number, word in enumerate(words):
        before, _, rest = rest.partition(word)
        values += [before] if number else []
    assert [*values, rest] == [evidence.digest_of(CONTENT), ACCOUNT, "json"]


@pytest.mark.parametrize(
    "export", ["", "a,b\n1,2\n", "[1", "[1]", '{"tables": 1}', '{"rows": []}', '[{"Message"}]'], ids=repr
)
def test_a_file_that_is_no_export_is_reported_as_unreadable(
    export: str, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "export"
    log.write_text(export)
    assert evidence.main(["verify", str(file), "--log", str(log)]) == evidence.UNREADABLE
    assert capsys.readouterr().err.startswith("the file or the export cannot be read: ")


def test_a_missing_file_is_reported_as_unreadable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evidence.main(["verify", str(tmp_path / "nothing")]) == evidence.UNREADABLE
    assert "nothing" in capsys.readouterr().err


def test_a_row_with_a_malformed_line_is_not_found() -> None:
    digest = evidence.digest_of(CONTENT)
    assert evidence.find(digest, f"Message\nevidence sha256 {digest} of account somebody as json\n") is None
    assert evidence.find(digest, f"Message\n{LINE.replace(digest, digest[:-1])}\n") is None
