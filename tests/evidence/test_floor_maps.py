"""Floor plans of the site plan: checked with it, kept once, replaced with it, and shown for their rooms."""

import io
from pathlib import Path

import pytest
from PIL import Image

from evidence.floor_maps import RoomMap, maps_of, read_picture
from evidence.site_plan import SitePlanError, read_site_plan
from tests.evidence.test_site_import import PROCEDURES, Site, site

__all__ = ["site"]

DIRECTIONS = 'directions = "'


def drawn(colour: int = 200) -> bytes:
    kept = io.BytesIO()
    Image.new("L", (400, 300), colour).save(kept, "PNG")
    return kept.getvalue()


def named(site: Site, *rooms: tuple[str, str]) -> None:
    """Give rooms (by code) these lines more."""
    for code, lines in rooms:
        site.change((f'code = "{code}"', f'code = "{code}"\n{lines}'))


def maps(site: Site) -> list[RoomMap]:
    with site.exam.read() as connection:
        return list(maps_of(connection, range(1, 100)).values())


def test_rooms_of_one_floor_share_its_picture(site: Site) -> None:
    (site.path.parent / "二楼.png").write_bytes(drawn())
    named(site, ("R01", 'map = "二楼.png"\nmap_at = [62, 40.25]'), ("P01", 'map = "二楼.png"'))
    assert "平面图：新增 2" in site.take_in().to_text()
    assert [(one.width, one.height, one.at_x, one.at_y) for one in maps(site)] == [
        (400, 300, 620, 402),
        (400, 300, None, None),
    ]
    assert len(site.rows("select 1 from floor_map")) == 1
    with site.exam.read() as connection:
        assert read_picture(connection, maps(site)[0].room_id) == (drawn(), "image/png")
        assert read_picture(connection, 999) is None
    assert site.take_in().is_unchanged


def test_a_new_picture_replaces_the_old_one_and_without_one_none_is_left(site: Site) -> None:
    (site.path.parent / "二楼.png").write_bytes(drawn())
    named(site, ("R01", 'map = "二楼.png"'))
    site.take_in()
    (site.path.parent / "二楼.png").write_bytes(drawn(90))
    assert "平面图：新增 0，修改 1" in site.take_in().to_text()
    assert len(site.rows("select 1 from floor_map")) == 1
    site.change(('map = "二楼.png"', ""))
    assert "平面图：新增 0，修改 0，删除 1" in site.take_in().to_text()
    assert (maps(site), site.rows("select 1 from floor_map")) == ([], [])


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ('map = "二楼.png"', "rooms[1].map：图片“二楼.png”无法读取"),
        ('map = "坏.png"', "rooms[1].map：图片“坏.png”：图片已损坏"),
        ('map = "/etc/passwd"', "rooms[1].map：须是考点安排文件旁边的图片"),
        ('map = "../二楼.png"', "rooms[1].map：须是考点安排文件旁边的图片"),
        ("map_at = [10, 20]", "rooms[1].map_at：没有写 map"),
        ("map_at = [10, 120]", "rooms[1].map_at[2]：不能大于100"),
    ],
)
def test_a_picture_that_cannot_be_used_is_named_with_its_room(site: Site, lines: str, fault: str) -> None:
    (site.path.parent / "坏.png").write_bytes(drawn()[:60])
    named(site, ("R01", lines))
    with pytest.raises(SitePlanError) as error:
        read_site_plan(Path(site.path), PROCEDURES)
    assert error.value.faults[0].startswith(fault)


def test_a_room_that_leaves_the_plan_takes_its_picture_along(site: Site) -> None:
    (site.path.parent / "二楼.png").write_bytes(drawn())
    text = site.path.read_text(encoding="utf-8")
    spare = '[[rooms]]\ncode = "R99"\nlabel = "备用室"\nkind = "theory"\nmap = "二楼.png"\n\n'
    site.path.write_text(text.replace("[[staff]]", f"{spare}[[staff]]", 1), encoding="utf-8")
    site.take_in()
    assert len(maps(site)) == 1
    site.path.write_text(text, encoding="utf-8")
    site.take_in()
    assert maps(site) == []
    assert site.rows("select 1 from room where code = 'R99'") == []
