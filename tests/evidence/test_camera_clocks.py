from pathlib import Path

from evidence.camera_clocks import ClockFound, ClockOrigin, add_camera_clock, latest_camera_clock
from tests.evidence.recorded import CAMERA, CAMERA_2
from tests.evidence.store import FIRST_US, open_footage


def test_the_latest_measurement_of_a_camera_counts(tmp_path: Path) -> None:
    old = ClockFound(CAMERA, 7_300_000, 4_000, ClockOrigin.ONVIF, FIRST_US)
    new = ClockFound(CAMERA, -200_000, 3_000, ClockOrigin.RTCP, FIRST_US + 600_000_000)
    with open_footage(tmp_path) as footage, footage.database.write() as connection:
        add_camera_clock(connection, new)
        add_camera_clock(connection, old)
        assert latest_camera_clock(connection, CAMERA) == new
        assert latest_camera_clock(connection, CAMERA_2) is None
