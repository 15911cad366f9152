"""Reports of an exam that came to a rehearsal outlive it."""

from pathlib import Path

from evidence.announcements import PlayedReport
from evidence.reports_set_aside import reports_set_aside, set_aside

REPORT = PlayedReport(1, 1, "C5", 1, "tablet-0001", 1000, None, 0, 10)


def test_every_report_is_kept_until_it_is_taken_in(tmp_path: Path) -> None:
    path = tmp_path / "reports.jsonl"
    assert reports_set_aside(path) == []
    set_aside(path, [REPORT])
    set_aside(path, [REPORT])
    assert reports_set_aside(path) == [REPORT, REPORT]


def test_a_torn_line_costs_that_line_only(tmp_path: Path) -> None:
    path = tmp_path / "reports.jsonl"
    set_aside(path, [REPORT])
    with path.open("a", encoding="utf-8") as kept:
        kept.write('{"session_id": 1, "ro')
    assert reports_set_aside(path) == [REPORT]
