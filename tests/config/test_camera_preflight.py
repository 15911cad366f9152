"""The camera preflight's limits and words: every finding has a sentence, and its figures exist."""

from pathlib import Path

import pytest

from config.camera_preflight import FILE, CameraPreflightError, load_camera_preflight, read_camera_preflight
from exam.preflight import Reach, Topic


def test_every_topic_has_words_and_every_reach_its_own() -> None:
    words = load_camera_preflight().words
    assert set(words) == {topic.value for topic in Topic}
    assert set(words["connection"]) == {reach.value for reach in Reach}


def test_the_limits_are_those_of_the_brochure() -> None:
    limits = load_camera_preflight().limits.limits()
    assert limits.smallest_height_px == 720
    assert 2_000_000 <= limits.keyframe_warn_us < limits.keyframe_fail_us
    assert "aac" in limits.copied_sound


def test_faults_are_named_with_their_keys(tmp_path: Path) -> None:
    broken = tmp_path / "camera_preflight.toml"
    broken.write_text(
        FILE.read_text(encoding="utf-8").replace("at_once = 8", "at_once = 0"), encoding="utf-8"
    )
    with pytest.raises(CameraPreflightError, match=r"check\.at_once"):
        read_camera_preflight(broken)


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "camera_preflight.toml"
    broken.write_text("[", encoding="utf-8")
    with pytest.raises(CameraPreflightError, match="cannot be read"):
        read_camera_preflight(broken)
