"""The progress that a run prints on a terminal or in a file, and waits with a time limit."""

import io
import re

from rehearsal.run.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def without_times(text: str) -> list[str]:
    return [re.sub(r"^ +\d+\.\d s  ", "", line) for line in text.splitlines()]


def counting(*counts: int) -> "list[tuple[int, int]]":
    return [(count, max(counts)) for count in reversed(counts)]


def test_a_wait_ends_when_the_count_is_reached() -> None:
    out, counts = io.StringIO(), counting(0, 1, 2)
    progress = Progress(out)
    assert progress.wait("rows", counts.pop, 30)
    assert not counts
    assert without_times(out.getvalue()) == ["rows: 2"]
    assert progress.late == []


def test_a_wait_that_takes_too_long_ends_and_reports_what_is_missing() -> None:
    progress = Progress(io.StringIO())
    assert not progress.wait("rows", lambda: (1, 2), 0)
    assert progress.late == ["rows: only 1 of 2 after 0 s"]


def test_a_terminal_shows_the_progress_of_a_step_in_one_line() -> None:
    out = Terminal()
    Progress(out).wait("rows", counting(0, 2).pop, 30)
    assert out.getvalue().count("\n") == 1
    assert "rows: 0 of 2\r" in out.getvalue()


def test_a_file_gets_no_control_characters() -> None:
    out = io.StringIO()
    progress = Progress(out)
    progress.now("half")
    progress.say("done")
    assert without_times(out.getvalue()) == ["done"]
