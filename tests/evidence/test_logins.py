from collections.abc import Iterator
from pathlib import Path
from sqlite3 import Connection

import pytest

from evidence import logins
from evidence.database import WriterDatabase
from evidence.logins import (
    FORGIVEN_US,
    FREE_FAILURES,
    INVITATION_US,
    SLOW_FIRST_US,
    SLOW_LONGEST_US,
    Attempt,
    OpenLogin,
)
from exam.clock import SECOND_US
from tests.world import CLOCK_US, World, build_world

NAME = b"n" * 32


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    built = build_world(tmp_path)
    yield built
    built.close()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[WriterDatabase]:
    """An exam.db as at first start: nobody has an account."""
    database = WriterDatabase(tmp_path / "empty" / "exam.db", "exam")
    yield database
    database.close()


def fail(connection: Connection, times: int, at_us: int, outcome: str = "refused") -> None:
    for _ in range(times):
        logins.record_attempt(connection, Attempt(NAME, None, outcome, "192.0.2.1"), at_us)


def test_a_login_is_found_by_its_token_until_it_is_closed(world: World) -> None:
    with world.exam.write() as connection:
        token = logins.open_login(connection, world.proctor_account_id, CLOCK_US)
        found = logins.find_login(connection, token)
        assert found == OpenLogin(1, world.proctor_account_id, CLOCK_US, CLOCK_US)
        logins.use_login(connection, found.id, CLOCK_US + 5)
        used = logins.find_login(connection, token)
        assert used is not None
        assert used.last_used_at_us == CLOCK_US + 5
        logins.close_login(connection, found.id, CLOCK_US + 6)
        logins.close_login(connection, found.id, CLOCK_US + 7)
        assert logins.find_login(connection, token) is None
        assert connection.execute("select closed_at_us from login").fetchone()[0] == CLOCK_US + 6
        assert logins.find_login(connection, "guessed") is None


def test_the_database_does_not_hold_the_token(world: World) -> None:
    with world.exam.write() as connection:
        token = logins.open_login(connection, world.proctor_account_id, CLOCK_US)
    content = b"".join(path.read_bytes() for path in world.folder.glob("exam.db*"))
    assert token.encode() not in content


def test_a_few_mistakes_cost_nothing(world: World) -> None:
    with world.exam.write() as connection:
        fail(connection, FREE_FAILURES - 1, CLOCK_US)
        assert logins.next_try_at_us(connection, NAME, CLOCK_US) == 0


def test_each_further_failure_doubles_the_wait_up_to_five_minutes(world: World) -> None:
    with world.exam.write() as connection:
        fail(connection, FREE_FAILURES, CLOCK_US)
        assert logins.next_try_at_us(connection, NAME, CLOCK_US) == CLOCK_US + SLOW_FIRST_US
        fail(connection, 1, CLOCK_US + SECOND_US)
        assert (
            logins.next_try_at_us(connection, NAME, CLOCK_US + SECOND_US)
            == CLOCK_US + SECOND_US + 2 * SLOW_FIRST_US
        )
        fail(connection, 60, CLOCK_US + SECOND_US)
        longest_us = CLOCK_US + SECOND_US + SLOW_LONGEST_US
        assert logins.next_try_at_us(connection, NAME, CLOCK_US + SECOND_US) == longest_us


def test_slowed_tries_do_not_prolong_the_wait(world: World) -> None:
    with world.exam.write() as connection:
        fail(connection, FREE_FAILURES, CLOCK_US)
        fail(connection, 20, CLOCK_US + SECOND_US, "slowed")
        assert logins.next_try_at_us(connection, NAME, CLOCK_US + SECOND_US) == CLOCK_US + SLOW_FIRST_US


def test_success_and_time_forgive(world: World) -> None:
    with world.exam.write() as connection:
        fail(connection, 10, CLOCK_US)
        assert logins.next_try_at_us(connection, NAME, CLOCK_US + FORGIVEN_US) == 0
        fail(connection, 1, CLOCK_US + 1, "opened")
        assert logins.next_try_at_us(connection, NAME, CLOCK_US + 2) == 0


def test_another_name_is_not_slowed(world: World) -> None:
    with world.exam.write() as connection:
        fail(connection, 10, CLOCK_US)
        assert logins.next_try_at_us(connection, b"m" * 32, CLOCK_US) == 0


def test_the_first_link_works_once(empty: WriterDatabase) -> None:
    with empty.write() as connection:
        token = logins.invite_first_administrator(connection, CLOCK_US)
        assert token is not None
        assert logins.is_invitation_open(connection, token, CLOCK_US + 1)
        assert [logins.use_invitation(connection, token, CLOCK_US + 1) for _ in range(3)] == [
            True,
            False,
            False,
        ]
        assert not logins.is_invitation_open(connection, token, CLOCK_US + 2)


def test_the_first_link_ends_after_a_day(empty: WriterDatabase) -> None:
    with empty.write() as connection:
        token = logins.invite_first_administrator(connection, CLOCK_US)
        assert token is not None
        assert logins.is_invitation_open(connection, token, CLOCK_US + INVITATION_US - 1)
        assert not logins.use_invitation(connection, token, CLOCK_US + INVITATION_US)


def test_a_new_link_ends_the_old_one(empty: WriterDatabase) -> None:
    with empty.write() as connection:
        old = logins.invite_first_administrator(connection, CLOCK_US)
        new = logins.invite_first_administrator(connection, CLOCK_US + 1)
        assert old is not None
        assert new is not None
        assert not logins.use_invitation(connection, old, CLOCK_US + 2)
        assert logins.use_invitation(connection, new, CLOCK_US + 2)


def test_with_an_account_there_is_no_first_link_and_an_open_one_is_dead(
    empty: WriterDatabase, world: World
) -> None:
    with world.exam.write() as connection:
        assert logins.invite_first_administrator(connection, CLOCK_US) is None
    with empty.write() as connection:
        token = logins.invite_first_administrator(connection, CLOCK_US)
        assert token is not None
        connection.execute(
            "insert into account (login_name, display_name, password_hash, created_at_us)"
            " values ('a', 'A', '$argon2id$', 1)"
        )
        assert not logins.is_invitation_open(connection, token, CLOCK_US)
        assert not logins.use_invitation(connection, token, CLOCK_US)
