"""Picture health in footage.db: troubles begin once, end once, and leave their leaves."""

import pytest

from evidence.database import WriterDatabase
from evidence.health import (
    HealthChange,
    HealthKind,
    NewTrouble,
    ReferenceSource,
    begin_trouble,
    current_health,
    end_trouble,
    health_changes,
    load_reference_view,
    load_reference_views,
    save_reference_view,
)
from evidence.ledger import read_leaves
from evidence.timeline import Interval
from tests.evidence.recorded import CAMERA, CAMERA_2
from tests.world import START_US

S = 1_000_000


@pytest.fixture
def footage(tmp_path):
    database = WriterDatabase(tmp_path / "footage.db", "footage")
    yield database
    database.close()


def begin(footage: WriterDatabase, kind: HealthKind = HealthKind.BLACK, camera: str = CAMERA) -> None:
    with footage.write() as connection:
        new = NewTrouble(camera, kind, START_US, {"dark_share": 0.99})
        begin_trouble(connection, new, START_US + 20 * S)


def changes(footage: WriterDatabase, from_s: int, until_s: int) -> list[HealthChange]:
    with footage.read() as connection:
        return health_changes(connection, CAMERA, Interval(START_US + from_s * S, START_US + until_s * S))


def leaves(footage: WriterDatabase) -> list[str]:
    with footage.read() as connection:
        return [leaf.kind for leaf, _ in read_leaves(connection)]


def test_a_trouble_is_kept_with_what_was_measured_and_a_leaf(footage: WriterDatabase) -> None:
    begin(footage)
    expected = HealthChange(
        1, CAMERA, HealthKind.BLACK, START_US, START_US + 20 * S, None, {"dark_share": 0.99}
    )
    assert changes(footage, 0, 60) == [expected]
    assert leaves(footage) == ["picture_health"]


def test_a_trouble_that_lasts_is_not_begun_again(footage: WriterDatabase) -> None:
    begin(footage)
    begin(footage)
    assert len(changes(footage, 0, 60)) == 1
    assert leaves(footage) == ["picture_health"]


def test_a_trouble_ends_once_and_never_before_it_began(footage: WriterDatabase) -> None:
    begin(footage)
    for _ in range(2):
        with footage.write() as connection:
            end_trouble(connection, CAMERA, HealthKind.BLACK, START_US - S, START_US + 40 * S)
    assert [change.ended_at_us for change in changes(footage, -60, 60)] == [START_US]
    assert leaves(footage) == ["picture_health", "picture_health_end"]


def test_an_interval_sees_the_troubles_that_touch_it(footage: WriterDatabase) -> None:
    begin(footage)
    with footage.write() as connection:
        end_trouble(connection, CAMERA, HealthKind.BLACK, START_US + 30 * S, START_US + 40 * S)
    begin(footage, HealthKind.MOVED, CAMERA_2)
    assert len(changes(footage, 10, 20)) == 1
    assert changes(footage, 30, 60) == []
    assert changes(footage, -60, 0) == []


def test_only_troubles_that_last_are_current(footage: WriterDatabase) -> None:
    begin(footage)
    begin(footage, HealthKind.BLURRED)
    begin(footage, HealthKind.MOVED, CAMERA_2)
    with footage.write() as connection:
        end_trouble(connection, CAMERA_2, HealthKind.MOVED, START_US + S, START_US + S)
    with footage.read() as connection:
        current = current_health(connection)
    assert {camera: [change.kind for change in found] for camera, found in current.items()} == {
        CAMERA: [HealthKind.BLACK, HealthKind.BLURRED]
    }


def test_the_latest_reference_view_of_a_camera_is_in_force(footage: WriterDatabase) -> None:
    with footage.write() as connection:
        save_reference_view(connection, CAMERA, ReferenceSource.FIRST_PICTURES, b"old", START_US)
        save_reference_view(connection, CAMERA_2, ReferenceSource.FIRST_PICTURES, b"other", START_US)
        save_reference_view(connection, CAMERA, ReferenceSource.PREFLIGHT, b"new", START_US + S)
    with footage.read() as connection:
        view = load_reference_view(connection, CAMERA)
        assert load_reference_view(connection, "nobody") is None
        assert [each.picture for each in load_reference_views(connection)] == [b"other", b"new"]
        assert [each.picture for each in load_reference_views(connection, after_id=2)] == [b"new"]
    assert view is not None
    assert (view.source, view.taken_at_us) == (ReferenceSource.PREFLIGHT, START_US + S)
