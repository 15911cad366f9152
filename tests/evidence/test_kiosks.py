"""Kiosk tokens: shown once, kept as digests, rolled and revoked."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence import kiosks
from evidence.database import WriterDatabase
from evidence.kiosk_enrolments import enrol, revoke

NOW_US = 1_800_000_000_000_000


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    database = WriterDatabase(tmp_path / "exam.db", "exam")
    with database.write() as connection:
        connection.execute("insert into room (code, label, kind) values ('R03', '第3考场', 'theory')")
        yield connection
    database.close()


def test_an_enrolled_kiosk_is_found_by_its_token(connection: sqlite3.Connection) -> None:
    token = enrol(connection, "1号签到机", None, NOW_US)
    found = kiosks.find_by_token(connection, token)
    assert found is not None
    assert (found.label, found.room_id) == ("1号签到机", None)


def test_the_token_itself_is_not_kept(connection: sqlite3.Connection) -> None:
    token = enrol(connection, "1号签到机", None, NOW_US)
    kept = connection.execute("select * from kiosk").fetchone()
    assert token not in [str(value) for value in kept]
    assert len(kept["token_sha256"]) == 32


def test_a_foreign_token_finds_nobody(connection: sqlite3.Connection) -> None:
    enrol(connection, "1号签到机", None, NOW_US)
    assert kiosks.find_by_token(connection, "not a token") is None


def test_a_kiosk_may_stand_at_one_room(connection: sqlite3.Connection) -> None:
    token = enrol(connection, "3号签到机", "R03", NOW_US)
    found = kiosks.find_by_token(connection, token)
    assert found is not None
    assert found.room_id == 1


def test_a_room_the_site_does_not_have_is_refused_by_name(connection: sqlite3.Connection) -> None:
    with pytest.raises(kiosks.UnknownRoomError, match="R99"):
        enrol(connection, "9号签到机", "R99", NOW_US)


def test_enrolling_again_rolls_the_token_and_keeps_the_identity(connection: sqlite3.Connection) -> None:
    old = enrol(connection, "1号签到机", None, NOW_US)
    before = kiosks.find_by_token(connection, old)
    new = enrol(connection, "1号签到机", "R03", NOW_US + 1)
    after = kiosks.find_by_token(connection, new)
    assert kiosks.find_by_token(connection, old) is None
    assert before is not None
    assert after is not None
    assert (before.id, before.uuid) == (after.id, after.uuid)


def test_a_revoked_kiosk_is_shut_out_and_the_first_moment_stays(connection: sqlite3.Connection) -> None:
    token = enrol(connection, "1号签到机", None, NOW_US)
    revoke(connection, 1, None, NOW_US + 1)
    revoke(connection, 1, None, NOW_US + 2)
    assert kiosks.find_by_token(connection, token) is None
    assert connection.execute("select revoked_at_us from kiosk").fetchone()[0] == NOW_US + 1


def test_the_last_sign_of_life_is_kept(connection: sqlite3.Connection) -> None:
    enrol(connection, "1号签到机", None, NOW_US)
    kiosks.note_seen(connection, 1, NOW_US + 5)
    assert connection.execute("select last_seen_at_us from kiosk").fetchone()[0] == NOW_US + 5


def test_ticket_forms_come_from_open_batches_only(connection: sqlite3.Connection) -> None:
    connection.executemany(
        "insert into batch (code, name, occupation, level, ticket_form, closed_at_us)"
        " values (?, '批次', '电工', '三级', ?, ?)",
        [("B1", r"\d{15}", None), ("B2", r"\d{12}", NOW_US), ("B3", None, None), ("B4", r"\d{15}", None)],
    )
    assert kiosks.ticket_forms(connection) == [r"\d{15}"]
