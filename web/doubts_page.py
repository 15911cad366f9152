"""The page 存疑: every doubt about who somebody is, and one with what people need to settle it (13(2), R7).

Two people of the room compare and sign, the site lead decides; what is pressed goes to web.check_in, and who
may press is asked of the same rule, so that nothing is offered that would be refused.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from sqlite3 import Connection
from typing import Any, Final

from flask import Blueprint, Flask, Response, abort, render_template

from config.check_in import load_check_in_words
from config.outcomes import load_outcome_texts
from evidence import check_in_history, doubt_cases
from evidence.check_in_history import PastAttempt
from evidence.check_in_pictures import is_kept
from evidence.doubt_cases import CaseRow
from evidence.file_photos import file_photo_of
from exam.clock import site_time
from exam.doubt_cases import (
    DECISIONS,
    LOOKS,
    LOOKS_NEEDED,
    CaseRefusal,
    CaseStep,
    Finding,
    NewStep,
    case_refusal,
)
from exam.identity import masked_name
from exam.signers import Signer
from web.access import LEAD, ROOM, concerns_me, roles
from web.check_in import myself
from web.kiosk_api import TOPIC
from web.services import services
from web.stream import event_stream

blueprint: Final = Blueprint("doubts", __name__, url_prefix="/doubts")

# What staff want to know of one scan, where the outcome alone does not say it.
DECIDED_BY_WORDS: Final = {"server": "", "kiosk": "离线判断", "people": "人工办理"}


@dataclass(frozen=True, slots=True)
class CaseView:
    """One doubt as people read it. `is_mine`: the next step is for the person who looks."""

    row: CaseRow
    reason: str
    act: str
    masked_name: str
    is_mine: bool

    @property
    def where(self) -> str:
        """第1考场 12号; what is known of it."""
        place = f"{self.row.place_label}号" if self.row.place_label else ""
        return " ".join(part for part in (self.row.room_label, place) if part) or "考场不明"

    @property
    def looks(self) -> int:
        return len(self.row.facts.looks)

    @property
    def needs_looks(self) -> bool:
        return self.row.facts.is_inside and self.looks < LOOKS_NEEDED

    @property
    def waits_for(self) -> str:
        """Whom it waits for, in words."""
        if self.needs_looks:
            return f"等待{LOOKS_NEEDED}人核对签字，已签{self.looks}人"
        return "等待现场负责人作出结论"


@dataclass(frozen=True, slots=True)
class PictureView:
    """A photo or signature: when and where it was taken, and whether its bytes have come."""

    sha256: str
    words: str
    is_kept: bool
    # It came with the roster, before the day.
    is_filed: bool = False


@blueprint.get("")
def page() -> str:
    return render_template("doubts/page.html", **_listing())


@blueprint.get("/live")
def live() -> str:
    return render_template("doubts/live.html", **_listing())


@blueprint.get("/stream")
def stream() -> Response:
    return event_stream(TOPIC)


@blueprint.get("/<int:case_id>")
def case(case_id: int) -> str:
    return render_template("doubts/case.html", **_one(case_id))


@blueprint.get("/<int:case_id>/live")
def live_case(case_id: int) -> str:
    return render_template("doubts/live.html", **_one(case_id))


def open_count() -> int:
    """How many open doubts concern the person who asks."""
    if not roles() & (ROOM | LEAD):
        return 0
    with services().exam.read() as connection:
        places = doubt_cases.open_places(connection)
    return sum(concerns_me(session_id, room_id) for session_id, room_id in places)


def install(app: Flask) -> None:
    """Let every page count the open doubts."""

    @app.context_processor
    def about() -> dict[str, object]:
        return {"open_doubts": open_count}


def _listing() -> dict[str, Any]:
    """The open ones of any day, oldest first; the closed ones of today, the latest first."""
    with services().exam.read() as connection:
        found = doubt_cases.load_cases(connection)
    me = myself()
    mine = [_view(one, me) for one in found if concerns_me(one.facts.session_id, one.facts.room_id)]
    today = site_time(services().clock.wall_us()).date()
    closed = [
        one for one in mine if one.row.facts.decision and site_time(_decided_at(one.row)).date() == today
    ]
    return {
        "cases": [one for one in mine if one.row.facts.is_open],
        "closed": sorted(closed, key=lambda one: _decided_at(one.row), reverse=True),
        "words": load_check_in_words(),
        "looks_needed": LOOKS_NEEDED,
    }


def _decided_at(row: CaseRow) -> int:
    return row.steps[-1].recorded_at_us


def _one(case_id: int) -> dict[str, Any]:
    with services().exam.read() as connection:
        found = doubt_cases.load_cases(connection, [case_id])
        if not found:
            abort(404)
        row = found[0]
        if not concerns_me(row.facts.session_id, row.facts.room_id):
            abort(403)
        attempts = _attempts(connection, row)
        pictures = [*_filed(connection, row), *_pictures(connection, row, attempts)]
    me = myself()
    return {
        "view": _view(row, me),
        "attempts": attempts,
        "pictures": pictures,
        "offers": _offers(row, me),
        "words": load_check_in_words(),
        "texts": load_outcome_texts(),
        "decided_by": DECIDED_BY_WORDS,
        "looks": [one for one in Finding if one in LOOKS],
        "decisions": [one for one in Finding if one in DECISIONS],
    }


def _attempts(connection: Connection, row: CaseRow) -> list[PastAttempt]:
    if row.candidate_id is None:
        return []
    return check_in_history.load_attempts(connection, row.facts.session_id, row.candidate_id)


def _filed(connection: Connection, row: CaseRow) -> Iterator[PictureView]:
    """The photo of the registration, with which all others are compared."""
    photo = None if row.candidate_id is None else file_photo_of(connection, row.candidate_id)
    if photo is not None:
        yield PictureView(photo, "花名册照片", is_kept=True, is_filed=True)


def _pictures(connection: Connection, row: CaseRow, attempts: Iterable[PastAttempt]) -> Iterable[PictureView]:
    """Everybody who was taken for this candidate, and what belongs to the case."""
    told = {one.photo: f"{site_time(one.at_us):%H:%M:%S} {one.kiosk_label}" for one in attempts if one.photo}
    for digest in dict.fromkeys([*told, *row.photos]):
        yield PictureView(digest, told.get(digest, "登记存疑时拍摄"), is_kept(connection, digest))


def _offers(row: CaseRow, me: Signer) -> dict[CaseStep, CaseRefusal | None]:
    """For each step, why this person may not take it now; None: he may."""
    tried = {
        CaseStep.LOOKED: Finding.SAME,
        CaseStep.DECIDED: Finding.CONFIRMED,
        CaseStep.REOPENED: Finding.NONE,
    }
    return {step: case_refusal(row.facts, NewStep(step, finding, me, "-")) for step, finding in tried.items()}


def _view(row: CaseRow, me: Signer) -> CaseView:
    text = load_outcome_texts()[row.facts.reason]
    view = CaseView(row, text.reason, text.staff, masked_name(row.candidate_name), is_mine=False)
    next_step = CaseStep.LOOKED if view.needs_looks else CaseStep.DECIDED
    return replace(view, is_mine=_offers(row, me)[next_step] is None)
