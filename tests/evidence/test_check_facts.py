"""Rows about keeping and destroying footage are what their leaves say; one that was edited is named."""

import threading
from collections.abc import Iterator
from sqlite3 import Connection

import pytest

from evidence.check_codes import Code
from evidence.check_facts import EXAM_FACTS, FOOTAGE_FACTS, check_facts
from evidence.disposal_attempts import Attempt, note_attempt
from evidence.holds import NewHold, propose_hold, take_step
from evidence.ledger import LeafKind, append
from evidence.preflight import NewPreflight, Source, add_preflight
from evidence.retention import assign_day, site_day
from exam.holds import HoldKind, HoldStep
from tests.disposals import Archive, open_archive
from tests.evidence.bags import CAMERA
from tests.world import START_US, build_world

BAG = "insert into export_bag values (1, 7, 1, 1, 'export-7', 1, 5, zeroblob(32), 1, 9)"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """Everything that has a row was done: a hold asked for, and refused, a file destroyed, one refused."""
    world = build_world(tmp_path_factory.mktemp("facts"))
    with open_archive(world) as opened:
        with world.exam.write() as connection:
            assign_day(connection, site_day(START_US), world.batch_id, opened.decision(opened.site_lead))
            hold = NewHold(HoldKind.LEGAL_HOLD, world.batch_id, (), "批次")
            hold_id = propose_hold(connection, hold, opened.decision(opened.supervisor))
            take_step(connection, hold_id, HoldStep.WITHDRAWN, opened.decision(opened.site_lead))
            note_attempt(connection, Attempt("disposals.order", opened.supervisor, 403), START_US)
        order_id = opened.approved_order(opened.segment_ids[:2])
        opened.file(opened.segment_ids[1]).write_bytes(b"damaged")
        opened.disposer().carry_out(order_id, opened.segment_ids[:2], threading.Event())
        with world.footage.write() as connection:
            connection.execute(BAG)
            body: dict[str, int | str] = {
                "export_bag_id": 1,
                "order_id": 7,
                "segments": 1,
                "tagmanifest_sha256": "00" * 32,
            }
            append(connection, LeafKind.EXPORT, body, 9)
            for order_id, picture in ((7, b"a picture"), (8, None)):
                seen = NewPreflight(order_id, CAMERA, Source.RECORDING, (), None, picture)
                add_preflight(connection, seen, 9)
        yield opened
    world.close()


class _UndoneError(Exception):
    """Takes an edit back."""


def findings(archive: Archive, name: str, edit: str = "select 1") -> list[tuple[Code, str]]:
    """What is found after somebody edited a row who lifts the triggers first."""
    database, tables = (
        (archive.world.exam, EXAM_FACTS) if name == "exam" else (archive.world.footage, FOOTAGE_FACTS)
    )
    found: list[tuple[Code, str]] = []
    try:
        with database.write() as connection:
            _lift_triggers(connection)
            connection.execute("pragma defer_foreign_keys = on")
            connection.execute(edit)
            found = [(each.code, each.where) for each in check_facts(connection, tables)]
            raise _UndoneError
    except _UndoneError:
        return found


def _lift_triggers(connection: Connection) -> None:
    names = connection.execute("select name from sqlite_master where type = 'trigger'").fetchall()
    for (trigger,) in names:
        connection.execute(f"drop trigger {trigger}")


@pytest.mark.parametrize("name", ["exam", "footage"])
def test_rows_that_nobody_touched_are_what_their_leaves_say(archive: Archive, name: str) -> None:
    assert findings(archive, name) == []


@pytest.mark.parametrize(
    ("name", "edit", "where"),
    [
        ("exam", "update batch_closing set years = 6", "batch_closing 1 years"),
        ("exam", "update day_assignment set batch_id = 9", "day_assignment 1 batch_id"),
        ("exam", "update hold set batch_id = 9", "hold 1/proposed batch_id"),
        (
            "exam",
            "update hold_step set account_id = 1 where step = 'withdrawn'",
            "hold 1/withdrawn account_id",
        ),
        (
            "exam",
            "update hold_step set reason = 'x' where step = 'proposed'",
            "hold 1/proposed reason_salted_sha256",
        ),
        ("exam", "update time_authority set public_pem = '-----BEGIN'", "time_authority 1 public_sha256"),
        ("exam", "update disposal_plan set document = 'x'", "disposal_plan 1 plan_sha256"),
        (
            "exam",
            "update disposal_approval set account_id = 1 where id = 2",
            "disposal_approval 2 account_id",
        ),
        ("exam", "update disposal_time set token = x'00'", "disposal_time 1 token_sha256"),
        ("exam", "update disposal_attempt set answer = 500", "disposal_attempt 1 answer"),
        ("footage", "update disposal set plan_digest = zeroblob(32)", "disposal 1 plan_sha256"),
        ("footage", "update disposal_refusal set reasons = 'legal_hold'", "disposal_refusal 1 reasons"),
        ("footage", "update export_bag set order_id = 8", "export_bag 1 order_id"),
        (
            "footage",
            "update camera_preflight set picture = x'01' where order_id = 7",
            f"camera_preflight 7/{CAMERA} picture",
        ),
        (
            "footage",
            "update camera_preflight set picture = x'01', picture_sha256 = zeroblob(32) where order_id = 8",
            f"camera_preflight 8/{CAMERA} picture",
        ),
    ],
)
def test_an_edited_row_is_named(archive: Archive, name: str, edit: str, where: str) -> None:
    assert (Code.FACT_CHANGED, where) in findings(archive, name, edit)


def test_a_step_and_a_done_disposal_that_are_gone_are_missed(archive: Archive) -> None:
    step_gone = findings(archive, "exam", "delete from hold_step where step = 'withdrawn'")
    assert step_gone == [(Code.LEAF_WITHOUT_FACT, "hold 1/withdrawn")]
    undone = findings(archive, "footage", "update disposal set done_at_us = null")
    assert undone == [(Code.LEAF_WITHOUT_FACT, "disposal_done 1")]
