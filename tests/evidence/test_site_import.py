"""Taking a site plan in: all or nothing, the same plan twice changes nothing, footage keeps its camera."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from config.procedures import load_procedures
from evidence.database import WriterDatabase
from evidence.site_import import CAMERA_PASSWORD, SiteReport, import_site
from evidence.site_plan import SitePlanError
from evidence.vault import Vault
from exam.day import PlaceKind

EXAMPLE = Path(__file__).parents[2] / "config" / "examples" / "site.toml"
NOW_US = 1_790_000_000_000_000
PROCEDURES = load_procedures()


@dataclass
class Site:
    """A database that the example was taken into, and the file as it stands."""

    exam: WriterDatabase
    vault: Vault
    path: Path

    def change(self, *changes: tuple[str, str]) -> None:
        text = self.path.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        self.path.write_text(text, encoding="utf-8")

    def drop(self, first: str, last: str = "") -> None:
        """Cut from `first` up to `last` (or the end) out of the file."""
        text = self.path.read_text(encoding="utf-8")
        start = text.index(first)
        end = text.index(last, start) if last else len(text)
        self.path.write_text(text[:start] + text[end:], encoding="utf-8")

    def take_in(self) -> SiteReport:
        with self.exam.write() as connection:
            return import_site(connection, self.vault, self.path, PROCEDURES, NOW_US)

    def rows(self, question: str) -> list[tuple[object, ...]]:
        with self.exam.read() as connection:
            return [tuple(row) for row in connection.execute(question)]

    def write(self, statement: str) -> None:
        with self.exam.write() as connection:
            connection.execute(statement)

    def seat_somebody(self) -> None:
        """Somebody sits in 第1考场, place 30, session T1."""
        with self.exam.write() as connection:
            connection.execute(
                "insert into candidate (id, batch_id, name, document_type, id_number_cipher, id_number_index,"
                " id_number_tail, ticket_no)"
                " values (1, 1, '张三', 'id_card', zeroblob(17), zeroblob(32), '0', 'A1')"
            )
            connection.execute(
                "insert into seating (session_id, candidate_id, place_id) select session.id, 1, place.id"
                " from session, place join room on room.id = room_id"
                " where session.code = 'T1' and room.code = 'R01' and place.label = '30'"
            )

    def refused(self) -> tuple[str, ...]:
        with pytest.raises(SitePlanError) as error:
            self.take_in()
        return error.value.faults


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    path = tmp_path / "site.toml"
    path.write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    built = Site(WriterDatabase(tmp_path / "exam.db", "exam"), Vault.open(tmp_path / "site.key"), path)
    built.take_in()
    yield built
    built.exam.close()


def test_everything_in_the_file_is_in_the_database(site: Site) -> None:
    counts = {
        table: site.rows(f"select count(*) from {table}")[0][0]
        for table in ("room", "place", "camera", "staff", "batch", "session", "session_room", "duty")
    }
    assert counts == {
        "room": 3,
        "place": 43,
        "camera": 4,
        "staff": 5,
        "batch": 1,
        "session": 3,
        "session_room": 3,
        "duty": 8,
    }
    stations = site.rows("select count(*) from place where kind = 'station'")
    assert (stations, PlaceKind.STATION) == ([(7,)], "station")


def test_the_same_plan_again_changes_nothing(site: Site) -> None:
    with site.exam.read() as connection:
        before = list(connection.iterdump())
    report = site.take_in()
    with site.exam.read() as connection:
        assert list(connection.iterdump()) == before
    assert report.is_unchanged
    assert report.to_text() == "考点安排 site.toml：与现有安排一致，没有变化。"


def test_changes_are_counted_by_kind(site: Site) -> None:
    site.change(('label = "第1考场"', 'label = "一号考场"'), ("minutes = 90", "minutes = 60"))
    site.drop('  { badge = "JK002"', "]\n\n[[sessions]]")
    text = site.take_in().to_text()
    assert text.splitlines() == [
        "考点安排 site.toml 已导入：",
        "  考室：新增 0，修改 1，删除 0",
        "  场次：新增 0，修改 1，删除 0",
        "  岗位：新增 0，修改 0，删除 1",
    ]


def test_two_rooms_may_swap_their_labels(site: Site) -> None:
    site.change(
        ('label = "第1考场"', 'label = "X"'), ('label = "答辩室"', 'label = "第1考场"'), ('"X"', '"答辩室"')
    )
    site.take_in()
    assert site.rows("select label from room where code = 'R01'") == [("答辩室",)]


def test_places_may_be_numbered_anew(site: Site) -> None:
    site.change(('numbering = "snake"', 'numbering = "rows"'))
    site.take_in()
    assert site.rows(
        "select grid_row, grid_col from place join room on room.id = room_id"
        " where code = 'R01' and place.label = '6'"
    ) == [(2, 1)]


def test_a_camera_keeps_its_uuid_whatever_else_changes(site: Site) -> None:
    before = site.rows("select label, uuid from camera order by id")
    site.change(
        ("rtsp://192.0.2.11:554/main", "rtsp://192.0.2.99:554/main"),
        ('username = "recorder"', 'username = "other"'),
        ('label = "第1考场"', 'label = "一号考场"'),
    )
    site.take_in()
    assert site.rows("select label, uuid from camera order by id") == before
    assert site.rows("select address, username from camera where id = 1") == [
        ("rtsp://192.0.2.99:554/main", "other")
    ]


def test_a_camera_that_left_is_retired_and_comes_back_as_itself(site: Site) -> None:
    before = site.rows("select uuid from camera where label = '后方'")
    text = site.path.read_text(encoding="utf-8")
    site.drop('[[rooms.cameras]]\nlabel = "后方"', '[[rooms]]\ncode = "P01"')
    assert site.take_in().removed["camera"] == 1
    assert site.rows("select retired_at_us from camera where label = '后方'") == [(NOW_US,)]
    assert site.take_in().is_unchanged
    site.path.write_text(text, encoding="utf-8")
    site.take_in()
    assert site.rows("select uuid, retired_at_us from camera where label = '后方'") == [(before[0][0], None)]
    assert site.rows("select distinct added_at_us from camera") == [(NOW_US,)]


def password(site: Site) -> str | None:
    [(cipher,)] = site.rows("select password_cipher from camera where id = 1")
    assert cipher is None or isinstance(cipher, bytes)
    return site.vault.decrypt(cipher, CAMERA_PASSWORD) if cipher else None


def test_camera_passwords_are_ciphertext_kept_replaced_or_removed(site: Site) -> None:
    assert password(site) == "change-me-1"
    assert b"change-me-1" not in (site.path.parent / "exam.db-wal").read_bytes()
    site.change(('password = "change-me-1"\n', ""))
    assert site.take_in().is_unchanged
    assert password(site) == "change-me-1"
    site.change(('username = "recorder"\n', 'username = "recorder"\npassword = "new"\n'))
    site.take_in()
    assert password(site) == "new"
    site.change(('password = "new"', 'password = ""'))
    site.take_in()
    assert password(site) is None
    assert site.take_in().is_unchanged


def test_a_place_goes_unless_somebody_sits_there(site: Site) -> None:
    site.change(("rows = 6", "rows = 5"))
    site.seat_somebody()
    assert site.refused() == ("考室“R01”：30号已安排考生，不能取消",)
    assert site.rows("select count(*) from place") == [(43,)]
    site.write("delete from seating")
    assert site.take_in().removed["place"] == 5


def test_a_session_goes_unless_the_day_depends_on_it(site: Site) -> None:
    site.drop('[[sessions]]\ncode = "P1"')
    assert site.take_in().removed["session"] == 2
    assert site.rows("select code from session") == [("T1",)]
    site.drop('[[sessions]]\ncode = "T1"')
    site.seat_somebody()
    assert site.refused() == ("场次“T1”：已有考生或记录，不能从文件中去掉",)


def test_a_room_leaves_a_session_unless_somebody_sits_in_it(site: Site) -> None:
    site.change(('rooms = ["R01"]', 'rooms = ["V01"]'))
    site.change(('proctor", room = "R01"', 'proctor", room = "V01"'), ('proctor", room = "R01"', 'proctor"'))
    site.seat_somebody()
    assert site.refused() == ("场次“T1”：有考室已安排考生或已有记录，不能撤下",)
    site.write("delete from seating")
    report = site.take_in()
    assert (report.added["session_room"], report.removed["session_room"]) == (1, 1)


@pytest.mark.parametrize(
    "beginning",
    [
        "update session set armed_at_us = 1, armed_by = 1 where code = 'T1'",
        "insert into announcement (session_id, room_id, cue_code, planned_at_us, outcome, emitted_at_us,"
        " source, recorded_at_us) values (1, 1, 'C5', 1, 'emitted', 1, 'schedule', 1)",
    ],
)
def test_a_session_that_has_begun_is_not_moved(site: Site, beginning: str) -> None:
    site.write(
        "insert into account (id, login_name, display_name, password_hash, created_at_us)"
        " values (1, 'a', 'a', '$argon2id$', 1)"
    )
    site.write(beginning)
    assert site.take_in().is_unchanged
    site.change(("minutes = 90", "minutes = 60"))
    assert site.refused() == ("场次“T1”：已启用信号、已变更计划或已有考生签到，不能修改时间、规程或科目",)
    assert site.rows("select duration_us from session where code = 'T1'") == [(5_400_000_000,)]


def test_a_room_without_records_goes_and_one_with_records_stays_and_is_named(site: Site) -> None:
    site.drop('[[rooms]]\ncode = "V01"', "[[staff]]")
    site.drop('[[sessions]]\ncode = "V1"')
    report = site.take_in()
    # Its camera may have footage, so the room that footage names stays, without places.
    assert "考室“答辩室”不在文件中，因已有记录而保留" in report.to_text()
    assert report.removed["place"] == 6
    site.write("delete from camera where label = '评审席'")
    assert site.take_in().removed["room"] == 1


def test_a_room_that_another_batch_uses_is_left_whole(site: Site) -> None:
    site.change(('code = "2026-D-01"', 'code = "2026-D-02"'))
    site.drop('[[rooms]]\ncode = "V01"', "[[staff]]")
    site.drop('[[sessions]]\ncode = "V1"')
    site.change(("2026-11-22T09", "2026-12-22T09"), ("2026-11-22T14", "2026-12-22T14"))
    report = site.take_in()
    assert report.kept == ["考室“答辩室”"]
    assert site.rows("select count(*) from place") == [(43,)]
    assert site.rows("select count(*) from session") == [(5,)]


def test_a_kept_room_does_not_lend_its_label(site: Site) -> None:
    site.change(
        ('code = "V01"', 'code = "V02"'),
        ('rooms = ["V01"]', 'rooms = ["V02"]'),
        ('room = "V01"', 'room = "V02"'),
    )
    assert site.refused() == ("考室名称“答辩室”已属于编号“V01”的考室，请沿用原编号",)


def test_people_leave_unless_an_account_names_them(site: Site) -> None:
    site.write(
        "insert into account (id, staff_id, login_name, display_name, password_hash, created_at_us)"
        " select 1, id, 'a', 'a', '$argon2id$', 1 from staff where name = '李强'"
    )
    site.drop("[[staff]]", "[batch]")
    for _ in range(8):
        site.drop("  { badge", "\n")
    report = site.take_in()
    assert report.removed["staff"] == 4
    assert report.kept == ["工作人员“李强”"]


def test_a_refused_plan_changes_nothing(site: Site) -> None:
    site.change(("rows = 6", "rows = 5"), ('name = "李强"', 'name = "李强强"'))
    site.seat_somebody()
    with site.exam.read() as connection:
        before = list(connection.iterdump())
    site.refused()
    with site.exam.read() as connection:
        assert list(connection.iterdump()) == before


def test_readers_see_the_plan_only_whole(site: Site) -> None:
    site.change(("minutes = 90", "minutes = 60"))
    with site.exam.write() as connection:
        import_site(connection, site.vault, site.path, PROCEDURES, NOW_US)
        reader = sqlite3.connect(site.exam.path)
        assert reader.execute("select duration_us from session where code = 'T1'").fetchone() == (
            5_400_000_000,
        )
        reader.close()
