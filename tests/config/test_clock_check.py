"""Tolerances and words of the clock check: whole, and in step with what the devices themselves do."""

from pathlib import Path

import pytest

from config.admission import load_admission_policy
from config.camera_preflight import load_camera_preflight
from config.clock_check import FILE, ClockCheckError, load_clock_check, read_clock_check
from exam.clock import SECOND_US
from exam.clock_check import ClockKind, Counted
from exam.players import CLOCK_LIMIT_US


def changed(folder: Path, old: str, new: str) -> Path:
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    broken = folder / "clock_check.toml"
    broken.write_text(text.replace(old, new, 1), encoding="utf-8")
    return broken


def test_the_check_is_no_more_patient_than_the_devices_and_rules() -> None:
    found = load_clock_check().all_tolerances()
    assert found[ClockKind.CONSOLE].within_us == SECOND_US  # domain rule A-1
    assert found[ClockKind.KIOSK].within_us == load_admission_policy(None).clock_skew_us
    assert found[ClockKind.CAMERA].within_us == load_camera_preflight().limits.limits().clock_warn_us
    for kind in (ClockKind.PAGE, ClockKind.SPEAKER):
        assert (found[kind].within_us, found[kind].counted) == (CLOCK_LIMIT_US, Counted.ERROR)


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    broken = changed(tmp_path, 'within = "1 s"', 'within = "soon"')
    broken.write_text(
        broken.read_text(encoding="utf-8").replace('counts = "error"', 'counts = "mood"'), encoding="utf-8"
    )
    with pytest.raises(ClockCheckError, match="3 fault") as raised:
        read_clock_check(broken)
    assert "tolerances.console.within" in str(raised.value)


def test_a_verdict_without_advice_is_refused(tmp_path: Path) -> None:
    broken = changed(tmp_path, "[advice.camera]\nwrong = ", "[advice.camera]\nright = ")
    with pytest.raises(ClockCheckError, match=r"missing: advice\.camera\.wrong"):
        read_clock_check(broken)


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClockCheckError, match="cannot be read"):
        read_clock_check(changed(tmp_path, "[tolerances.console]", "["))
