"""Facts that wait in a file until the database takes them."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from evidence.adoption import adopt, settle_broken_runs
from evidence.footage import Cause, gaps_between
from evidence.footage_rows import NewRun, add_run, note_absence
from evidence.ingest import ingest
from evidence.late_facts import (
    LateFact,
    LateKind,
    keep_fact,
    kept_facts,
    mark_recorded,
    record_clock_step,
    record_kept_facts,
)
from tests.evidence.recorded import CAMERA, RUN, RUN_2, flush_stamped, growing_name, put, recording
from tests.evidence.store import EVER, FIRST_US, Footage, open_footage

S = 1_000_000
ENDED = LateFact("a" * 36, LateKind.RUN_OVER, FIRST_US + 9 * S, CAMERA, RUN, Cause.STALLED)
AWAY = LateFact("b" * 36, LateKind.ABSENT, FIRST_US + 20 * S, CAMERA, cause=Cause.UNREACHABLE)
STEP = LateFact("c" * 36, LateKind.CLOCK_STEP, FIRST_US + 30 * S, step_us=2 * S)


@pytest.fixture
def footage(tmp_path: Path) -> Iterator[Footage]:
    with open_footage(tmp_path) as opened:
        yield opened


def gaps(footage: Footage) -> list[tuple[int, int | None, Cause]]:
    with footage.database.read() as connection:
        found = gaps_between(connection, CAMERA, 0, EVER)
    return [
        (gap.started_at_us - FIRST_US, gap.ended_at_us and gap.ended_at_us - FIRST_US, gap.cause)
        for gap in found
    ]


def record(footage: Footage, path: Path) -> tuple[int, list[LateFact]]:
    return record_kept_facts(footage.database, path, footage.store.clock)


def test_kept_facts_are_recorded_in_their_order_each_once(footage: Footage, tmp_path: Path) -> None:
    path = tmp_path / "late.jsonl"
    ingest(footage.store, footage.grow(0))
    for fact in (ENDED, AWAY, STEP, ENDED):
        keep_fact(path, fact)
    assert record(footage, path) == (3, [])
    assert gaps(footage) == [(4 * S, 20 * S, Cause.STALLED), (20 * S, None, Cause.UNREACHABLE)]
    assert footage.count("clock_step") == 1
    assert not path.exists()
    assert record(footage, path) == (0, [])


def test_a_fact_the_database_took_before_the_stop_is_not_repeated(footage: Footage, tmp_path: Path) -> None:
    path = tmp_path / "late.jsonl"
    keep_fact(path, STEP)
    with footage.database.write() as connection:
        mark_recorded(connection, STEP.uuid, FIRST_US)
    assert record(footage, path) == (0, [])
    assert footage.count("clock_step") == 0


def test_a_run_whose_row_was_refused_too_is_over_before_its_files_are_adopted(
    footage: Footage, tmp_path: Path
) -> None:
    path = tmp_path / "late.jsonl"
    for run, start_s in ((RUN, 0), (RUN_2, 12)):
        content = recording(*flush_stamped(FIRST_US + start_s * S, [2000, 2000]))
        closed_at_us = FIRST_US + start_s * S + 4_040_000
        put(footage.volume.path, growing_name(0, run=run), content, closed_at_us=closed_at_us)
    keep_fact(path, replace(ENDED, at_us=FIRST_US + 4 * S))
    keep_fact(path, replace(AWAY, kind=LateKind.RUN_OVER, at_us=FIRST_US + 16 * S, run_uuid=RUN_2))
    record(footage, path)
    assert adopt(footage.store, footage.volume).adopted == 2
    with footage.database.write() as connection:
        settle_broken_runs(connection, "boot", FIRST_US + 30 * S)
    assert gaps(footage) == [(4 * S, 12 * S, Cause.STALLED), (16 * S, None, Cause.UNREACHABLE)]


def test_a_torn_or_foreign_line_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "late.jsonl"
    keep_fact(path, AWAY)
    with path.open("ab") as opened:
        opened.write(b'{"kind": "absent"}\n{"kind": "more"}\n7\n{"uuid": "b')
    assert kept_facts(path) == [AWAY]
    keep_fact(path, replace(AWAY, cause="a cause of a newer program"))
    keep_fact(path, STEP)
    assert kept_facts(path) == [AWAY, STEP]


def test_an_absence_speaks_of_no_time_before_it_was_owed(footage: Footage, tmp_path: Path) -> None:
    path = tmp_path / "late.jsonl"
    ingest(footage.store, footage.grow(0))
    keep_fact(path, replace(AWAY, owed_from_us=FIRST_US + 15 * S))
    record(footage, path)
    assert gaps(footage) == [(15 * S, None, Cause.UNREACHABLE)]
    keep_fact(path, replace(AWAY, uuid="e" * 36, at_us=FIRST_US + 40 * S, cause=Cause.STARTING))
    assert record(footage, path) == (1, [])
    assert gaps(footage) == [(15 * S, None, Cause.UNREACHABLE)], "known already why there was nothing"


def test_while_the_database_refuses_still_the_file_stays(footage: Footage, tmp_path: Path) -> None:
    path = tmp_path / "late.jsonl"
    keep_fact(path, AWAY)
    with footage.database.write() as connection:
        connection.execute("alter table gap rename to lost")
    with pytest.raises(sqlite3.OperationalError):
        record(footage, path)
    assert kept_facts(path) == [AWAY]


def test_what_can_never_be_recorded_is_told_and_the_rest_recorded(footage: Footage, tmp_path: Path) -> None:
    path = tmp_path / "late.jsonl"
    impossible = LateFact("d" * 36, LateKind.CLOCK_STEP, FIRST_US, step_us=0)
    for fact in (impossible, AWAY):
        keep_fact(path, fact)
    assert record(footage, path) == (1, [impossible])


def test_a_camera_retired_meanwhile_is_missed_no_more(footage: Footage, tmp_path: Path) -> None:
    path = tmp_path / "late.jsonl"
    with footage.database.write() as connection:
        add_run(connection, NewRun(RUN, CAMERA, "boot", FIRST_US, 0))
        note_absence(connection, CAMERA, FIRST_US, Cause.STALLED, FIRST_US)
    keep_fact(path, LateFact("e" * 36, LateKind.RUN_OVER, FIRST_US + S, CAMERA, RUN, Cause.CAMERA_RETIRED))
    assert record(footage, path) == (1, [])
    assert gaps(footage) == [(0, S, Cause.STALLED)]


def test_an_absence_goes_on_by_the_new_clock_when_it_was_set_back(footage: Footage) -> None:
    with footage.database.write() as connection:
        note_absence(connection, CAMERA, FIRST_US, Cause.UNREACHABLE, FIRST_US)
        # Noticed a minute into the absence, and then it is an hour earlier.
        record_clock_step(connection, FIRST_US + 60 * S - 3600 * S, -3600 * S)
    assert gaps(footage) == [
        (60 * S - 3600 * S, None, Cause.UNREACHABLE),
        (0, 60 * S, Cause.UNREACHABLE),
    ]
