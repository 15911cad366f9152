"""What a player may say of itself, checked: the body of a heartbeat (docs/design/signals.md)."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from exam.players import PlayerKind, PlayerState

_Moment = Annotated[int, Field(gt=0, lt=2**53)]
_Length = Annotated[int, Field(gt=-(2**53), lt=2**53)]
_Count = Annotated[int, Field(ge=0, le=10_000)]


class HeartbeatError(Exception):
    """The body is not a heartbeat."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Played(_Table):
    key: str = Field(min_length=1, max_length=120)
    at_us: _Moment | None
    error: str = Field(max_length=80)


class _Measured(_Table):
    offset_us: _Length
    error_us: int = Field(ge=0, lt=2**53)


class _Heartbeat(_Table):
    player: str = Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")
    label: str = Field(default="", max_length=80)
    clock: _Measured | None
    audio_ready: _Count
    audio_wanted: _Count
    allowed: bool
    awake: bool
    output: bool
    audible: bool | None
    played: _Played | None


def read_heartbeat(body: object, room_id: int, kind: PlayerKind, now_us: int) -> PlayerState:
    """The state of one player in one room. Raises HeartbeatError."""
    try:
        told = _Heartbeat.model_validate(body)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise HeartbeatError("; ".join(faults)) from error
    return PlayerState(
        room_id=room_id,
        player=told.player,
        kind=kind,
        label=told.label,
        seen_at_us=now_us,
        offset_us=told.clock.offset_us if told.clock else None,
        error_us=told.clock.error_us if told.clock else None,
        audio_ready=told.audio_ready,
        audio_wanted=told.audio_wanted,
        is_allowed=told.allowed,
        is_awake=told.awake,
        has_output=told.output,
        is_audible=told.audible,
        played_key=told.played.key if told.played else None,
        played_at_us=told.played.at_us if told.played else None,
        played_error=told.played.error if told.played else "",
    )
