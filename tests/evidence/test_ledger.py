"""The ledger: one leaf per fact, in the fact's transaction, and a tree that says what the leaves say."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.outcomes import load_outcome_texts
from config.procedures import load_procedures
from evidence import announcements, proctor_log
from evidence.check_in_facts import CheckInRules
from evidence.checkins import CheckInRequest, decide
from evidence.database import WriterDatabase
from evidence.day import load_sessions
from evidence.footage import Cause
from evidence.footage_access import FootageRequest, record_access
from evidence.footage_rows import add_clock_step, end_absence, note_absence
from evidence.ingest import ingest, quarantine
from evidence.ledger import (
    Leaf,
    LeafKind,
    LedgerError,
    append,
    append_fact,
    canonical,
    has_kind_since,
    head_at,
    prove_consistency,
    prove_inclusion,
    read_leaves,
    recompute,
    salted_digest,
    tree_head,
)
from evidence.merkle import EMPTY_ROOT, Inclusion, TreeHead, hash_leaf, is_consistent, is_included
from evidence.timeline import Interval
from exam.course import SessionCourse
from exam.cues import session_cues
from exam.presses import Press
from tests.evidence.store import CAMERA, FIRST_US, open_footage
from tests.exam.day_with_cues import THEORY
from tests.world import CLOCK_US, START_US, World

RULES = CheckInRules(load_procedures(), load_outcome_texts())
SPOKEN = "赵迟手机响，准考证号见花名册"


def leaves(database: WriterDatabase) -> list[Leaf]:
    with database.read() as connection:
        assert recompute(connection) == tree_head(connection)
        return [leaf for leaf, _hash in read_leaves(connection)]


def kinds(database: WriterDatabase) -> list[str]:
    return [leaf.kind for leaf in leaves(database)]


def fill(database: WriterDatabase, count: int) -> None:
    with database.write() as connection:
        for number in range(count):
            append(connection, LeafKind.CLOCK_STEP, {"step_us": number}, FIRST_US + number)


def fill_once_and_fail(connection: sqlite3.Connection) -> None:
    append(connection, LeafKind.CLOCK_STEP, {"step_us": 1}, FIRST_US)
    append(connection, LeafKind.CLOCK_STEP, {"step_us": 1}, 0)  # no moment: refused by the schema


def scan(world: World, nonce: str = "nonce-0000000001") -> CheckInRequest:
    person = world.on_time
    return CheckInRequest(world.kiosk_id, nonce, CLOCK_US, person.ticket_no, person.id_number)


def check_in(world: World, request: CheckInRequest) -> None:
    with world.exam.write() as connection:
        decide(connection, world.vault, request, RULES, CLOCK_US + 7)


def note(world: World) -> proctor_log.NewEntry:
    return proctor_log.NewEntry(
        nonce="nonce-000000000001",
        session_id=world.session_id,
        room_id=world.room_1,
        account_id=world.proctor_account_id,
        kind="reminder",
        happened_at_us=CLOCK_US,
        text=SPOKEN,
        candidate_id=world.late.id,
    )


def look(world: World) -> FootageRequest:
    interval = Interval(START_US, START_US + 60_000_000)
    return FootageRequest(world.site_lead_account_id, world.room_1, interval, SPOKEN)


def test_an_entry_is_written_in_one_way_only() -> None:
    leaf = Leaf(3, "clock_step", canonical({"b": "第3“考场”\n", "a": 1, "c": None}), 5)
    assert leaf.entry().decode() == (
        '{"body":{"a":1,"b":"第3“考场”\\n","c":null},"index":3,"kind":"clock_step","recorded_at_us":5}'
    )
    assert leaf.entry().decode() == canonical(json.loads(leaf.entry()))


def test_an_empty_ledger_has_the_empty_root(world: World) -> None:
    assert leaves(world.exam) == []
    with world.exam.read() as connection:
        assert tree_head(connection) == TreeHead(0, EMPTY_ROOT)


@settings(max_examples=12)
@given(st.integers(1, 70))
def test_proofs_from_the_stored_tree_hold_for_every_earlier_size(
    tmp_path_factory: pytest.TempPathFactory, count: int
) -> None:
    database = WriterDatabase(tmp_path_factory.mktemp("ledger") / "exam.db", "exam")
    fill(database, count)
    with database.read() as connection:
        head = recompute(connection)
        assert head == tree_head(connection)
        for leaf, leaf_hash in read_leaves(connection):
            claim = Inclusion(leaf_hash, leaf.index, prove_inclusion(connection, leaf.index, count))
            assert is_included(claim, head)
            old = head_at(connection, leaf.index)
            assert is_consistent(old, head, prove_consistency(connection, old.size, count))
    database.close()


def test_appending_and_proving_touch_a_logarithm_of_the_tree(world: World) -> None:
    fill(world.exam, 1000)
    with world.exam.read() as connection:
        assert connection.execute("select count(*) from ledger_node").fetchone()[0] < 1000
        assert len(prove_inclusion(connection, 500, 1000)) == 10
    asked: list[str] = []
    with world.exam.write() as connection:
        connection.set_trace_callback(asked.append)
        append(connection, LeafKind.CLOCK_STEP, {"step_us": 1}, FIRST_US)
        connection.set_trace_callback(None)
    assert len(asked) < 40


def test_reading_can_begin_anywhere(world: World) -> None:
    fill(world.exam, 5)
    with world.exam.read() as connection:
        assert [leaf.index for leaf, _hash in read_leaves(connection, 3)] == [3, 4]


def test_a_fact_that_is_undone_leaves_no_leaf(world: World) -> None:
    fill(world.exam, 1)
    with pytest.raises(sqlite3.IntegrityError), world.exam.write() as connection:
        fill_once_and_fail(connection)
    assert len(leaves(world.exam)) == 1


@pytest.mark.parametrize("name", ["exam", "footage"])
@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        ("update ledger_leaf set body = '{}'", "never updated"),
        ("delete from ledger_leaf", "never deleted"),
        ("insert or replace into ledger_leaf select * from ledger_leaf limit 1", "only added at the end"),
        ("insert into ledger_leaf select 99, kind, body, 1, leaf_hash from ledger_leaf", "only added at"),
        ("update ledger_node set hash = zeroblob(32)", "never updated"),
        ("delete from ledger_node", "never deleted"),
        ("insert or replace into ledger_node select * from ledger_node", "only added once"),
    ],
)
def test_the_database_itself_refuses_to_rewrite_the_ledger(
    tmp_path: Path, name: str, statement: str, refusal: str
) -> None:
    database = WriterDatabase(tmp_path / f"{name}.db", name)
    fill(database, 4)
    with (
        pytest.raises(sqlite3.IntegrityError, match=refusal),
        database.write() as connection,
    ):
        connection.execute(statement)
    assert len(leaves(database)) == 4
    database.close()


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("update ledger_leaf set body = '{}' where id = 2", "leaf 2 of the ledger was changed"),
        ("update ledger_leaf set recorded_at_us = 9 where id = 1", "leaf 1 of the ledger was changed"),
        ("update ledger_leaf set kind = 'segment' where id = 0", "leaf 0 of the ledger was changed"),
        ("delete from ledger_leaf where id = 3", "leaf 3 is missing"),
        ("update ledger_node set hash = zeroblob(32) where level = 2", "subtree 2/0 of the ledger is wrong"),
        ("delete from ledger_node where level = 1 and position = 1", "subtree 1/1 of the ledger is wrong"),
        ("delete from ledger_leaf where id > 4", "subtree 1/2 of the ledger has lost its leaves"),
    ],
)
def test_who_lifts_the_triggers_is_found_by_recomputing(world: World, statement: str, finding: str) -> None:
    fill(world.exam, 6)
    with world.exam.write() as connection:
        for (name,) in connection.execute(
            "select name from sqlite_master where type = 'trigger' and name like 'ledger%'"
        ).fetchall():
            connection.execute(f"drop trigger {name}")
        connection.execute(statement)
    with world.exam.read() as connection, pytest.raises(LedgerError, match=finding):
        recompute(connection)


def test_a_proof_that_needs_a_lost_subtree_says_which(world: World) -> None:
    fill(world.exam, 2)
    with world.exam.read() as connection:
        with pytest.raises(LedgerError, match="subtree 0/2 is missing"):
            head_at(connection, 3)
        with pytest.raises(LedgerError, match="subtree 2/0 is missing"):
            head_at(connection, 4)


def test_a_scan_is_one_leaf_however_often_it_is_sent(world: World) -> None:
    check_in(world, scan(world))
    check_in(world, scan(world))
    [leaf] = leaves(world.exam)
    body = json.loads(leaf.body)
    assert (leaf.kind, leaf.recorded_at_us) == ("checkin_attempt", CLOCK_US + 7)
    assert (body["outcome"], body["reasons"]) == ("OK_ADMITTED", ["OK_ADMITTED"])
    assert (body["candidate_id"], body["admitted_place_id"]) == (world.on_time.id, world.on_time.place_id)
    with world.exam.read() as connection:
        salt, answer = connection.execute("select salt, answer from checkin_attempt").fetchone()
    assert body["answer_salted_sha256"] == salted_digest(salt, answer)


def test_a_refused_scan_has_its_leaf_too(world: World) -> None:
    check_in(world, replace(scan(world), id_number=None))
    [leaf] = leaves(world.exam)
    assert json.loads(leaf.body)["admitted_place_id"] is None


def test_announcements_of_every_source_and_ticks_have_one_leaf_each(world: World) -> None:
    with world.exam.read() as connection:
        [session] = load_sessions(connection)
    cues = [one for one in session_cues(SessionCourse(session, THEORY)) if one.room_id == world.room_1]
    press = Press(world.session_id, world.room_1, "C9", 1, START_US)
    tick = announcements.Confirmation(
        world.session_id, world.room_1, "C1", world.proctor_account_id, CLOCK_US
    )
    for _again in range(2):
        with world.exam.write() as connection:
            announcements.record_emitted(connection, cues[0], START_US)
            announcements.record_missed(connection, cues[1], START_US + 1)
            announcements.record_room_signal(connection, cues[2], START_US, START_US + 2)
            announcements.record_press(connection, press, START_US + 3, world.proctor_account_id)
            announcements.confirm(connection, tick)
    found = leaves(world.exam)
    assert [leaf.kind for leaf in found] == ["announcement"] * 4 + ["confirmation"]
    bodies = [json.loads(leaf.body) for leaf in found]
    assert [body["source"] for body in bodies[:4]] == ["schedule", "schedule", "room_report", "press"]
    assert [body["outcome"] for body in bodies[:4]] == ["emitted", "missed", "emitted", "emitted"]
    assert bodies[3]["account_id"] == world.proctor_account_id
    assert bodies[4]["confirmed_at_us"] == CLOCK_US


def test_log_entries_and_looks_at_footage_are_committed_to_without_their_words(world: World) -> None:
    with world.exam.write() as connection:
        entry_id = proctor_log.add_entry(connection, note(world), CLOCK_US + 1)
        assert proctor_log.add_entry(connection, note(world), CLOCK_US + 2) == entry_id
        access_id = record_access(connection, look(world), CLOCK_US + 3)
    entry, access = (json.loads(leaf.body) for leaf in leaves(world.exam))
    assert (entry["log_entry_id"], access["footage_access_id"]) == (entry_id, access_id)
    with world.exam.read() as connection:
        [entry_salt] = connection.execute("select salt from log_entry").fetchone()
        [access_salt] = connection.execute("select salt from footage_access").fetchone()
    assert entry["text_salted_sha256"] == salted_digest(entry_salt, SPOKEN)
    assert access["reason_salted_sha256"] == salted_digest(access_salt, SPOKEN)
    assert entry_salt != access_salt


def test_no_leaf_holds_a_name_a_number_or_what_somebody_wrote(world: World) -> None:
    check_in(world, scan(world))
    with world.exam.write() as connection:
        proctor_log.add_entry(connection, note(world), CLOCK_US)
        record_access(connection, look(world), CLOCK_US)
    written = "".join(leaf.entry().decode() for leaf in leaves(world.exam))
    assert written.isascii()  # names, answers and texts of this site are Chinese
    for person in (world.on_time, world.late):
        assert person.id_number not in written
        assert person.ticket_no not in written


def test_a_segment_and_the_gap_it_ends_are_leaves(tmp_path: Path) -> None:
    with open_footage(tmp_path) as footage:
        with footage.database.write() as connection:
            note_absence(connection, CAMERA, FIRST_US - 9, Cause.STARTING, FIRST_US - 8)
        segment_id = ingest(footage.store, footage.grow())
        [segment] = footage.segments()
        found = leaves(footage.database)
        assert [leaf.kind for leaf in found] == ["gap_open", "gap_end", "segment"]
        opened, ended, body = (json.loads(leaf.body) for leaf in found)
        assert opened["gap_id"] == ended["gap_id"]
        assert ended["ended_at_us"] == segment.started_at_us
        assert (body["segment_id"], body["sha256"]) == (segment_id, segment.sha256.hex())
        assert (body["camera_uuid"], body["size_bytes"]) == (CAMERA, segment.size_bytes)


def test_a_gap_whose_cause_changes_ends_and_begins_in_the_ledger(tmp_path: Path) -> None:
    with open_footage(tmp_path) as footage:
        with footage.database.write() as connection:
            note_absence(connection, CAMERA, FIRST_US, Cause.STALLED, FIRST_US)
            note_absence(connection, CAMERA, FIRST_US + 1, Cause.STALLED, FIRST_US + 1)
            note_absence(connection, CAMERA, FIRST_US + 2, Cause.UNREACHABLE, FIRST_US + 2)
            end_absence(connection, CAMERA, FIRST_US + 3, FIRST_US + 4)
            end_absence(connection, CAMERA, FIRST_US + 5, FIRST_US + 6)
        assert kinds(footage.database) == ["gap_open", "gap_end", "gap_open", "gap_end"]
        assert footage.count("gap") == 2


def test_a_hole_nobody_noticed_is_a_gap_in_the_ledger_too(tmp_path: Path) -> None:
    with open_footage(tmp_path) as footage:
        ingest(footage.store, footage.grow(0))
        ingest(footage.store, footage.grow(2, FIRST_US + 64_000_000))
        assert kinds(footage.database) == ["segment", "gap_open", "gap_end", "segment"]


def test_quarantined_files_and_clock_steps_are_leaves_and_name_no_stray_file(tmp_path: Path) -> None:
    with open_footage(tmp_path) as footage:
        footage.volume.growing.joinpath("陈一诺.mp4").write_bytes(b"stray")
        quarantine(footage.store, footage.volume, "growing/陈一诺.mp4", "foreign_name")
        with footage.database.write() as connection:
            add_clock_step(connection, FIRST_US, -5)
        found = leaves(footage.database)
        assert [leaf.kind for leaf in found] == ["quarantined_file", "clock_step"]
        assert "陈" not in found[0].body
        assert json.loads(found[1].body)["step_us"] == -5


@pytest.mark.parametrize("mutate", [str.upper, lambda body: body + " "])
def test_the_hash_is_of_the_stored_bytes(world: World, mutate: Callable[[str], str]) -> None:
    fill(world.exam, 1)
    [leaf] = leaves(world.exam)
    assert hash_leaf(replace(leaf, body=mutate(leaf.body)).entry()) != hash_leaf(leaf.entry())


def test_the_leaf_of_a_row_names_every_column_and_only_digests_of_free_text(world: World) -> None:
    with world.exam.write() as connection:
        row = connection.execute(
            "select 7 as id, 'tee' as kind, '手机响' as reason, x'05' as salt"
        ).fetchone()
        index = append_fact(connection, LeafKind.DELAY, row, START_US, "reason")
        leaf = list(read_leaves(connection))[index][0]
    digest = salted_digest(b"\x05", "手机响")
    assert json.loads(leaf.body) == {"id": 7, "kind": "tee", "reason_salted_sha256": digest}
    assert (leaf.kind, leaf.recorded_at_us) == ("delay", START_US)


def test_a_row_without_free_text_needs_no_salt(world: World) -> None:
    with world.exam.write() as connection:
        row = connection.execute("select 7 as id").fetchone()
        index = append_fact(connection, LeafKind.DELAY, row, START_US)
        assert list(read_leaves(connection))[index][0].body == '{"id":7}'


def test_a_kind_is_found_from_its_own_index_on_and_no_later(world: World) -> None:
    with world.exam.write() as connection:
        index = append(connection, LeafKind.DELAY, {"id": 1}, START_US)
        append(connection, LeafKind.STATION_STOP, {"id": 1}, START_US)
        assert has_kind_since(connection, LeafKind.DELAY, index)
        assert not has_kind_since(connection, LeafKind.DELAY, index + 1)
        assert not has_kind_since(connection, LeafKind.TIME_GRANT, 0)
