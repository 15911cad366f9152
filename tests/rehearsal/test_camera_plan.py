"""The description of simulated cameras."""

import json
from pathlib import Path

import pytest

from rehearsal.camera_plan import (
    CameraPlan,
    Fault,
    PlanError,
    SceneKind,
    SitePlan,
    check_plan,
    load_plan,
    picture_size,
)
from rehearsal.rtsp_messages import Login

TOML = """
port = 9000
loop_seconds = 4

[[cameras]]
name = "room-1"
label = "第1考场"
scene = "classroom"
user = "viewer"
password = "Long-Enough-7"
faults = ["stall"]

[[cameras]]
name = "shop-1"
scene = "workshop"
port = 9100
"""


def test_a_file_describes_cameras(tmp_path: Path) -> None:
    file = tmp_path / "cameras.toml"
    file.write_text(TOML, encoding="utf-8")
    plan = load_plan(file)
    room, shop = plan.cameras
    assert (room.label, room.scene, room.faults) == ("第1考场", SceneKind.CLASSROOM, (Fault.STALL,))
    assert room.login == Login("viewer", "Long-Enough-7")
    assert shop.login is None
    assert plan.ports() == [9000, 9100]


def test_json_says_the_same(tmp_path: Path) -> None:
    file = tmp_path / "cameras.json"
    file.write_text(json.dumps({"cameras": [{"name": "a"}, {"name": "b"}]}), encoding="utf-8")
    assert load_plan(file).ports() == [0, 0]


def test_a_camera_is_off_and_fast_unless_told_otherwise() -> None:
    camera = CameraPlan(name="a")
    assert (camera.clock_offset_s, camera.clock_drift_ppm, camera.gop_seconds) == (7.3, 50.0, 2)
    assert camera.sender_reports


def test_every_fault_of_a_file_is_named_at_once(tmp_path: Path) -> None:
    file = tmp_path / "cameras.toml"
    file.write_text(
        '[[cameras]]\nname = "a b"\nfps = 0\nresolution = "1281x720"\ncolour = 1\n', encoding="utf-8"
    )
    with pytest.raises(PlanError) as refused:
        load_plan(file)
    words = str(refused.value)
    assert "4 fault(s)" in words
    for key in ("name", "fps", "resolution", "colour"):
        assert f"cameras.0.{key}" in words


@pytest.mark.parametrize(
    "raw",
    [
        {"cameras": []},
        {"cameras": [{"name": "a"}, {"name": "a"}]},
        {"loop_seconds": 5, "cameras": [{"name": "a", "gop_seconds": 2}]},
    ],
)
def test_an_impossible_plan_is_refused(raw: dict[str, object]) -> None:
    with pytest.raises(PlanError):
        check_plan(raw, "test")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"none\.toml: cannot be read"):
        load_plan(tmp_path / "none.toml")


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{", encoding="utf-8")
    with pytest.raises(PlanError, match=r"a\.json: not valid"):
        load_plan(tmp_path / "a.json")


@pytest.mark.parametrize("text", ["1280", "320x240", "1280x721", "1284x720", "axb"])
def test_a_size_that_cannot_be_drawn_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="resolution"):
        picture_size(text)


def test_a_password_is_not_in_what_a_plan_looks_like() -> None:
    plan = SitePlan.model_validate({"cameras": [{"name": "a", "user": "u", "password": "Long-Enough-7"}]})
    assert "Long-Enough-7" not in repr(plan) + plan.model_dump_json()
