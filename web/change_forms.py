"""What the site lead typed about a session, as a change (`exam.changes`); every slip is said in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from exam.changes import Cancel, Change, ChangeDuration, GrantTime, MoveStart, WithdrawGrant
from exam.clock import MINUTE_US
from exam.course import SessionCourse
from exam.lost_time import undecided
from web.signed_forms import RefusedFormError, moment_on_day_of

# The fields that say which change is meant; the same ones come back when it is made.
FIELDS: Final = ("session", "kind", "to", "minutes", "room", "loss", "grant")


@dataclass(frozen=True, slots=True)
class ChangeForm:
    """The fields of one request, as text."""

    values: Mapping[str, str]

    def kept(self) -> dict[str, str]:
        """The fields that say which change is meant."""
        return {name: self.values[name] for name in FIELDS if self.values.get(name)}

    def number(self, name: str) -> int | None:
        """A whole number; None when there is none."""
        text = self.values.get(name, "").strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None

    def change(self, course: SessionCourse) -> Change:
        """The change that is meant. Raises RefusedFormError."""
        match self.values.get("kind"):
            case "start":
                return MoveStart(self._moment(course))
            case "duration":
                return ChangeDuration(self._minutes_us())
            case "cancel":
                return Cancel()
            case "grant":
                return GrantTime(self._room(course), self._minutes_us())
            case "loss":
                return self._loss(course)
            case "withdraw":
                return WithdrawGrant(self.number("grant") or 0)
        raise RefusedFormError("没有这种变更，请返回重新选择。")

    def _moment(self, course: SessionCourse) -> int:
        typed = self.values.get("to", "").strip().replace("：", ":")
        return moment_on_day_of(course.session.planned_start_us, typed, "请按 09:30 的格式填写开考时间。")

    def _minutes_us(self) -> int:
        minutes = self.number("minutes")
        if minutes is None:
            raise RefusedFormError("请填写分钟数（整数）。")
        return minutes * MINUTE_US

    def _room(self, course: SessionCourse) -> int:
        room_id = self.number("room")
        if room_id not in course.session.room_ids:
            raise RefusedFormError("请选择本场次的考场。")
        return room_id

    def _loss(self, course: SessionCourse) -> Change:
        for one in undecided(course):
            if loss_name(one.loss.room_id, one.loss.cue_code, one.loss.occurrence) == self.values.get("loss"):
                return GrantTime(one.loss.room_id, self._minutes_us(), one.loss, one.lost_us)
        raise RefusedFormError("这段时间已经有了决定，请刷新页面。")


def loss_name(room_id: int, cue_code: str, occurrence: int) -> str:
    """One loss of time, as forms name it."""
    return f"{room_id}-{cue_code}-{occurrence}"
