"""The proctor page: the one next step and when, the room's people on a seat map, a log in two touches.

Proctors, assessors and review chairs see the room and session of their duty; the lead may look in.
"""

from collections.abc import Mapping
from functools import cache
from itertools import groupby
from sqlite3 import Connection
from typing import Any, Final

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for
from flask_login import current_user
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug.wrappers import Response as AnyResponse

from config.log_entries import LogKind, load_log_kinds
from evidence import overview, proctor_log
from evidence.day import load_rooms, load_sessions
from evidence.proctor_log import LogEntryError, NewEntry
from exam.clock import MINUTE_US
from exam.day import Room, Session
from exam.procedure import Signal, Trigger
from exam.timetable import Step, StepState
from web.access import may_enter, require_room, roles
from web.room_view import RoomView, read_cameras, room_view, session_facts, todays_sessions
from web.services import room_topic, services
from web.signal_actions import PRESSERS, duty_roles
from web.stream import event_stream

blueprint: Final = Blueprint("proctor", __name__)

# A tablet that was offline delivers late; an entry about the future is a tablet with a wrong clock.
AHEAD_US: Final = MINUTE_US


class EntryBody(BaseModel):
    """What a tablet sends for one log entry."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    nonce: str = Field(min_length=16, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")
    kind: str = Field(max_length=32)
    text: str = Field(default="", max_length=500)
    candidate_id: int | None = None
    happened_at_us: int = Field(gt=0, lt=2**53)
    corrects_id: int | None = None


@cache
def log_kinds() -> Mapping[str, LogKind]:
    """The kinds of entries that come with the product, read once."""
    return load_log_kinds()


@blueprint.get("/proctor")
def choose() -> AnyResponse | str:
    """Straight into the only room, or the list of rooms to choose from."""
    own = _own_rooms()
    if len(own) == 1:
        session, room = own[0]
        return redirect(url_for("proctor.page", session_id=session.id, room_id=room.id))
    return render_template("proctor/choose.html", rooms=own)


@blueprint.get("/proctor/<int:session_id>/<int:room_id>")
def page(session_id: int, room_id: int) -> str:
    return render_template("proctor/page.html", kinds=log_kinds(), **_facts(session_id, room_id))


@blueprint.get("/proctor/<int:session_id>/<int:room_id>/live")
def live(session_id: int, room_id: int) -> str:
    return render_template("proctor/live.html", kinds=log_kinds(), **_facts(session_id, room_id))


@blueprint.get("/proctor/<int:session_id>/<int:room_id>/stream")
def stream(session_id: int, room_id: int) -> Response:
    require_room(session_id, room_id)
    return event_stream(room_topic(room_id))


@blueprint.post("/proctor/<int:session_id>/<int:room_id>/entries")
def add_entry(session_id: int, room_id: int) -> tuple[Response, int]:
    """Keep one log entry; a repeated request gets the entry it made before."""
    require_room(session_id, room_id, to_act=True)
    try:
        body = EntryBody.model_validate(request.get_json())
    except ValidationError:
        return _refused("记录内容不完整。")
    now_us = services().clock.wall_us()
    fault = _fault(body, now_us)
    if fault is not None:
        return _refused(fault)
    entry = NewEntry(
        session_id=session_id, room_id=room_id, account_id=current_user.account_id, **body.model_dump()
    )
    try:
        with services().exam.write() as connection:
            entry_id = proctor_log.add_entry(connection, entry, now_us)
    except LogEntryError:
        return _refused("考生不在本考场，或这条记录已经更正过。请刷新页面后再试。", 409)
    services().bus.publish(room_topic(room_id))
    return jsonify(entry_id=entry_id), 201


def _fault(body: EntryBody, now_us: int) -> str | None:
    kind = log_kinds().get(body.kind)
    if kind is None:
        return "没有这种记录。"
    if body.happened_at_us > now_us + AHEAD_US:
        return "平板时间与服务器相差过大，请刷新页面后再试。"
    return kind.fault(
        has_candidate=body.candidate_id is not None,
        text=body.text.strip(),
        is_correction=body.corrects_id is not None,
    )


def _refused(advice: str, code: int = 400) -> tuple[Response, int]:
    return jsonify(error="refused", advice=advice), code


def _own_rooms() -> list[tuple[Session, Room]]:
    with services().exam.read() as connection:
        rooms = load_rooms(connection)
        sessions = todays_sessions(connection, services().clock.wall_us())
    return [
        (session, rooms[room_id])
        for session in sessions
        for room_id in session.room_ids
        if may_enter(session.id, room_id)
    ]


def _facts(session_id: int, room_id: int) -> dict[str, Any]:
    require_room(session_id, room_id)
    states, now_us = read_cameras(services()), services().clock.wall_us()
    with services().exam.read() as connection:
        session = _session(connection, session_id, room_id)
        facts = session_facts(connection, services(), session, states)
        view = room_view(connection, facts, room_id, duty_roles(), now_us)
        seats = overview.seat_map(connection, session_id, room_id)
        entries = proctor_log.load_entries(connection, session_id, room_id)
    return {
        "view": view,
        "seat_rows": _seat_rows(seats),
        "seats": {str(seat.candidate_id): seat for seat in seats if seat.candidate_id},
        "entries": entries,
        "presses": presses(view),
    }


def _session(connection: Connection, session_id: int, room_id: int) -> Session:
    found = [one for one in load_sessions(connection) if one.id == session_id and room_id in one.room_ids]
    if not found:
        abort(404)
    return found[0]


def _seat_rows(seats: list[overview.SeatedCandidate]) -> list[list[overview.SeatedCandidate | None]]:
    """Rows from the front, with None where the grid has no place."""
    width = max((seat.grid_col for seat in seats), default=0)
    grid = []
    for _, row in groupby(seats, key=lambda seat: seat.grid_row):
        by_column = {seat.grid_col: seat for seat in row}
        grid.append([by_column.get(column) for column in range(1, width + 1)])
    return grid


def presses(view: RoomView) -> list[Step]:
    """The signals this person may give now by pressing: awaited ones, and missed ones to make good."""
    open_states = {StepState.AWAITS_PRESS, StepState.MISSED, StepState.LEFT_TO_PEOPLE}
    return [
        step
        for step in view.table.steps
        if step.room_cue.cue.is_audible
        and PRESSERS[step.room_cue.cue.trigger] & roles()
        and (step.state in open_states or _may_close_early(step))
    ]


def _may_close_early(step: Step) -> bool:
    """A chair closes the review when the last candidate has been heard, however early (Art. 15)."""
    cue = step.room_cue.cue
    is_stop = cue.trigger is Trigger.CHAIR_PRESS and cue.signal is Signal.STOP_SIGNAL
    return is_stop and step.state is StepState.PLANNED and not step.room_cue.is_projected
