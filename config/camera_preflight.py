"""Reads config/camera_preflight.toml: how cameras are checked, the limits, and the words of every finding."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from config.toml_file import read_toml
from exam.clock import SECOND_US
from exam.preflight import Limits

FILE: Final = Path(__file__).with_name("camera_preflight.toml")


class CameraPreflightError(Exception):
    """The file cannot be used; the message lists every fault with its key."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HowToCheck(_Section):
    """How long, and how many cameras at once."""

    sample_seconds: int = Field(ge=2, le=60)
    at_once: int = Field(ge=1, le=32)
    picture_width_px: int = Field(ge=160, le=3840)


class LimitNumbers(_Section):
    """The limits as people write them."""

    smallest_height_px: int = Field(gt=0)
    keyframe_warn_seconds: float = Field(gt=0)
    keyframe_fail_seconds: float = Field(gt=0)
    fewest_fps: int = Field(gt=0)
    least_bitrate_bps: int = Field(ge=0)
    most_bitrate_bps: int = Field(gt=0)
    clock_warn_seconds: float = Field(gt=0)
    copied_sound: tuple[str, ...]

    def limits(self) -> Limits:
        return Limits(
            smallest_height_px=self.smallest_height_px,
            keyframe_warn_us=round(self.keyframe_warn_seconds * SECOND_US),
            keyframe_fail_us=round(self.keyframe_fail_seconds * SECOND_US),
            fewest_fps=self.fewest_fps,
            least_bitrate_bps=self.least_bitrate_bps,
            most_bitrate_bps=self.most_bitrate_bps,
            clock_warn_us=round(self.clock_warn_seconds * SECOND_US),
            copied_sound=frozenset(self.copied_sound),
        )


class CameraPreflight(_Section):
    """The whole file. `words`: by topic and code, what was found and what to do."""

    check: HowToCheck
    limits: LimitNumbers
    words: Mapping[str, Mapping[str, tuple[str, str]]]


def read_camera_preflight(path: Path) -> CameraPreflight:
    """One file. Raises CameraPreflightError naming the file and every fault."""
    return read_toml(CameraPreflight, path, "camera preflight", CameraPreflightError)


@cache
def load_camera_preflight() -> CameraPreflight:
    """What comes with the product, read once."""
    return read_camera_preflight(FILE)
