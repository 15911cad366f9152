"""Speakers: a code is good once and for ten minutes; a token is known until it is revoked."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence import speakers
from exam.clock import MINUTE_US
from tests.world import World, build_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    built = build_world(tmp_path)
    yield built
    built.close()


def test_a_code_is_exchanged_for_a_token_once(world: World) -> None:
    now_us = world.clock.wall_us()
    with world.exam.write() as connection:
        code = speakers.invite(connection, "广播主机", None, now_us)
        token = speakers.enrol(connection, f" {code.upper()} ", now_us)
        assert speakers.enrol(connection, code, now_us) is None
        assert token is not None
        found = speakers.find_by_token(connection, token)
    assert found is not None
    assert (found.label, found.serves_all, found.enrolled_at_us) == ("广播主机", True, now_us)
    assert found.serves(world.room_1)


def test_a_code_is_worthless_after_ten_minutes(world: World) -> None:
    now_us = world.clock.wall_us()
    with world.exam.write() as connection:
        code = speakers.invite(connection, "广播主机", None, now_us)
        assert speakers.enrol(connection, code, now_us + 10 * MINUTE_US + 1) is None
        assert speakers.enrol(connection, "ANOTHER", now_us) is None


def test_a_speaker_serves_the_rooms_it_was_given(world: World) -> None:
    now_us = world.clock.wall_us()
    with world.exam.write() as connection:
        speakers.invite(connection, "第1考场音箱", [world.room_1], now_us)
        [one] = speakers.load_speakers(connection)
    assert one.serves(world.room_1)
    assert not one.serves(world.room_2)


def test_inviting_the_label_again_replaces_the_device_and_its_rooms(world: World) -> None:
    now_us = world.clock.wall_us()
    with world.exam.write() as connection:
        token = speakers.enrol(
            connection, speakers.invite(connection, "音箱", [world.room_1], now_us), now_us
        )
        speakers.invite(connection, "音箱", [world.room_2], now_us)
        assert token is not None
        assert speakers.find_by_token(connection, token) is None
        [one] = speakers.load_speakers(connection)
    assert one.room_ids == {world.room_2}


def test_a_revoked_speaker_is_shut_out_for_good(world: World) -> None:
    now_us = world.clock.wall_us()
    with world.exam.write() as connection:
        token = speakers.enrol(connection, speakers.invite(connection, "音箱", None, now_us), now_us)
        [one] = speakers.load_speakers(connection)
        speakers.revoke(connection, one.id, now_us + 1)
        speakers.revoke(connection, one.id, now_us + 2)
        assert token is not None
        assert speakers.find_by_token(connection, token) is None
        assert speakers.load_speakers(connection) == []
        assert connection.execute("select revoked_at_us from speaker").fetchone()[0] == now_us + 1
