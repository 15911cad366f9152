"""Limits and words of picture health, and how thumbnails are kept: picture_health.toml, checked whole."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

PICTURE_HEALTH_FILE: Final = Path(__file__).with_name("picture_health.toml")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(_Part):
    """From where on a picture is in trouble. Shares are 0 to 1."""

    look_every_s: float = Field(gt=0)
    hold_s: float = Field(gt=0)
    frozen_hold_s: float = Field(gt=0)
    clear_s: float = Field(gt=0)
    black_dark_share: float = Field(gt=0, le=1)
    covered_detail_kept: float = Field(ge=0, lt=1)
    covered_detail: float = Field(ge=0, lt=1)
    frozen_same_share: float = Field(gt=0, le=1)
    blurred_sharpness: float = Field(gt=0, lt=1)
    far_blurred_sharpness: float = Field(gt=0, lt=1)
    moved_likeness: float = Field(gt=0, lt=1)
    slow_pictures_share: float = Field(gt=0, lt=1)
    thin_stream_share: float = Field(gt=0, lt=1)
    rare_keyframes_times: float = Field(gt=1)
    rare_keyframes_s: float = Field(gt=0)


class ThumbnailRules(_Part):
    """How often, how large and how long."""

    every_s: float = Field(ge=2, le=10)
    jpeg_quality: int = Field(ge=20, le=95)
    keep_days: int = Field(ge=1)
    spare_mib: int = Field(ge=0)


class TroubleWords(_Part):
    """What a trouble is called, and what people do about it."""

    word: str = Field(min_length=1)
    act: str = Field(min_length=1)


class PictureHealth(_Part):
    """The whole file."""

    limits: Limits
    thumbnails: ThumbnailRules
    words: dict[str, TroubleWords]


@cache
def load_picture_health() -> PictureHealth:
    """Limits, thumbnail rules and words by HealthKind. Raises ValueError naming every fault."""
    return PictureHealth.model_validate(tomllib.loads(PICTURE_HEALTH_FILE.read_text(encoding="utf-8")))
