"""What a camera is doing, in words with a shape: red only when somebody must go there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from config.picture_health import load_picture_health
from evidence.footage import CameraState, Cause, Recording
from evidence.health import HealthChange
from evidence.overview import RoomCamera
from exam.clock import SECOND_US

# The recorder rewrites every state each two seconds; silence this long means it does not run.
STALE_US: Final = 10 * SECOND_US

_WORDS: Final[Mapping[Recording, tuple[str, str, str]]] = {
    Recording.RECORDING: ("recording", "recording", "录像中"),
    Recording.CONNECTING: ("wait", "wait", "正在连接"),
    Recording.STALLED: ("bad", "bad", "画面中断"),
    Recording.DOWN: ("bad", "bad", "未录像"),
    Recording.STOPPED: ("off", "off", "已停止"),
    Recording.STANDBY: ("off", "wait", "待命"),
}
_CAUSES: Final[Mapping[Cause, str]] = {
    Cause.UNREACHABLE: "连接不上",
    Cause.UNAUTHORIZED: "密码不对",
    Cause.REFUSED: "被拒绝",
    Cause.STALLED: "没有画面",
    Cause.CAMERA_CLOSED: "摄像机断开",
    Cause.DISK_FULL: "存储已满",
    Cause.DISK_FAULT: "存储故障",
    Cause.DISK_MISSING: "证据卷未就绪",
}


@dataclass(frozen=True, slots=True)
class CameraView:
    """One camera as a person reads it. `since_us` is None when nobody knows since when."""

    label: str
    kind: str
    shape: str
    word: str
    since_us: int | None
    # What people do about it; empty when the word says enough.
    act: str = ""

    @property
    def is_alarm(self) -> bool:
        """Whether a person must act."""
        return self.kind == "bad"


def camera_view(
    camera: RoomCamera, state: CameraState | None, now_us: int, troubles: Sequence[HealthChange] = ()
) -> CameraView:
    """The camera's state; a state that nobody refreshed is no news, and said so.

    Of a camera that records, the oldest trouble of its pictures counts, with what to do about it.
    """
    if state is None:
        return CameraView(camera.label, "bad", "off", "没有录像", None)
    if now_us - state.updated_at_us > STALE_US:
        return CameraView(camera.label, "bad", "off", "录像服务无响应", state.updated_at_us)
    if state.state is Recording.RECORDING and troubles:
        words = load_picture_health().words[troubles[0].kind]
        return CameraView(camera.label, "bad", "bad", words.word, troubles[0].began_at_us, words.act)
    kind, shape, word = _WORDS[state.state]
    cause = _CAUSES.get(state.cause) if state.cause is not None and kind == "bad" else None
    return CameraView(camera.label, kind, shape, f"{word}（{cause}）" if cause else word, state.since_us)
