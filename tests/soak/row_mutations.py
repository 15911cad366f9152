"""One value of a closed site's databases changed as with a tool: rows, texts, JSON, bytes, schema.

Part of `run.py soak archive_mutations` (`--rows N`). Triggers and checks are lifted, one value is changed,
and the triggers are put back. The check must name it and never break off, or the place stands in the list of
what it holds against no leaf.
"""

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

SCHEMA: Final = "select name, sql from sqlite_schema where type = 'trigger'"
TABLES: Final = "select name from sqlite_schema where type = 'table' and name not like 'sqlite%'"
# What makes readers stumble: each in the place of a text, or of bytes.
NASTY_TEXTS: Final = (
    "",
    "[]",
    "{}",
    "null",
    "[[",
    '{"a":',
    "1e999",
    "9" * 5000,
    "\x00",
    "\u2028",
    "/",
    "a/b/c/d",
)
NASTY_BYTES: Final = (b"", b"\xff\xfe", b"\x80" * 32, b"\x00" * 16)
NASTY_NUMBERS: Final = (0, -1, 1, 2**62, -(2**63), 2**63 - 1)


class NothingToChangeError(Exception):
    """The place that was drawn holds nothing, or SQLite refuses the change."""


@contextmanager
def edit_value(path: Path, chance: random.Random) -> Iterator[str]:
    """One value, row or line of the schema changed while the context lasts; yields where and how."""
    kept = path.read_bytes()
    try:
        yield _edit(path, chance)
    finally:
        for tail in ("-wal", "-shm", "-journal"):
            path.with_name(path.name + tail).unlink(missing_ok=True)
        path.write_bytes(kept)


def _edit(path: Path, chance: random.Random) -> str:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for setting in ("foreign_keys = off", "ignore_check_constraints = on", "writable_schema = on"):
            connection.execute(f"pragma {setting}")
        connection.execute("pragma journal_mode = delete")
        triggers = connection.execute(SCHEMA).fetchall()
        try:
            connection.execute("begin")
            for name, _sql in triggers:
                connection.execute(f"drop trigger {name}")
            what = chance.choice(ACTS)(connection, chance)
            for _name, sql in triggers:
                connection.execute(sql)
            connection.execute("commit")
        except (sqlite3.Error, UnicodeError, OverflowError) as error:
            raise NothingToChangeError(str(error)) from error
    return f"{path.name}: {what}"


def _place(connection: sqlite3.Connection, chance: random.Random) -> tuple[str, str, tuple[str, ...]]:
    """A table, the condition that finds one of its rows, and its columns."""
    tables = [row[0] for row in connection.execute(TABLES)]
    table = chance.choice([each for each in tables if _count(connection, each)])
    keys = [row[1] for row in connection.execute(f"pragma table_info({table})") if row[5]] or ["rowid"]
    columns = tuple(row[1] for row in connection.execute(f"pragma table_info({table})"))
    at = chance.randrange(_count(connection, table))
    row = connection.execute(f"select {', '.join(keys)} from {table} limit 1 offset {at}").fetchone()
    where = " and ".join(f"{key} = {_literal(value)}" for key, value in zip(keys, row, strict=True))
    return table, where, columns


def _count(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"select count(*) from {table}").fetchone()[0])


def _literal(value: object) -> str:
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


def change_value(connection: sqlite3.Connection, chance: random.Random) -> str:
    table, where, columns = _place(connection, chance)
    column = chance.choice(columns)
    before = connection.execute(f"select {column} from {table} where {where}").fetchone()[0]
    after = _other(before, chance)
    connection.execute(f"update {table} set {column} = ? where {where}", (after,))
    if connection.execute(f"select {column} from {table} where {where}").fetchone() == (before,):
        raise NothingToChangeError("the same as before")
    return f"{table}.{column}"


def _other(value: object, chance: random.Random) -> object:
    if value is None or chance.random() < 0.1:
        return chance.choice([*NASTY_NUMBERS, *NASTY_TEXTS, *NASTY_BYTES, None])
    if isinstance(value, int):
        return chance.choice([value + 1, value - 1, value ^ (1 << chance.randrange(40)), *NASTY_NUMBERS])
    content = value if isinstance(value, bytes) else str(value).encode()
    flipped = bytearray(content or b"x")
    flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
    if isinstance(value, bytes):
        return chance.choice([bytes(flipped), *NASTY_BYTES])
    return chance.choice([flipped.decode(errors="replace"), *NASTY_TEXTS])


def spoil_text(connection: sqlite3.Connection, chance: random.Random) -> str:
    """Text that is no UTF-8: only raw SQL can write it."""
    table, where, columns = _place(connection, chance)
    column = chance.choice(columns)
    connection.execute(f"update {table} set {column} = cast(x'41ff80' as text) where {where}")
    return f"{table}.{column}"


def delete_row(connection: sqlite3.Connection, chance: random.Random) -> str:
    table, where, _columns = _place(connection, chance)
    connection.execute(f"delete from {table} where {where}")
    return table


def copy_row(connection: sqlite3.Connection, chance: random.Random) -> str:
    table, where, columns = _place(connection, chance)
    named = [name for name in columns if name != "id"]
    if len(named) == len(columns):
        raise NothingToChangeError("no number of its own")
    names = ", ".join(named)
    connection.execute(f"insert into {table} ({names}) select {names} from {table} where {where}")
    return table


def change_schema(connection: sqlite3.Connection, chance: random.Random) -> str:
    """Another constraint, column or trigger, in the text that SQLite keeps of it."""
    rows = connection.execute("select rowid, name, sql from sqlite_schema where sql is not null").fetchall()
    rowid, name, sql = chance.choice(rows)
    old, new = chance.choice(
        [("not null", "        "), ("check (", "check (1 or "), ("unique", "      "), (" ", "  ")]
    )
    if old not in sql:
        raise NothingToChangeError("no such word")
    connection.execute("update sqlite_schema set sql = ? where rowid = ?", (sql.replace(old, new, 1), rowid))
    return f"schema of {name}"


ACTS: Final[tuple[Callable[[sqlite3.Connection, random.Random], str], ...]] = (
    *(change_value, change_value, change_value, change_value),
    *(spoil_text, delete_row, copy_row, change_schema),
)
