import pytest

from evidence.naming import NamingError, SegmentName, growing_pattern, read_name
from tests.evidence.recorded import CAMERA, RUN


def test_a_growing_file_is_named_by_camera_run_and_sequence() -> None:
    name = SegmentName(CAMERA, RUN, 7)
    assert name.path() == f"growing/{CAMERA}_{RUN}_000007.mp4"
    assert growing_pattern(CAMERA, RUN) % 7 == name.file_name()


def test_a_complete_file_carries_its_start_and_lies_in_the_folder_of_its_utc_day() -> None:
    name = SegmentName(CAMERA, RUN, 7, 1_795_309_200_000_001)
    assert name.path() == f"footage/2026-11-22/{CAMERA}_{RUN}_000007_1795309200000001.mp4"


@pytest.mark.parametrize("name", [SegmentName(CAMERA, RUN, 0), SegmentName(CAMERA, RUN, 1_234_567, 99)])
def test_a_name_is_read_back_as_it_was_given(name: SegmentName) -> None:
    assert read_name(name.file_name()) == name


@pytest.mark.parametrize(
    "foreign", ["notes.txt", f"{CAMERA}_{RUN}_1.mp4", f"{CAMERA}_000001.mp4", "lost+found"]
)
def test_a_foreign_name_is_refused(foreign: str) -> None:
    with pytest.raises(NamingError, match="not a footage file"):
        read_name(foreign)
