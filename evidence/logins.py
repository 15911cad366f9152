"""Open logins, tries to log in, and the first administrator's one-time link.

Whoever holds a token is let in, so only digests of tokens are stored; a stolen database opens nothing.
"""

import secrets
from dataclasses import dataclass
from hashlib import sha256
from sqlite3 import Connection
from typing import Final

from exam.clock import MINUTE_US, SECOND_US

INVITATION_US: Final = 24 * 60 * MINUTE_US
FREE_FAILURES: Final = 5
SLOW_FIRST_US: Final = 15 * SECOND_US
SLOW_LONGEST_US: Final = 5 * MINUTE_US
# Older failures are forgiven, so that yesterday's typing mistakes do not slow down this morning.
FORGIVEN_US: Final = 60 * MINUTE_US


@dataclass(frozen=True, slots=True)
class OpenLogin:
    """A login that is open, and whose it is."""

    id: int
    account_id: int
    opened_at_us: int
    last_used_at_us: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to log in: under which name (keyed digest), from where, and what became of it."""

    name_index: bytes
    account_id: int | None
    outcome: str
    address: str


def open_login(connection: Connection, account_id: int, now_us: int) -> str:
    """Open a login; returns the token for the browser. It is stored nowhere."""
    token = secrets.token_urlsafe(32)
    connection.execute(
        "insert into login (token_sha256, account_id, opened_at_us, last_used_at_us) values (?, ?, ?, ?)",
        (_digest(token), account_id, now_us, now_us),
    )
    return token


def find_login(connection: Connection, token: str) -> OpenLogin | None:
    """The open login of this token; None when closed, unknown, or its account is disabled."""
    row = connection.execute(
        "select login.id, account_id, opened_at_us, last_used_at_us from login"
        " join account on account.id = account_id"
        " where token_sha256 = ? and closed_at_us is null and disabled_at_us is null",
        (_digest(token),),
    ).fetchone()
    return None if row is None else OpenLogin(*row)


def use_login(connection: Connection, login_id: int, now_us: int) -> None:
    """Note that a person used the login now."""
    connection.execute("update login set last_used_at_us = ? where id = ?", (now_us, login_id))


def close_login(connection: Connection, login_id: int, now_us: int) -> None:
    """Log out: the token opens nothing from now on."""
    connection.execute(
        "update login set closed_at_us = ? where id = ? and closed_at_us is null", (now_us, login_id)
    )


def record_attempt(connection: Connection, attempt: Attempt, now_us: int) -> None:
    """Keep a try to log in."""
    connection.execute(
        "insert into login_attempt (name_index, account_id, attempted_at_us, outcome, address)"
        " values (?, ?, ?, ?, ?)",
        (attempt.name_index, attempt.account_id, now_us, attempt.outcome, attempt.address),
    )


def next_try_at_us(connection: Connection, name_index: bytes, now_us: int) -> int:
    """From when on a password for this name is looked at again; 0: at once.

    Five failures in a row are free; each further one doubles the wait, up to five minutes. What is
    dated later than now was noted by a clock that was wrong, and counts for nothing.
    """
    failures, last_us = connection.execute(
        "select count(*), max(attempted_at_us) from login_attempt where name_index = :name"
        " and outcome = 'refused' and attempted_at_us > :since and attempted_at_us <= :now"
        " and attempted_at_us > coalesce("
        "  (select max(attempted_at_us) from login_attempt"
        "   where name_index = :name and outcome = 'opened' and attempted_at_us <= :now), 0)",
        {"name": name_index, "since": now_us - FORGIVEN_US, "now": now_us},
    ).fetchone()
    if failures < FREE_FAILURES:
        return 0
    wait_us: int = min(SLOW_FIRST_US << (failures - FREE_FAILURES), SLOW_LONGEST_US)
    return int(last_us) + wait_us


def invite_first_administrator(connection: Connection, now_us: int) -> str | None:
    """A new one-time token while no account exists, else None. Earlier ones stop working."""
    if connection.execute("select 1 from account").fetchone() is not None:
        return None
    connection.execute(
        "update invitation set used_at_us = ? where purpose = 'first_administrator' and used_at_us is null",
        (now_us,),
    )
    token = secrets.token_urlsafe(24)
    connection.execute(
        "insert into invitation (token_sha256, purpose, created_at_us, expires_at_us)"
        " values (?, 'first_administrator', ?, ?)",
        (_digest(token), now_us, now_us + INVITATION_US),
    )
    return token


def is_invitation_open(connection: Connection, token: str, now_us: int) -> bool:
    """Whether the link still works: unused, in time, and nobody else has made an account."""
    row = connection.execute(
        "select 1 from invitation where token_sha256 = ? and used_at_us is null and expires_at_us > ?"
        " and not exists (select 1 from account)",
        (_digest(token), now_us),
    ).fetchone()
    return row is not None


def use_invitation(connection: Connection, token: str, now_us: int) -> bool:
    """Take the link: true for exactly one caller, however many come at once."""
    cursor = connection.execute(
        "update invitation set used_at_us = ? where token_sha256 = ? and used_at_us is null"
        " and expires_at_us > ? and not exists (select 1 from account)",
        (now_us, _digest(token), now_us),
    )
    return cursor.rowcount == 1


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
