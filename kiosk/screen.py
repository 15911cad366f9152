"""What the candidate screen shows for a state: words, kind and remaining time, and no full number ever.

Pure. The page draws exactly this and knows nothing else.
"""

from dataclasses import dataclass
from typing import Any, Final

from config.kiosk_screen import KioskWords
from exam.answers import Answer
from exam.outcomes import Kind, Outcome
from kiosk.maps import HeldMap
from kiosk.visit import (
    EXTENSIONS,
    Asking,
    Collecting,
    Flow,
    Idle,
    NeedsIdNumber,
    NeedsTicket,
    OutOfUse,
    Referred,
    Showing,
    ShownHint,
)

NAMES: Final[dict[type, str]] = {
    Idle: "idle",
    NeedsIdNumber: "need_id_number",
    NeedsTicket: "need_ticket",
    Asking: "asking",
    Referred: "referred",
    OutOfUse: "out_of_use",
}
NEEDS: Final = {
    Outcome.NEED_NOTICE: "need_notice",
    Outcome.NEED_PHOTO: "need_photo",
    Outcome.NEED_BAG: "need_bag",
    Outcome.NEED_SIGNATURE: "need_signature",
}
# Which shape and colour an answer has. Red is for those who cannot come in; whoever is merely early or
# at the wrong door is shown the way.
TONES: Final[dict[str, str]] = {
    Kind.ADMITTED: "good",
    Kind.INFORMED: "good",
    Kind.RETRY: "wait",
    Kind.REFERRED: "wait",
    Kind.REFUSED: "bad",
    Kind.SYSTEM: "off",
}
WAYS: Final = frozenset(
    {
        Outcome.WRONG_ROOM,
        Outcome.WRONG_SESSION,
        Outcome.WRONG_DAY,
        Outcome.WRONG_SITE,
        Outcome.TOO_EARLY,
    }
)
# Whoever gets these is to go to another room: the way there is shown.
SENT_ELSEWHERE: Final = frozenset({Outcome.WRONG_ROOM, Outcome.OK_EMERGENCY_ROOM})
# Refused here, but for a person to put right.
DESK: Final = frozenset({Outcome.WRONG_STAGE})
# Without the camera nobody can begin; whoever has shown the ticket already can finish.
NEEDS_CAMERA: Final = frozenset({"idle", "need_ticket"})


@dataclass(frozen=True, slots=True)
class Camera:
    """Whether the camera gives pictures, and if not, why; the reason is for staff."""

    works: bool
    reason: str = ""
    is_covered: bool = False
    # A hand scanner is there, so that tickets can be read without the camera.
    has_gun: bool = False


def describe(flow: Flow, camera: Camera, words: KioskWords, now_us: int) -> dict[str, Any]:
    """The screen as plain values for the page."""
    if isinstance(flow, Showing):
        says = words.said_at("outcomes", flow.answer.outcome) or words.said_at("outcomes", Outcome.NOT_JUDGED)
        shown = {**_answer(flow.answer), "is_offline": flow.is_offline, "says": says}
    elif isinstance(flow, Collecting):
        shown = _need(flow, words, now_us)
    else:
        name = NAMES[type(flow)]
        if not camera.works and name in NEEDS_CAMERA:
            name = _without_camera(camera)
        shown = {"screen": name, **words.screens[name].model_dump(), "says": words.said_at("screens", name)}
        if isinstance(flow, OutOfUse):
            shown["outcome"] = flow.outcome
    until_us: int | None = getattr(flow, "until_us", None)
    return {
        **shown,
        "hint": _hint(getattr(flow, "shown", None), words),
        "remaining_ms": None if until_us is None else max(0, (until_us - now_us) // 1000),
        "can_extend": getattr(flow, "extended", EXTENSIONS) < EXTENSIONS,
        "camera": "works" if camera.works else "lost",
        "camera_reason": camera.reason,
    }


def map_told(held: HeldMap | None) -> dict[str, Any] | None:
    """The floor plan as the page draws it; the picture comes from this machine. None: there is none."""
    if held is None:
        return None
    place = held.place
    return {
        "src": f"/local/maps/{place.sha256}",
        "width": place.width,
        "height": place.height,
        "at_x": place.at_x,
        "at_y": place.at_y,
    }


def _need(flow: Collecting, words: KioskWords, now_us: int) -> dict[str, Any]:
    name = NEEDS[flow.need]
    shown: dict[str, Any] = {"screen": name, **words.screens[name].model_dump()}
    shown["says"] = words.said_at("outcomes", flow.need)
    if flow.need is Outcome.NEED_PHOTO:
        shown["countdown_ms"] = max(0, (flow.shoot_at_us - now_us) // 1000)
    if flow.need is Outcome.NEED_NOTICE:
        shown |= {"points": words.notice.points, "points_en": words.notice.points_en}
    return shown


def _without_camera(camera: Camera) -> str:
    if camera.has_gun:
        return "use_gun"
    return "camera_covered" if camera.is_covered else "camera_lost"


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "screen": "result",
        "outcome": answer.outcome,
        "kind": answer.kind,
        "tone": _tone(answer),
        "title": answer.title,
        "line": answer.line,
        "title_en": answer.title_en,
        "line_en": answer.line_en,
        "voice": answer.voice,
        "room_label": answer.room_label,
        "place_label": answer.place_label,
        "masked_name": answer.masked_name,
        "id_tail": answer.id_tail,
        "admitted": answer.admitted,
    }


def _tone(answer: Answer) -> str:
    # An answer of a newer console that this kiosk does not know sends the candidate to a person.
    if answer.outcome in WAYS:
        return "way"
    return "wait" if answer.outcome in DESK else TONES.get(answer.kind, "wait")


def _hint(shown: ShownHint | None, words: KioskWords) -> dict[str, str] | None:
    if shown is None:
        return None
    says = words.said_at("hints", shown.hint)
    return {"code": shown.hint, **words.hints[shown.hint].model_dump(), "says": says}
