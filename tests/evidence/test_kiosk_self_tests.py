"""Self-tests of kiosks: kept once, never changed, today's shown."""

import sqlite3

import pytest

from evidence.check_facts import EXAM_FACTS, check_facts
from evidence.kiosk_self_tests import NewSelfTest, keep_self_test, self_tests_of_day
from exam.clock import MINUTE_US
from exam.self_test import Check, Result, Standing, Tried
from tests.world import CLOCK_US, World

TRIED = (Tried(Check.CAMERA, Result.GOOD), Tried(Check.SPEAKER, Result.BAD, "没有声音"))
DAY_US = 24 * 60 * MINUTE_US


def kept(world: World, nonce: str = "0123456789abcdef", at_us: int = CLOCK_US) -> int:
    with world.exam.write() as connection:
        return keep_self_test(connection, world.kiosk_id, NewSelfTest(nonce, at_us - 5, TRIED), at_us)


def test_a_self_test_is_kept_with_its_leaf_and_read_back(world: World) -> None:
    kept(world)
    with world.exam.read() as connection:
        found = self_tests_of_day(connection, CLOCK_US + MINUTE_US)[world.kiosk_id]
        assert list(check_facts(connection, EXAM_FACTS)) == []
    assert (found.tried, found.tested_at_us, found.received_at_us) == (TRIED, CLOCK_US - 5, CLOCK_US)
    assert found.standing is Standing.FAILED


def test_a_repeat_is_the_same_test(world: World) -> None:
    assert kept(world) == kept(world, at_us=CLOCK_US + 9)


def test_the_latest_of_today_counts_and_yesterdays_does_not(world: World) -> None:
    kept(world, "yesterday-yesterday", CLOCK_US - DAY_US)
    with world.exam.read() as connection:
        assert self_tests_of_day(connection, CLOCK_US) == {}
    kept(world, "first-first-first")
    latest = kept(world, "second-second-second")
    with world.exam.read() as connection:
        assert self_tests_of_day(connection, CLOCK_US)[world.kiosk_id].id == latest


def test_a_self_test_is_never_rewritten(world: World) -> None:
    kept(world)
    for statement in ("update kiosk_self_test set results = '[]'", "delete from kiosk_self_test"):
        with world.exam.write() as connection, pytest.raises(sqlite3.IntegrityError):
            connection.execute(statement)
