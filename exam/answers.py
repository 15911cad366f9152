"""The answer a candidate gets: a verdict put into the words of config/outcomes.toml.

Holds no full number and no full name, and nothing that tells why somebody is barred or doubted:
those who must go to the staff window are told only that.
"""

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields, replace
from string import Formatter
from typing import Any, Final

from exam.admission_facts import AdmissionRequest, Seat, Verdict
from exam.clock import site_time
from exam.day import PlaceKind
from exam.outcomes import Kind, Outcome

# Only these may show who and where: both documents agreed and nobody has to look.
SHOWING_KINDS: Final = frozenset({Kind.ADMITTED, Kind.INFORMED, Kind.REFUSED})


# Reasons of this form name something the candidate still has to give.
STEP_PREFIX: Final = "NEED_"
MONTHS: Final = "January February March April May June July August September October November December"


@dataclass(frozen=True, slots=True)
class OutcomeText:
    """The words for one outcome; candidate words may hold `PLACEHOLDERS`."""

    # What the candidate sees, large, and below it, and hears; in Chinese and in English.
    title: str
    line: str
    voice: str
    title_en: str
    line_en: str
    voice_en: str
    # The true reason and what to do about it, for staff alone.
    reason: str
    staff: str


@dataclass(frozen=True, slots=True)
class _Language:
    """How one language says a place, a missing document and a day."""

    places: Mapping[PlaceKind, str]
    directions: str
    ticket: str
    id_card: str
    both: str

    def missing(self, request: AdmissionRequest) -> str:
        lacking = [
            name
            for name, number in ((self.ticket, request.ticket_no), (self.id_card, request.id_number))
            if number is None
        ]
        return self.both.join(lacking)


CHINESE: Final = _Language(
    {PlaceKind.SEAT: "{}号座位", PlaceKind.STATION: "{}号工位"}, "（{}）", "准考证", "身份证", "和"
)
ENGLISH: Final = _Language(
    {PlaceKind.SEAT: "seat {}", PlaceKind.STATION: "station {}"},
    " ({})",
    "admission ticket",
    "ID card",
    " and ",
)


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
    title_en: str = ""
    line_en: str = ""
    voice_en: str = ""
    # Every NEED_ code that is still open: a kiosk may collect them in one go.
    needs: tuple[str, ...] = ()

    def to_json(self) -> str:
        """The exact text that is stored and sent, so that a repeated request gets the same bytes."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))


def read_answer(told: Mapping[str, Any]) -> Answer:
    """The answer as it came over the line; what an older console did not say yet is empty.

    Raises KeyError when it lacks what every answer says.
    """
    wanted = [one for one in fields(Answer) if one.name in told or one.default is MISSING]
    answer = Answer(**{one.name: told[one.name] for one in wanted})
    return replace(answer, needs=tuple(answer.needs))


PLACEHOLDERS: Final = frozenset(
    {"room", "place", "where", "site", "date", "start", "opens", "admitted", "missing_document"}
)


def unknown_placeholders(text: OutcomeText) -> set[str]:
    """Names in braces that nobody fills in. Staff words are shown as they are, without any."""
    shown = text.title + text.line + text.voice + text.title_en + text.line_en + text.voice_en
    return (_placeholders(shown) - PLACEHOLDERS) | _placeholders(text.reason + text.staff)


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
    chinese = _values(verdict, request, sight, CHINESE)
    english = _values(verdict, request, sight, ENGLISH)
    return Answer(
        outcome=verdict.outcome,
        kind=verdict.kind,
        title=text.title.format_map(chinese),
        line=text.line.format_map(chinese),
        voice=text.voice.format_map(chinese),
        room_label=shown.room_label if shown else "",
        place_label=shown.place_label if shown else "",
        masked_name=shown.masked_name if shown else "",
        id_tail=shown.id_tail if shown else "",
        admitted=verdict.kind is Kind.ADMITTED,
        title_en=text.title_en.format_map(english),
        line_en=text.line_en.format_map(english),
        voice_en=text.voice_en.format_map(english),
        needs=tuple(reason for reason in verdict.reasons if reason.startswith(STEP_PREFIX)),
    )


def _values(
    verdict: Verdict, request: AdmissionRequest, sight: Sight | None, language: _Language
) -> dict[str, str]:
    return {
        **dict.fromkeys(PLACEHOLDERS, ""),
        "missing_document": language.missing(request),
        "site": verdict.site,
        **_place_values(sight, language),
        **_time_values(verdict.seat),
        **_date_value(verdict.seat, language),
    }


def _place_values(sight: Sight | None, language: _Language) -> dict[str, str]:
    if sight is None:
        return {}
    place = language.places[sight.place_kind].format(sight.place_label)
    directions = language.directions.format(sight.directions) if sight.directions else ""
    return {"room": sight.room_label, "place": place, "where": f"{sight.room_label}{directions}"}


def _date_value(seat: Seat | None, language: _Language) -> dict[str, str]:
    if seat is None:
        return {}
    start = site_time(seat.sitting.planned_start_us)
    if language is CHINESE:
        return {"date": f"{start.month}月{start.day}日"}
    return {"date": f"{start.day} {MONTHS.split()[start.month - 1]}"}


def _time_values(seat: Seat | None) -> dict[str, str]:
    if seat is None:
        return {}
    sitting = seat.sitting
    start = site_time(sitting.planned_start_us)
    opens = site_time(sitting.planned_start_us - sitting.check_in_opens_us)
    times = {
        "start": f"{start:%H:%M}",
        # A shortened day opens between two minutes; then the seconds matter.
        "opens": f"{opens:%H:%M:%S}" if opens.second else f"{opens:%H:%M}",
    }
    if seat.admission is not None:
        times["admitted"] = f"{site_time(seat.admission.admitted_at_us):%H:%M}"
    return times
