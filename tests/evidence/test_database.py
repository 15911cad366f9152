"""One writer, many readers, and schema steps that happen once."""

import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from evidence.database import (
    LEDGER_SCRIPT,
    SCHEMA_FOLDER,
    DatabaseError,
    ReaderDatabase,
    SchemaError,
    WriterBusyError,
    WriterDatabase,
)

ROOM = "insert into room (code, label, kind) values (?, ?, 'theory')"


def test_both_databases_are_made_with_strict_tables(tmp_path: Path) -> None:
    for name in ("exam", "footage"):
        database = WriterDatabase(tmp_path / f"{name}.db", name)
        with database.read() as connection:
            tables = connection.execute(
                "select name, strict from pragma_table_list"
                " where schema = 'main' and name not like 'sqlite%' and name not like '\\_%' escape '\\'"
            ).fetchall()
        database.close()
        assert len(tables) > 5
        assert [row["name"] for row in tables if not row["strict"]] == []


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    database = WriterDatabase(tmp_path / "exam.db", "exam")
    with database.write() as connection:
        connection.execute(ROOM, ("R01", "第1考场"))
    database.close()
    again = WriterDatabase(tmp_path / "exam.db", "exam")
    with again.read() as connection:
        assert connection.execute("select count(*) from room").fetchone()[0] == 1
    again.close()


def test_a_second_writer_is_refused_and_told_who_writes(tmp_path: Path) -> None:
    database = WriterDatabase(tmp_path / "exam.db", "exam")
    with pytest.raises(WriterBusyError, match=f"process {os.getpid()}"):
        WriterDatabase(tmp_path / "exam.db", "exam")
    database.close()


def test_the_lock_of_a_killed_writer_does_not_stay(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from evidence.database import WriterDatabase;"
        "WriterDatabase(Path(sys.argv[1]), 'exam'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "exam.db")], check=False)
    WriterDatabase(tmp_path / "exam.db", "exam").close()


def test_an_exception_undoes_the_whole_write(tmp_path: Path) -> None:
    database = WriterDatabase(tmp_path / "exam.db", "exam")
    twice = [("R01", "第1考场"), ("R01", "第2考场")]
    with pytest.raises(sqlite3.IntegrityError), database.write() as connection:
        connection.executemany(ROOM, twice)
    with database.read() as connection:
        assert connection.execute("select count(*) from room").fetchone()[0] == 0
    database.close()


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    database = WriterDatabase(tmp_path / "exam.db", "exam")
    with database.read() as connection, pytest.raises(sqlite3.OperationalError, match=r"readonly|query_only"):
        connection.execute(ROOM, ("R01", "第1考场"))
    database.close()


def test_two_questions_inside_one_read_see_the_same_moment(tmp_path: Path) -> None:
    database = WriterDatabase(tmp_path / "exam.db", "exam")
    reader = ReaderDatabase(tmp_path / "exam.db")
    with reader.read() as outer:
        assert outer.execute("select count(*) from room").fetchone()[0] == 0
        with database.write() as connection:
            connection.execute(ROOM, ("R01", "第1考场"))
        with reader.read() as inner:
            assert inner.execute("select count(*) from room").fetchone()[0] == 0
    with reader.read() as later:
        assert later.execute("select count(*) from room").fetchone()[0] == 1
    reader.close()
    database.close()


def test_many_threads_write_one_after_the_other(tmp_path: Path) -> None:
    database = WriterDatabase(tmp_path / "exam.db", "exam")

    def add(number: int) -> None:
        with database.write() as connection:
            connection.execute(ROOM, (f"R{number}", f"第{number}考场"))
        with database.read() as connection:
            connection.execute("select count(*) from room").fetchone()

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert connection.execute("select count(*) from room").fetchone()[0] == 8
    database.close()


LONG_QUESTION = (
    "with recursive n (i) as (select 1 union all select i + 1 from n where i < 300000) select count(*) from n"
)


def test_closing_waits_for_those_who_still_read(tmp_path: Path) -> None:
    """Closing a connection under a running question would crash the whole process."""
    database = WriterDatabase(tmp_path / "exam.db", "exam")
    reader = ReaderDatabase(tmp_path / "exam.db")
    reading, counted = threading.Event(), []

    def ask() -> None:
        with reader.read() as connection:
            reading.set()
            counted.extend(connection.execute(LONG_QUESTION).fetchone())

    asking = threading.Thread(target=ask)
    asking.start()
    assert reading.wait(60)
    reader.close(patience_s=60)
    asking.join(60)
    assert counted == [300000]
    database.close()


def test_a_reader_that_does_not_end_does_not_hold_up_the_end(tmp_path: Path) -> None:
    database = WriterDatabase(tmp_path / "exam.db", "exam")
    reader = ReaderDatabase(tmp_path / "exam.db")
    reading, ended = threading.Event(), threading.Event()

    def stay() -> None:
        with reader.read():
            reading.set()
            ended.wait(60)

    staying = threading.Thread(target=stay)
    staying.start()
    assert reading.wait(60)
    reader.close(patience_s=0.05)
    ended.set()
    staying.join(60)
    assert not staying.is_alive()
    database.close()


def test_a_reader_without_a_file_says_which_service_to_start(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"footage\.db does not exist yet"):
        ReaderDatabase(tmp_path / "footage.db")


def test_only_the_owner_can_read_the_exam_database_and_the_files_beside_it(tmp_path: Path) -> None:
    database = WriterDatabase(tmp_path / "exam.db", "exam")
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["exam.db", "exam.db-shm", "exam.db-wal", "exam.db.writer"]
    assert [file.name for file in files if file.stat().st_mode & 0o077] == []
    database.close()


def test_a_database_of_a_newer_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "exam.db"
    WriterDatabase(path, "exam").close()
    with sqlite3.connect(path) as connection:
        connection.execute(
            "insert into _sqlite_migrations (migration_set, name, applied_at) values (?, ?, ?)",
            ("kaochang.exam", "exam_9999_later", "2030-01-01"),
        )
    connection.close()
    with pytest.raises(SchemaError, match=r"newer Kaochang \(schema step exam_9999_later\)"):
        WriterDatabase(path, "exam")
    with pytest.raises(SchemaError):  # and not WriterBusyError: the lock was given back
        WriterDatabase(path, "exam")


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "exam.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(DatabaseError, match=r"exam\.db cannot be used: file is not a database"):
        WriterDatabase(tmp_path / "exam.db", "exam")


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("a file where the folder should be")
    with pytest.raises(DatabaseError, match=r"exam\.db cannot be used: "):
        WriterDatabase(tmp_path / "site" / "exam.db", "exam")


def test_after_a_commit_that_failed_the_next_write_works(tmp_path: Path) -> None:
    database = WriterDatabase(tmp_path / "exam.db", "exam")

    def add_camera_of_no_room() -> None:
        with database.write() as connection:
            connection.execute("pragma defer_foreign_keys = on")  # the fault shows when committing
            connection.execute(
                "insert into camera (uuid, room_id, label, address) values (?, 999, '前方', 'rtsp://a')",
                ("u" * 36,),
            )

    with pytest.raises(sqlite3.IntegrityError):
        add_camera_of_no_room()
    with database.write() as connection:
        connection.execute(ROOM, ("R01", "第1考场"))
    database.close()


def test_a_transaction_that_sqlite_ended_by_itself_keeps_its_reason(tmp_path: Path) -> None:
    database = WriterDatabase(tmp_path / "exam.db", "exam")

    def fill_the_disk() -> None:
        with database.write() as connection:
            connection.execute("rollback")  # as SQLite does by itself
            raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(sqlite3.OperationalError, match="disk is full"):
        fill_the_disk()
    database.close()


@pytest.mark.parametrize("name", ["exam", "footage"])
def test_a_site_of_the_first_release_is_brought_up_to_date_and_keeps_its_ledger(
    tmp_path: Path, name: str
) -> None:
    """Its first step held the ledger's tables, which are a step of their own since."""
    path, fresh = tmp_path / f"{name}.db", tmp_path / "fresh.db"
    connection = sqlite3.connect(path, isolation_level=None)
    for script in (f"{name}_0001.sql", LEDGER_SCRIPT):
        text = (SCHEMA_FOLDER / script).read_text(encoding="utf-8")
        connection.executescript(text.replace(" if not exists", ""))
    first = Migrations(f"kaochang.{name}")
    first(name=f"{name}_0001")(lambda _: None)
    first.apply(Database(connection))
    connection.execute("insert into ledger_leaf values (0, 'a_fact', '{}', 1, zeroblob(32))")
    connection.close()
    WriterDatabase(path, name).close()
    WriterDatabase(fresh, name).close()
    assert _schema(path) == _schema(fresh)
    with sqlite3.connect(path) as upgraded:
        assert upgraded.execute("select kind from ledger_leaf").fetchall() == [("a_fact",)]


def _schema(path: Path) -> set[tuple[str, str]]:
    with sqlite3.connect(path) as connection:
        return set(connection.execute("select name, coalesce(sql, '') from sqlite_master"))
