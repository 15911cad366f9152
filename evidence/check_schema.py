"""Are the tables, constraints and triggers of a database those that the program made?

A trigger or a check that was weakened changes no row: only its text shows it.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from sqlite3 import Connection
from typing import Final

from sqlite_utils import Database

from evidence.check_codes import Code, Finding
from evidence.database import migrations

# SQLite's own notes on how to search are no part of the schema.
_OBJECTS: Final = (
    "select type, name, tbl_name, sql from sqlite_schema where name not like 'sqlite!_stat%' escape '!'"
)
_STEPS: Final = "select name from _sqlite_migrations where migration_set = ?"

Objects = frozenset[tuple[str | None, ...]]


def check_schema(connection: Connection, name: str, file_name: str) -> Iterator[Finding]:
    """Everything that is other, missing or too many. `name` is that of the schema's steps."""
    try:
        steps = {row[0] for row in connection.execute(_STEPS, (f"kaochang.{name}",))}
        found = _objects(connection)
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        yield Finding(Code.SCHEMA_CHANGED, f"{file_name}: {error}")
        return
    known = [step.name for step in migrations(name).pending(Database(":memory:", execute_plugins=False))]
    later = next((step for step in known if step not in steps), None)
    strange = steps - set(known)
    changed = {str(each[1]) for each in found ^ _made(name, later)}
    for what in sorted(strange | changed):
        yield Finding(Code.SCHEMA_CHANGED, f"{file_name}: {what} is not as the program made it")


@cache
def _made(name: str, stop_before: str | None) -> Objects:
    """The schema of a new database with the steps before this one."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrations(name).apply(Database(connection, execute_plugins=False), stop_before=stop_before)
        return _objects(connection)


def _objects(connection: Connection) -> Objects:
    return frozenset(tuple(row) for row in connection.execute(_OBJECTS))
