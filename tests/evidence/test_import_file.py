"""One command takes in both kinds of files, and a dry run leaves no trace."""

from pathlib import Path

import pytest

from config.procedures import load_procedures
from config.roster_columns import load_roster_columns
from evidence.import_file import ImportRefusedError, Vocabulary, WantedImport, import_file
from tests.web.doubted import face
from tests.world import CLOCK_US, World, build_world, invented_number

VOCABULARY = Vocabulary(load_procedures(), load_roster_columns())
EXAMPLE = Path(__file__).parents[2] / "config" / "examples" / "site.toml"
HEADINGS = "姓名,证件类型,证件号码,准考证号,场次,考场,座位号\n"


@pytest.fixture
def world(tmp_path: Path):
    world = build_world(tmp_path)
    yield world
    world.close()


def take_in(world: World, path: Path, batch: str | None = None, *, dry_run: bool = False) -> str:
    return import_file(world.exam, world.vault, WantedImport(path, batch, dry_run), VOCABULARY, CLOCK_US)


def count(world: World, table: str) -> int:
    with world.exam.read() as connection:
        return int(connection.execute(f"select count(*) from {table}").fetchone()[0])


def batch_code(world: World) -> str:
    with world.exam.read() as connection:
        return str(connection.execute("select code from batch").fetchone()[0])


def test_a_site_plan_is_taken_in(world: World) -> None:
    before = count(world, "batch")
    assert "已导入" in take_in(world, EXAMPLE)
    assert count(world, "batch") == before + 1


def test_a_dry_run_of_a_site_plan_changes_nothing(world: World) -> None:
    before = count(world, "batch")
    assert "未做任何改动" in take_in(world, EXAMPLE, dry_run=True)
    assert count(world, "batch") == before


def test_a_faulty_site_plan_is_refused_with_its_faults(world: World, tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text("[site]\n")
    with pytest.raises(ImportRefusedError, match="错误"):
        take_in(world, path)


def test_a_roster_needs_a_batch(world: World, tmp_path: Path) -> None:
    with pytest.raises(ImportRefusedError, match="--batch"):
        take_in(world, tmp_path / "roster.csv")


def test_an_unknown_ending_is_refused_with_the_known_ones(world: World, tmp_path: Path) -> None:
    with pytest.raises(ImportRefusedError, match=r"\.xlsx"):
        take_in(world, tmp_path / "roster.xls")


def test_a_faulty_roster_is_refused_whole(world: World, tmp_path: Path) -> None:
    before = count(world, "candidate")
    path = tmp_path / "roster.csv"
    path.write_text(HEADINGS + "李四,居民身份证,990101199003070011,T9,T1,第1考场,12\n", encoding="utf-8")
    with pytest.raises(ImportRefusedError, match=r"第 ?2 ?行"):
        take_in(world, path, batch_code(world))
    assert count(world, "candidate") == before


def test_a_good_roster_is_taken_in_and_reported(world: World, tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_text(
        HEADINGS + f"李四,居民身份证,{invented_number(77)},20261122990077,T1,第1考场,12\n", encoding="utf-8"
    )
    report = take_in(world, path, batch_code(world), dry_run=True)
    assert "读取 1 行" in report


def test_registration_photos_come_from_a_folder_or_an_archive(world: World, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    own = photos / f"{world.on_time.ticket_no}.jpg"
    own.write_bytes(face(1))
    assert "新增 1" in take_in(world, photos, batch_code(world))
    own.write_bytes(b"no picture")
    with pytest.raises(ImportRefusedError, match="未作任何修改"):
        take_in(world, photos, batch_code(world))
