"""Reading a site plan: every fault at once, with the key path that a person can find."""

from pathlib import Path

import pytest

from config.procedures import load_procedures
from evidence.site_plan import PlacesTable, SitePlan, SitePlanError, read_site_plan
from exam.clock import MINUTE_US
from exam.day import PlaceKind
from tests.world import START_US

EXAMPLE = Path(__file__).parents[2] / "config" / "examples" / "site.toml"
PROCEDURES = load_procedures()


def changed(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    text = EXAMPLE.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def read(path: Path) -> SitePlan:
    return read_site_plan(path, PROCEDURES)


def faults(path: Path) -> tuple[str, ...]:
    with pytest.raises(SitePlanError) as error:
        read(path)
    return error.value.faults


def test_the_example_is_sound_and_its_times_are_those_of_the_site() -> None:
    plan = read(EXAMPLE)
    assert [room.place_kind for room in plan.rooms] == [PlaceKind.SEAT, PlaceKind.STATION, PlaceKind.SEAT]
    theory = plan.sessions[0]
    assert (theory.planned_start_us, theory.duration_us) == (START_US, 90 * MINUTE_US)


def test_a_start_with_a_zone_of_its_own_is_taken_as_written(tmp_path: Path) -> None:
    path = changed(tmp_path, ("2026-11-22T09:00:00", "2026-11-22T01:00:00Z"))
    assert read(path).sessions[0].planned_start_us == START_US


@pytest.mark.parametrize(
    ("numbering", "labels"),
    [
        ("rows", [["1", "2"], ["3", "4"], ["5", "6"]]),
        ("columns", [["1", "4"], ["2", "5"], ["3", "6"]]),
        ("snake", [["1", "6"], ["2", "5"], ["3", "4"]]),
    ],
)
def test_places_are_numbered_from_the_front_left_corner(numbering: str, labels: list[list[str]]) -> None:
    cells = PlacesTable.model_validate({"rows": 3, "columns": 2, "numbering": numbering}).cells()
    by_cell = {cell: label for label, cell in cells.items()}
    assert [[by_cell[row, column] for column in (1, 2)] for row in (1, 2, 3)] == labels


def test_a_missing_desk_has_no_number() -> None:
    cells = PlacesTable.model_validate({"rows": 2, "columns": 2, "skip": [[1, 2]]}).cells()
    assert cells == {"1": (1, 1), "2": (2, 1), "3": (2, 2)}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (('code = "KD-001"\n', ""), "site.code：缺少此项"),
        (('name = "青山', 'nome = "x"\nname = "青山'), "site.nome：没有这一项，请检查拼写"),
        (('code = "R01"', 'code = "1 考"'), "rooms[1].code：格式不正确"),
        (('label = "第1考场"', 'label = " "'), "rooms[1].label：不能为空"),
        (('kind = "practical"', 'kind = "workshop"'), "rooms[2].kind：只能是："),
        (("rows = 6", "rows = 0"), "rooms[1].places.rows：不能小于1"),
        (("columns = 5", 'columns = "五"'), "rooms[1].places.columns：应为整数"),
        (("rtsp://192.0.2.12", "rtsp://a:b@192.0.2.12"), "rooms[1].cameras[2].address：格式不正确"),
        (("rtsp://192.0.2.21", "http://192.0.2.21"), "rooms[2].cameras[1].address：格式不正确"),
        (("minutes = 90", "minutes = 0"), "sessions[1].minutes：应大于0"),
        (("start = 2026-11-22T09:00:00", 'start = "九点"'), "sessions[1].start：应为日期和时间"),
        (('rooms = ["R01"]', "rooms = []"), "sessions[1].rooms：至少需要1个"),
        (('role = "site_lead"', 'role = "boss"'), "sessions[1].duties[1].role：只能是："),
        (('code = "P01"', 'code = "R01"'), "rooms：考室编号“R01”重复了 2 次"),
        (('label = "答辩室"', 'label = "第1考场"'), "rooms：考室名称“第1考场”重复了 2 次"),
        (('label = "后方"', 'label = "前方"'), "rooms[1].cameras：摄像机名称“前方”重复了 2 次"),
        (('badge = "JK002"', 'badge = "JK001"'), "staff：证卡号“JK001”重复了 2 次"),
        (('code = "P1"', 'code = "T1"'), "sessions：场次编号“T1”重复了 2 次"),
        (('procedure = "theory"', 'procedure = "gaokao"'), "sessions[1].procedure：没有规程“gaokao”"),
        (('procedure = "theory"', 'procedure = "review"'), "sessions[1].procedure：规程“review”用于 review"),
        (('rooms = ["R01"]', 'rooms = ["R01", "R01"]'), "sessions[1].rooms：考室“R01”重复了 2 次"),
        (('rooms = ["R01"]', 'rooms = ["R01", "R77"]'), "sessions[1].rooms：没有编号为“R77”的考室"),
        (
            ('{ badge = "KP001"', '{ badge = "KP777"'),
            "sessions[2].duties[3].badge：人员名单中没有证卡号“KP777”",
        ),
        (
            ('role = "review_chair", room = "V01"', 'role = "review_chair", room = "R01"'),
            "sessions[3].duties[2].room：“R01”不是本场次的考室",
        ),
        (
            ('{ badge = "JK002", role', '{ badge = "JK001", role'),
            "sessions[1].duties：岗位“JK001/proctor/R01”重复了 2 次",
        ),
        (
            ("start = 2026-11-22T14:00:00", "start = 2026-11-22T10:29:00\nX"),
            "不是有效的 TOML 文件",
        ),
    ],
)
def test_a_fault_names_its_place_and_what_is_wrong(
    tmp_path: Path, change: tuple[str, str], fault: str
) -> None:
    found = faults(changed(tmp_path, change))
    assert any(words.startswith(fault) for words in found), found


def test_two_sessions_may_not_share_a_room_at_the_same_time(tmp_path: Path) -> None:
    path = changed(
        tmp_path,
        ('rooms = ["P01"]', 'rooms = ["P01", "R01"]'),
        ("start = 2026-11-22T14:00:00", "start = 2026-11-22T10:29:00"),
    )
    assert faults(path) == ("sessions：考室“R01”同时安排了场次“T1”和“P1”",)


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    path = changed(
        tmp_path, ('code = "KD-001"\n', ""), ("rows = 6", "rows = 99"), ("minutes = 90", "minutes = 0")
    )
    assert len(faults(path)) == 3


def test_a_fault_beside_a_password_does_not_print_it(tmp_path: Path) -> None:
    path = changed(tmp_path, ('password = "change-me-1"', 'password = ["change-me-1"]'))
    with pytest.raises(SitePlanError) as error:
        read(path)
    assert "rooms[1].cameras[1].password：应为文字（加引号）" in str(error.value)
    assert "change-me-1" not in str(error.value)


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    assert faults(tmp_path / "absent.toml")[0].startswith("文件无法读取")
    path = tmp_path / "latin.toml"
    path.write_bytes("[site]\nname = '\u8003'".encode("gbk"))
    assert faults(path)[0].startswith("不是有效的 TOML 文件")
