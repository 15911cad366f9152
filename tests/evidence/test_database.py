"""One writer, many readers, and schema steps that happen once."""

import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from evidence.database import ReaderDatabase, SchemaError, WriterBusyError, WriterDatabase

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


def test_a_reader_without_a_file_says_which_service_to_start(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"footage\.db does not exist yet"):
        ReaderDatabase(tmp_path / "footage.db")


def test_only_the_owner_can_read_the_exam_database(tmp_path: Path) -> None:
    database = WriterDatabase(tmp_path / "exam.db", "exam")
    assert (tmp_path / "exam.db").stat().st_mode & 0o077 == 0
    database.close()
