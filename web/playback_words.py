"""The playback timeline as JSON for the page, every code with its words."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from config.footage_words import load_footage_words
from config.log_entries import LogKind, load_log_kinds
from config.picture_health import load_picture_health
from evidence.coverage import Part
from evidence.health import HealthChange
from evidence.timeline import Mark, MarkKind
from web.services import services

# The legend of the page; shapes and colours stand in its stylesheet.
KIND_WORDS: Final[Mapping[MarkKind, str]] = {
    MarkKind.ADMITTED: "签到入场",
    MarkKind.REFERRED: "转人工",
    MarkKind.REFUSED: "未准入场",
    MarkKind.NOTED: "签到过程",
    MarkKind.SIGNAL: "播报",
    MarkKind.MISSED_SIGNAL: "漏播",
    MarkKind.LOG_ENTRY: "监考日志",
}
CHECKINS: Final = frozenset({MarkKind.ADMITTED, MarkKind.REFERRED, MarkKind.REFUSED, MarkKind.NOTED})


@cache
def _log_kinds() -> Mapping[str, LogKind]:
    return load_log_kinds()


def part_json(part: Part) -> dict[str, object]:
    """One stretch of a camera's time; `words` say why there is no picture and are empty for footage."""
    words = load_footage_words()
    said = words.causes.get(part.reason) or words.parts.get(part.reason, part.cause or "")
    if part.register:
        said = f"{said}（{part.register}）"
    return {"kind": part.kind, "from_us": part.from_us, "until_us": part.until_us, "words": said}


def trouble_json(change: HealthChange, now_us: int) -> dict[str, object]:
    """A stretch in which the picture itself was in trouble; one that lasts reaches until now."""
    until_us = now_us if change.ended_at_us is None else change.ended_at_us
    words = load_picture_health().words[change.kind]
    return {"kind": change.kind, "from_us": change.began_at_us, "until_us": until_us, "words": words.word}


def marks_json(marks: Sequence[Mark]) -> list[dict[str, object]]:
    """The marks, oldest first, each with a title and a line of text."""
    return [
        {
            "id": mark.id,
            "kind": mark.kind,
            "kind_words": KIND_WORDS[mark.kind],
            "at_us": mark.moment_us,
            "title": _title(mark),
            "text": _text(mark),
        }
        for mark in marks
    ]


def _title(mark: Mark) -> str:
    if mark.kind in CHECKINS:
        return mark.person or "未识别的考生"
    if mark.kind is MarkKind.LOG_ENTRY:
        kind = _log_kinds().get(mark.code)
        return kind.word if kind else mark.code
    procedure = services().procedures.get(mark.procedure_code)
    titles = {cue.code: cue.title for cue in procedure.cues} if procedure else {}
    return titles.get(mark.code, mark.code)


def _text(mark: Mark) -> str:
    place = f"{mark.place}号" if mark.place else ""
    if mark.kind in CHECKINS:
        return " ".join(filter(None, [place, mark.text]))
    correction = "更正" if mark.corrects else ""
    return " ".join(filter(None, [correction, place, mark.person, mark.text]))
