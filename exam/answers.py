"""The answer a candidate gets: a verdict put into the words of config/outcomes.toml.

Holds no full number and no full name, and nothing that tells why somebody is barred or doubted:
those who must go to the staff window are told only that.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from string import Formatter
from typing import Final

from exam.admission import AdmissionRequest, Kind, Outcome, Seat, Verdict
from exam.clock import site_time
from exam.day import PlaceKind

PLACE_WORDS: Final = {PlaceKind.SEAT: "{}号座位", PlaceKind.STATION: "{}号工位"}
# Only these may show who and where: both documents agreed and nobody has to look.
SHOWING_KINDS: Final = frozenset({Kind.ADMITTED, Kind.INFORMED, Kind.REFUSED})


@dataclass(frozen=True, slots=True)
class OutcomeText:
    """The words for one outcome; candidate words may hold `PLACEHOLDERS`."""

    # What the candidate sees: large, and below it.
    title: str
    line: str
    # What the candidate hears.
    voice: str
    # What staff must do; empty when nothing.
    staff: str


@dataclass(frozen=True, slots=True)
class Sight:
    """What a screen may show of a candidate and his seat."""

    masked_name: str
    id_tail: str
    room_label: str
    directions: str
    place_label: str
    place_kind: PlaceKind


@dataclass(frozen=True, slots=True)
class Answer:
    """What the kiosk shows and says. The field names are those of its interface."""

    outcome: str
    kind: str
    title: str
    line: str
    voice: str
    room_label: str
    place_label: str
    masked_name: str
    id_tail: str
    admitted: bool

    def to_json(self) -> str:
        """The exact text that is stored and sent, so that a repeated request gets the same bytes."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))


PLACEHOLDERS: Final = frozenset(
    {"room", "place", "where", "date", "start", "opens", "admitted", "missing_document"}
)


def unknown_placeholders(text: OutcomeText) -> set[str]:
    """Names in braces that nobody fills in. Staff words are shown as they are, without any."""
    return (_placeholders(text.title + text.line + text.voice) - PLACEHOLDERS) | _placeholders(text.staff)


def _placeholders(words: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(words) if name is not None}


def compose(
    verdict: Verdict,
    request: AdmissionRequest,
    texts: Mapping[Outcome, OutcomeText],
    sight: Sight | None,
) -> Answer:
    """The verdict in words. `sight` describes the verdict's seat; None when it has none."""
    text = texts[verdict.outcome]
    shown = sight if verdict.kind in SHOWING_KINDS else None
    values = {
        **dict.fromkeys(PLACEHOLDERS, ""),
        "missing_document": _missing_document(request),
        **_place_values(sight),
        **_time_values(verdict.seat),
    }
    return Answer(
        outcome=verdict.outcome,
        kind=verdict.kind,
        title=text.title.format_map(values),
        line=text.line.format_map(values),
        voice=text.voice.format_map(values),
        room_label=shown.room_label if shown else "",
        place_label=shown.place_label if shown else "",
        masked_name=shown.masked_name if shown else "",
        id_tail=shown.id_tail if shown else "",
        admitted=verdict.kind is Kind.ADMITTED,
    )


def _missing_document(request: AdmissionRequest) -> str:
    missing = [
        name
        for name, number in (("准考证", request.ticket_no), ("身份证", request.id_number))
        if number is None
    ]
    return "和".join(missing)


def _place_values(sight: Sight | None) -> dict[str, str]:
    if sight is None:
        return {}
    place = PLACE_WORDS[sight.place_kind].format(sight.place_label)
    directions = f"（{sight.directions}）" if sight.directions else ""
    return {"room": sight.room_label, "place": place, "where": f"{sight.room_label}{directions}"}


def _time_values(seat: Seat | None) -> dict[str, str]:
    if seat is None:
        return {}
    sitting = seat.sitting
    start = site_time(sitting.planned_start_us)
    opens = site_time(sitting.planned_start_us - sitting.check_in_opens_us)
    times = {
        "date": f"{start.month}月{start.day}日",
        "start": f"{start:%H:%M}",
        # A shortened day opens between two minutes; then the seconds matter.
        "opens": f"{opens:%H:%M:%S}" if opens.second else f"{opens:%H:%M}",
    }
    if seat.admission is not None:
        times["admitted"] = f"{site_time(seat.admission.admitted_at_us):%H:%M}"
    return times
