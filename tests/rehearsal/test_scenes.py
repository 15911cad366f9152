"""Scenes."""

import numpy as np
import pytest

from rehearsal.camera_plan import SceneKind
from rehearsal.picture_counter import BarGeometry
from rehearsal.scene_brush import Brush, Lens, box_faces, shade
from rehearsal.scene_people import CLOTHES, Person, Pose
from rehearsal.scenes import Scene

SMALL = BarGeometry(640, 360)


@pytest.mark.parametrize("view", [0, 1, 2, 3])
@pytest.mark.parametrize("kind", list(SceneKind))
def test_a_scene_moves_and_its_loop_closes(kind: SceneKind, view: int) -> None:
    scene = Scene(kind, view, SMALL)
    start, later, end = scene.picture(0.0), scene.picture(0.31), scene.picture(1.0)
    moved = (np.abs(start.astype(int) - later).max(axis=2) > 20).mean()
    left_over = (np.abs(start.astype(int) - end).max(axis=2) > 20).mean()
    assert start.shape == (360, 640, 3)
    assert 0.002 < moved < 0.2
    assert left_over < 0.0005


def test_neighbouring_pictures_differ_little() -> None:
    scene = Scene(SceneKind.CLASSROOM, 0, SMALL)
    moved = np.abs(scene.picture(0.5).astype(int) - scene.picture(0.5 + 1 / 300)).max(axis=2) > 20
    assert 0 < moved.mean() < 0.03


def test_two_views_of_a_room_are_different_pictures() -> None:
    one, other = (Scene(SceneKind.CLASSROOM, view, SMALL).picture(0.0) for view in (0, 1))
    assert (one != other).mean() > 0.3


def test_a_walker_follows_the_route_and_returns() -> None:
    walker = Person(0, 0, 0, Pose.WALKING, CLOTHES[0], 1, ((0, 0), (0, 4), (0, 2)))
    assert walker.place(0.0)[:2] == (0, 0)
    assert walker.place(0.25)[:2] == pytest.approx((0, 2))
    assert walker.place(0.5)[:2] == pytest.approx((0, 4))
    assert walker.place(1.0)[:2] == pytest.approx((0, 0))


def test_what_is_behind_the_camera_is_not_drawn() -> None:
    lens = Lens((0, 0, 2), (0, 5, 1), 80, (64, 36))
    brush = Brush(lens, np.zeros((36, 64, 3), np.uint8))
    behind = [(-1.0, -3.0, 1.0), (1.0, -3.0, 1.0), (1.0, -3.0, 2.0)]
    brush.face(behind, (255, 255, 255))
    brush.ball((0, -3, 1), 0.5, (255, 255, 255))
    brush.limb((0, -3, 1), (0, -4, 1), 0.2, (255, 255, 255))
    brush.lettering("考场", [*behind, behind[0]], ((0, 0, 0), (255, 255, 255)))
    assert brush.picture.max() == 0


def test_a_floor_that_reaches_behind_the_camera_is_cut() -> None:
    lens = Lens((0, 0, 2), (0, 5, 1), 80, (64, 36))
    brush = Brush(lens, np.zeros((36, 64, 3), np.uint8))
    brush.face([(-9, -9, 0), (9, -9, 0), (9, 9, 0), (-9, 9, 0)], (200, 200, 200))
    assert brush.picture[-1].min() == 200
    assert brush.picture[0].max() == 0


def test_a_box_shows_at_most_three_faces() -> None:
    assert len(box_faces((1, 1, 0), (1, 1, 1), (0, 0, 3))) == 3
    assert len(box_faces((1, 1, 0), (1, 1, 1), (9, 9, 0.5))) == 2


def test_a_shade_stays_a_colour() -> None:
    assert shade((10, 100, 250), 1.5) == (15, 150, 255)
