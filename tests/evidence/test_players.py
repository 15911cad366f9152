"""Heartbeats overwrite, sound checks stay: rows, leaves and the test tone that is asked for now."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from evidence import players
from evidence.check_facts import EXAM_FACTS, check_facts
from evidence.ledger import read_leaves
from evidence.players import Heard, SoundCheck
from tests.exam.test_players import WELL
from tests.world import World, build_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    built = build_world(tmp_path)
    yield built
    built.close()


def test_a_heartbeat_takes_the_place_of_the_one_before(world: World) -> None:
    first = replace(WELL, room_id=world.room_1)
    second = replace(first, seen_at_us=first.seen_at_us + 5, is_audible=False, played_key="k", played_at_us=7)
    with world.exam.write() as connection:
        players.keep_heartbeats(connection, [first])
        players.keep_heartbeats(connection, [second, replace(second, room_id=world.room_2)])
        found = players.load_players(connection, second.seen_at_us)
    assert found == [second, replace(second, room_id=world.room_2)]


def test_a_player_of_yesterday_is_forgotten(world: World) -> None:
    with world.exam.write() as connection:
        players.keep_heartbeats(connection, [replace(WELL, room_id=world.room_1)])
        assert players.load_players(connection, WELL.seen_at_us + players.FORGOTTEN_US) == []


def test_the_newest_test_tone_counts_until_it_is_too_late(world: World) -> None:
    now_us = world.clock.wall_us()
    with world.exam.write() as connection:
        players.order_test(connection, world.room_1, world.site_lead_account_id, now_us - 1)
        test = players.order_test(connection, world.room_1, world.site_lead_account_id, now_us)
        assert players.current_test(connection, world.room_1, now_us) == test
        assert players.current_test(connection, world.room_2, now_us) is None
        late_us = test.sounds_at_us + players.TEST_TOLERANCE_US
        assert players.current_test(connection, world.room_1, late_us) is None
    assert test.key == f"test:{test.id}@{test.sounds_at_us}"


def test_the_last_word_about_a_room_counts_and_every_word_has_its_leaf(world: World) -> None:
    now_us = world.clock.wall_us()
    words = [
        SoundCheck(world.room_1, world.proctor_account_id, Heard.NOT_HEARD, now_us),
        SoundCheck(world.room_1, world.site_lead_account_id, Heard.HEARD, now_us + 1),
    ]
    with world.exam.write() as connection:
        for word in words:
            players.keep_check(connection, word)
        [last] = players.last_checks(connection, now_us).values()
        assert players.last_checks(connection, now_us + 2) == {}
        leaves = [json.loads(leaf.body) for leaf, _ in read_leaves(connection) if leaf.kind == "sound_check"]
        assert list(check_facts(connection, EXAM_FACTS)) == []
    assert replace(last, by="") == words[1]
    assert last.by
    assert [leaf["outcome"] for leaf in leaves] == ["not_heard", "heard"]


@pytest.mark.parametrize("order", ["update sound_check set outcome = 'heard'", "delete from sound_check"])
def test_nobody_changes_what_a_person_said(world: World, order: str) -> None:
    with world.exam.write() as connection:
        players.keep_check(connection, SoundCheck(world.room_1, world.proctor_account_id, Heard.NOT_HEARD, 1))
    with pytest.raises(sqlite3.IntegrityError, match="never"), world.exam.write() as connection:
        connection.execute(order)
