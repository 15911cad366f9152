"""A revision counts on when a package's content changed, and only then."""

import sqlite3

import pytest

from evidence.check_facts import EXAM_FACTS, check_facts
from evidence.kiosk_enrolments import bind
from evidence.kiosks import Scope
from evidence.recording_orders import Who
from evidence.roster_revisions import current_revision, fingerprint, is_current, note_content
from exam.clock import MINUTE_US
from tests.evidence.rostered import content_of, give_pin, the_kiosk
from tests.world import CLOCK_US, World

DAY_US = 24 * 60 * MINUTE_US


def noted(world: World, now_us: int = CLOCK_US) -> int:
    content, kiosk = content_of(world, now_us), the_kiosk(world)
    with world.exam.write() as connection:
        made = note_content(connection, world.vault, kiosk, content, now_us)
        assert is_current(connection, world.vault, kiosk, content)
    return made.number


def seen(world: World, now_us: int = CLOCK_US) -> bytes:
    with world.exam.read() as connection:
        return fingerprint(connection, now_us)


def do(world: World, statement: str) -> None:
    with world.exam.write() as connection:
        connection.execute(statement)


def test_the_same_content_is_the_same_revision(world: World) -> None:
    kiosk = the_kiosk(world)
    with world.exam.read() as connection:
        assert current_revision(connection, kiosk.id) is None
        assert not is_current(connection, world.vault, kiosk, content_of(world))
    assert [noted(world), noted(world, CLOCK_US + MINUTE_US)] == [1, 1]
    with world.exam.read() as connection:
        found = current_revision(connection, kiosk.id)
        assert list(check_facts(connection, EXAM_FACTS)) == []
    assert found is not None
    assert (found.number, found.made_at_us) == (1, CLOCK_US)


@pytest.mark.parametrize(
    "statement",
    [
        "update candidate set name = '陈二诺' where id = 1",
        "update candidate set blocked_reason = 'x' where id = 2",
        "delete from seating where candidate_id = 3",
        "update seating set place_id = 12 where candidate_id = 1",
        "update place set label = '1A' where id = 1",
        "update session set planned_start_us = planned_start_us - 172800000000",
        "update batch set closed_at_us = 1",
    ],
)
def test_whatever_changes_the_content_is_seen_and_makes_a_revision(world: World, statement: str) -> None:
    noted(world)
    before = seen(world)
    do(world, statement)
    assert seen(world) != before
    assert noted(world) == 2


def test_pins_and_bindings_count_too(world: World) -> None:
    noted(world)
    prints = [seen(world)]
    give_pin(world, world.proctor_account_id)
    prints.append(seen(world))
    assert noted(world) == 2
    with world.exam.write() as connection:
        bind(connection, world.kiosk_id, Scope((world.room_1,)), Who(1, ""), CLOCK_US)
    prints.append(seen(world))
    assert noted(world) == 3
    assert len(set(prints)) == 3


def test_another_day_is_another_package(world: World) -> None:
    noted(world)
    assert seen(world) != seen(world, CLOCK_US + DAY_US)
    assert noted(world, CLOCK_US + DAY_US) == 2
    assert content_of(world, CLOCK_US - DAY_US).people == content_of(world).people
    assert content_of(world, CLOCK_US + DAY_US).people == ()


def test_somebody_who_came_in_changes_no_package(world: World) -> None:
    before = seen(world)
    do(
        world,
        "insert into checkin_attempt (kiosk_id, nonce, scanned_at_us, received_at_us, outcome, reasons,"
        " answer) values (1, '0123456789abcdef', 1, 1, 'X', '[]', '{}')",
    )
    assert seen(world) == before


def test_a_revision_is_never_rewritten(world: World) -> None:
    noted(world)
    for statement in ("update roster_revision set revision = 9", "delete from roster_revision"):
        with pytest.raises(sqlite3.IntegrityError):
            do(world, statement)
