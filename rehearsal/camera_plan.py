"""Which cameras to simulate: a TOML or JSON file checked whole, or a few flags."""

import json
import re
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from rehearsal.camera_sound import Sound
from rehearsal.picture_counter import MINIMUM_WIDTH, BarGeometry
from rehearsal.rtsp_messages import Login

_SIZE: Final = re.compile(r"(\d{3,4})x(\d{3,4})")
SMALLEST_HEIGHT: Final = 360


class PlanError(Exception):
    """The description of the cameras cannot be used; the message lists every fault."""


class SceneKind(StrEnum):
    """What a simulated camera looks at."""

    CLASSROOM = "classroom"
    WORKSHOP = "workshop"
    VIVA_ROOM = "viva_room"
    CHECK_IN = "check_in"


class LensState(StrEnum):
    """What is wrong with a simulated camera's lens or mount."""

    CLEAR = "clear"
    COVERED = "covered"
    BLURRED = "blurred"
    MOVED = "moved"


class Codec(StrEnum):
    """How pictures are encoded. Only the first kind carries the bar with the counter."""

    H264 = "h264"
    H264_B_FRAMES = "h264_b_frames"
    H265 = "h265"


class Fault(StrEnum):
    """What can go wrong with a simulated camera while it runs."""

    DROP = "drop"
    STALL = "stall"
    FROZEN = "frozen"
    BLACK = "black"
    COVERED = "covered"
    BLURRED = "blurred"
    MOVED = "moved"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - the name of a fault
    TOO_MANY_SESSIONS = "too_many_sessions"
    NO_SENDER_REPORTS = "no_sender_reports"
    SERVICE_UNAVAILABLE = "service_unavailable"
    HANGS_UP = "hangs_up"
    GARBAGE = "garbage"
    SOUND_STOPS = "sound_stops"
    SOUND_GARBAGE = "sound_garbage"


def picture_size(text: str) -> BarGeometry:
    """Width and height from text such as 1280x720. Raises ValueError for sizes that cannot be drawn."""
    match = _SIZE.fullmatch(text)
    width, height = (int(match[1]), int(match[2])) if match else (0, 0)
    if width < MINIMUM_WIDTH or height < SMALLEST_HEIGHT or width % 16 or height % 2:
        raise ValueError(
            f"resolution {text!r}: expected WIDTHxHEIGHT of at least {MINIMUM_WIDTH}x{SMALLEST_HEIGHT}, "
            "the width a multiple of 16, the height even"
        )
    return BarGeometry(width, height)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CameraPlan(_Part):
    """One simulated camera."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", description="Name, and path of the address."
    )
    label: str = Field("", max_length=24, description="What the picture says, usually the room.")
    scene: SceneKind = Field(SceneKind.CLASSROOM, description="What the camera looks at.")
    lens: LensState = Field(LensState.CLEAR, description="What is wrong with its lens or mount.")
    view: int = Field(0, ge=0, le=99, description="Variant of the scene: corner of the room and the people.")
    port: int = Field(0, ge=0, le=65535, description="Port; 0 takes the plan's next one, or any free one.")
    user: str = Field("", pattern=r"^[A-Za-z0-9_.-]*$", description="User for digest login; empty: no login.")
    password: SecretStr = Field(SecretStr(""), description="Password for digest login.")
    resolution: str = Field("1280x720", description="Size of the picture, WIDTHxHEIGHT.")
    fps: int = Field(25, ge=1, le=60, description="Pictures per second by the camera's clock.")
    bitrate_kbps: int = Field(2000, ge=100, le=20000, description="Mean rate of the encoded loop.")
    gop_seconds: float = Field(2.0, ge=0.2, le=60, description="Seconds between keyframes.")
    clock_offset_s: float = Field(7.3, description="How far the camera's clock is ahead at start.")
    clock_drift_ppm: float = Field(
        50.0, ge=-50_000, le=50_000, description="How fast the camera's clock runs."
    )
    rtp_start: int | None = Field(
        None, ge=0, lt=1 << 32, description="First RTP timestamp; empty: from the name."
    )
    sender_reports: bool = Field(default=True, description="Whether RTCP sender reports are sent.")
    report_interval_s: float = Field(5.0, ge=0.1, le=60, description="Seconds between sender reports.")
    onvif_port: int = Field(0, ge=0, le=65535, description="Port that answers ONVIF; 0: none.")
    codec: Codec = Field(Codec.H264, description="How the pictures are encoded.")
    sound: Sound = Field(Sound.NONE, description="What the microphone sends.")
    faults: tuple[Fault, ...] = Field(default=(), description="Faults that are on from the start.")

    @field_validator("resolution")
    @classmethod
    def _size_can_be_drawn(cls, text: str) -> str:
        picture_size(text)
        return text

    @property
    def gop_frames(self) -> int:
        return max(1, round(self.gop_seconds * self.fps))

    @property
    def geometry(self) -> BarGeometry:
        return picture_size(self.resolution)

    @property
    def login(self) -> Login | None:
        return Login(self.user, self.password.get_secret_value()) if self.user else None


class SitePlan(_Part):
    """All simulated cameras of one server."""

    port: int = Field(0, ge=0, le=65535, description="Port of the first camera; 0: any free port for each.")
    loop_seconds: int = Field(12, ge=2, le=120, description="Length of the loops, a multiple of the GOP.")
    cameras: tuple[CameraPlan, ...] = Field(max_length=128, description="The cameras.")

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if not self.cameras:
            raise ValueError("no camera is described")
        names = [camera.name for camera in self.cameras]
        if len(set(names)) != len(names):
            raise ValueError("two cameras have the same name")
        for camera in self.cameras:
            if self.loop_seconds * camera.fps % camera.gop_frames:
                raise ValueError(f"{camera.name}: loop_seconds is not a multiple of gop_seconds")
        return self

    def ports(self) -> list[int]:
        """The port to ask for, for each camera in order."""
        return [
            camera.port or (self.port + index if self.port else 0)
            for index, camera in enumerate(self.cameras)
        ]


def load_plan(path: Path) -> SitePlan:
    """Read and check a TOML or JSON file. Raises PlanError naming the file and every fault."""
    try:
        text = path.read_text(encoding="utf-8")
        raw = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise PlanError(f"camera file {path}: cannot be read ({error.strerror})") from error
    except ValueError as error:  # both parsers' errors and wrong encodings
        raise PlanError(f"camera file {path}: not valid: {error}") from error
    return check_plan(raw, f"camera file {path}")


def check_plan(raw: dict[str, Any], origin: str) -> SitePlan:
    """A plan from plain values. Raises PlanError with every fault."""
    try:
        return SitePlan.model_validate(raw)
    except ValidationError as error:
        faults = [f"  {'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise PlanError(f"{origin}: {len(faults)} fault(s)\n" + "\n".join(faults)) from error
