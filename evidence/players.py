"""How the rooms' players are, the test tones asked for, and who heard them (rules A-2 and A-8).

A heartbeat overwrites the one before: it is no evidence. What a person says of a test tone is: one row
and one ledger leaf each time, never changed.
"""

from collections.abc import Iterable
from dataclasses import asdict, astuple, dataclass, fields
from enum import StrEnum
from sqlite3 import Connection, Row
from typing import Any, Final

from evidence.ledger import LeafKind, append
from exam.clock import SECOND_US
from exam.players import PlayerKind, PlayerState

# A test tone sounds this much after it was asked for, in all players of the room together.
TEST_LEAD_US: Final = SECOND_US
TEST_TOLERANCE_US: Final = 5 * SECOND_US
# A player that has not been heard of for so long is not shown any more.
FORGOTTEN_US: Final = 24 * 3600 * SECOND_US

_FIELDS: Final = tuple(one.name for one in fields(PlayerState))
_COLUMNS: Final = ", ".join(_FIELDS)
_MARKS: Final = ", ".join("?" * len(_FIELDS))
_CHANGES: Final = ", ".join(f"{name} = excluded.{name}" for name in _FIELDS[2:])
_BEAT: Final = f"""
insert into player_state ({_COLUMNS}) values ({_MARKS})
    on conflict (room_id, player) do update set {_CHANGES}
"""  # noqa: S608 - names of our own columns
_LATELY: Final = f"""
select {_COLUMNS} from player_state where seen_at_us > ? order by room_id, kind, player
"""  # noqa: S608 - names of our own columns
_ONE: Final = f"select {_COLUMNS} from player_state where room_id = ? and player = ?"  # noqa: S608 - as above
_FLAGS: Final = {"is_allowed", "is_awake", "has_output", "is_audible"}


class Heard(StrEnum):
    """What a person in the room says of the test tone."""

    HEARD = "heard"
    NOT_HEARD = "not_heard"


@dataclass(frozen=True, slots=True)
class SoundTest:
    """A test tone that was asked for in a room."""

    id: int
    room_id: int
    sounds_at_us: int

    @property
    def key(self) -> str:
        """The name under which a player remembers that it sounded it."""
        return f"test:{self.id}@{self.sounds_at_us}"


@dataclass(frozen=True, slots=True)
class SoundCheck:
    """Who said when whether the test tone was heard in the room. `by` is the person's name, for pages."""

    room_id: int
    account_id: int
    outcome: Heard
    checked_at_us: int
    by: str = ""


def keep_heartbeats(connection: Connection, states: Iterable[PlayerState]) -> None:
    """Remember how the players are now, in place of how they were."""
    connection.executemany(_BEAT, [astuple(state) for state in states])


def load_players(connection: Connection, now_us: int) -> list[PlayerState]:
    """The last heartbeat of every player that was there within a day, by room and name."""
    rows = connection.execute(_LATELY, (now_us - FORGOTTEN_US,))
    return [_state(row) for row in rows]


def load_player(connection: Connection, room_id: int, player: str) -> PlayerState | None:
    """The last heartbeat of one player in one room; None when it was never heard of."""
    row = connection.execute(_ONE, (room_id, player)).fetchone()
    return None if row is None else _state(row)


def order_test(connection: Connection, room_id: int, account_id: int, now_us: int) -> SoundTest:
    """Ask for the test tone in the room. Whether it may sound is decided before (`exam.players.may_test`)."""
    sounds_at_us = now_us + TEST_LEAD_US
    row = connection.execute(
        "insert into sound_test (room_id, ordered_by, ordered_at_us, sounds_at_us) values (?, ?, ?, ?)"
        " returning id",
        (room_id, account_id, now_us, sounds_at_us),
    ).fetchone()
    return SoundTest(row["id"], room_id, sounds_at_us)


def current_test(connection: Connection, room_id: int, now_us: int) -> SoundTest | None:
    """The room's newest test tone, while it may still sound."""
    row = connection.execute(
        "select id, room_id, sounds_at_us from sound_test where room_id = ? and sounds_at_us > ?"
        " order by id desc limit 1",
        (room_id, now_us - TEST_TOLERANCE_US),
    ).fetchone()
    return None if row is None else SoundTest(*row)


def keep_check(connection: Connection, check: SoundCheck) -> int:
    """Keep what the person said, with its leaf; returns the row's id."""
    row = connection.execute(
        "insert into sound_check (room_id, account_id, outcome, checked_at_us) values (?, ?, ?, ?)"
        " returning id",
        (check.room_id, check.account_id, check.outcome, check.checked_at_us),
    ).fetchone()
    body = {name: value for name, value in asdict(check).items() if name != "by"}
    append(connection, LeafKind.SOUND_CHECK, {"sound_check_id": row["id"], **body}, check.checked_at_us)
    return int(row["id"])


def last_checks(connection: Connection, since_us: int) -> dict[int, SoundCheck]:
    """The latest word about each room since that moment, by room."""
    rows = connection.execute(
        "select room_id, account_id, outcome, checked_at_us, display_name from sound_check"
        " join account on account.id = account_id where checked_at_us >= ? order by sound_check.id",
        (since_us,),
    )
    return {
        row["room_id"]: SoundCheck(row[0], row[1], Heard(row["outcome"]), row[3], row["display_name"])
        for row in rows
    }


def _state(row: Row) -> PlayerState:
    told: dict[str, Any] = {name: row[name] for name in _FIELDS}
    flags = {name: bool(told[name]) for name in _FLAGS if told[name] is not None}
    return PlayerState(**{**told, **flags, "kind": PlayerKind(told["kind"])})
