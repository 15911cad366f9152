import hashlib
import json
import sqlite3

import pytest

from config.procedures import load_procedures
from evidence.coverage_certificate import Certificate, certify, load_schedule
from evidence.footage import Cause
from evidence.footage_rows import note_absence
from evidence.health import HealthKind, NewTrouble, begin_trouble, end_trouble
from evidence.kept_certificates import content_of, keep_certificate, kept_certificates
from evidence.ledger import read_leaves
from exam.clock import MINUTE_US, SECOND_US
from tests.recordings import Reel
from tests.world import START_US, World, announce

STOP_US = START_US + 60 * MINUTE_US
NOW_US = STOP_US + 60 * MINUTE_US


def certificate(world: World, now_us: int = NOW_US) -> Certificate:
    with world.exam.read() as exam, world.footage.read() as footage:
        head = load_schedule(exam, world.session_id, load_procedures(), now_us)
        assert head is not None
        return certify(footage, head, now_us)


@pytest.fixture
def over(world: World) -> World:
    """A session that is over, with some footage, a gap and a picture that was black for ten seconds."""
    announce(world, "C5", START_US)
    announce(world, "C8", STOP_US)
    Reel(world, world.camera_2).invent(START_US)
    black = NewTrouble(world.camera_2, HealthKind.BLACK, START_US, {"dark_share": 1.0})
    with world.footage.write() as connection:
        note_absence(connection, world.camera_2, START_US + 10 * SECOND_US, Cause.STALLED, START_US)
        begin_trouble(connection, black, START_US)
        end_trouble(connection, world.camera_2, HealthKind.BLACK, START_US + 10 * SECOND_US, START_US)
        lasting = NewTrouble(world.camera_2, HealthKind.MOVED, STOP_US, {})
        begin_trouble(connection, lasting, STOP_US)
    return world


def test_a_kept_certificate_is_shown_as_it_was_kept(over: World) -> None:
    made = certificate(over)
    with over.footage.write() as connection:
        leaf_index = keep_certificate(connection, made, NOW_US)
        kept = kept_certificates(connection)[over.session_id]
        leaf = next(leaf for leaf, _ in read_leaves(connection, leaf_index))
    assert kept.sha256 == hashlib.sha256(kept.content.encode()).hexdigest()
    body = json.loads(leaf.body)
    assert (body["sha256"], body["session_id"]) == (kept.sha256, over.session_id)
    assert kept.leaf_index == leaf_index
    shown = kept.certificate(made.head.session)
    assert content_of(shown) == kept.content
    assert shown.sums == made.sums
    assert not shown.is_provisional


def test_picture_health_stands_in_it_cut_to_the_schedule(over: World) -> None:
    (camera,) = json.loads(content_of(certificate(over)))["rooms"][1]["cameras"]
    assert camera["health"] == [
        {"kind": "black", "from_us": START_US, "until_us": START_US + 10 * SECOND_US},
        {"kind": "moved", "from_us": STOP_US, "until_us": STOP_US + 15 * MINUTE_US},
    ]


def test_what_changed_since_is_noticed_and_a_later_look_alone_changes_nothing(over: World) -> None:
    with over.footage.write() as connection:
        keep_certificate(connection, certificate(over), NOW_US)
        kept = kept_certificates(connection)[over.session_id]
    assert kept.agrees_with(certificate(over, NOW_US + MINUTE_US))
    Reel(over, over.cameras_1[0]).invent(START_US)
    assert not kept.agrees_with(certificate(over))


def test_a_certificate_is_kept_once_for_ever(over: World) -> None:
    with over.footage.write() as connection:
        keep_certificate(connection, certificate(over), NOW_US)
    for change in ("update coverage_certificate set leaf_index = 0", "delete from coverage_certificate"):
        with pytest.raises(sqlite3.IntegrityError, match="never"), over.footage.write() as connection:
            connection.execute(change)
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"), over.footage.write() as connection:
        keep_certificate(connection, certificate(over), NOW_US)
