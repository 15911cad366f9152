from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from sqlite3 import IntegrityError

import pytest

from evidence.check_codes import Code
from evidence.check_facts import EXAM_FACTS, check_facts
from evidence.own_recordings import (
    NewRecording,
    RecordingAct,
    Spoken,
    decide,
    keep_recording,
    load_recording,
    load_spoken,
    text_digest,
)
from tests.world import CLOCK_US, World, build_world

WORDS = "考试开始，请考生答题。"
CONFIRMED, TAKEN_BACK = RecordingAct.CONFIRMED, RecordingAct.TAKEN_BACK


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    built = build_world(tmp_path)
    yield built
    built.close()


def recorded(world: World, content: bytes = b"RIFF" * 20) -> int:
    new = NewRecording(WORDS, content, 2_000_000, sha256(b"upload").hexdigest(), world.site_lead_account_id)
    with world.exam.write() as connection:
        return keep_recording(connection, new, CLOCK_US)


def decided(world: World, recording_id: int, act: RecordingAct) -> bool:
    with world.exam.write() as connection:
        return decide(connection, recording_id, act, world.site_lead_account_id, CLOCK_US + 1)


def known(world: World) -> tuple[int | None, int | None]:
    """The recording that rooms hear and the one that waits."""
    with world.exam.read() as connection:
        spoken = load_spoken(connection).get(text_digest(WORDS), Spoken())
    return spoken.used and spoken.used.id, spoken.waiting and spoken.waiting.id


def test_nobody_hears_a_recording_before_somebody_confirmed_it(world: World) -> None:
    assert known(world) == (None, None)
    first = recorded(world)
    assert known(world) == (None, first)
    assert decided(world, first, CONFIRMED)
    assert known(world) == (first, None)
    with world.exam.read() as connection:
        used = load_spoken(connection)[text_digest(WORDS)].used
        assert load_recording(connection, first) == (WORDS, b"RIFF" * 20)
        assert load_recording(connection, 99) is None
    assert used is not None
    assert (used.by, used.acted_by, used.acted_at_us) == ("李强", "李强", CLOCK_US + 1)


def test_a_newer_one_waits_beside_the_one_that_is_heard_and_then_takes_its_place(world: World) -> None:
    first, second = recorded(world), recorded(world, b"LIST" * 20)
    assert not decided(world, first, CONFIRMED), "an older one that waited is out of the question"
    assert decided(world, second, CONFIRMED)
    third = recorded(world)
    assert known(world) == (second, third)
    assert decided(world, third, TAKEN_BACK)
    assert known(world) == (second, None)
    fourth = recorded(world)
    assert decided(world, fourth, CONFIRMED)
    assert known(world) == (fourth, None)


def test_taking_it_back_brings_the_rendered_speech_back_whatever_was_heard_before(world: World) -> None:
    first = recorded(world)
    decided(world, first, CONFIRMED)
    second = recorded(world)
    decided(world, second, CONFIRMED)
    assert decided(world, second, TAKEN_BACK)
    assert known(world) == (None, None)
    assert not decided(world, second, TAKEN_BACK)
    assert not decided(world, second, CONFIRMED)


def test_what_is_heard_is_not_confirmed_again(world: World) -> None:
    first = recorded(world)
    assert decided(world, first, CONFIRMED)
    assert not decided(world, first, CONFIRMED)
    assert not decided(world, 99, CONFIRMED)


def test_facts_and_ledger_agree_and_another_sound_in_the_row_is_named(world: World) -> None:
    first = recorded(world)
    decided(world, first, CONFIRMED)
    with world.exam.write() as connection:
        assert list(check_facts(connection, EXAM_FACTS)) == []
        with pytest.raises(IntegrityError):
            connection.execute("update own_recording set content = zeroblob(99)")
        connection.execute("drop trigger own_recording_never_changes")
        connection.execute("update own_recording set content = zeroblob(99)")
        found = list(check_facts(connection, EXAM_FACTS))
    assert [(one.code, one.where) for one in found] == [(Code.FACT_CHANGED, f"own_recording {first} content")]
