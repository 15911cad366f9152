"""The roving list (巡视清单): where somebody must go now, why, and what to do there without a loudspeaker."""

from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, render_template

from exam.rounds import Errand, Visit, rounds
from web.errand_words import ReasonWords, reason_words
from web.overview_page import todays_views
from web.room_view import RoomView
from web.services import ANY_TOPIC, services
from web.stream import event_stream

blueprint: Final = Blueprint("rounds", __name__)

# From here on the room's people themselves still hear the next signal.
_CALM: Final = frozenset({Errand.LOOK_AT_PLAYER})


@dataclass(frozen=True, slots=True)
class RoomVisit:
    """One room of the list."""

    view: RoomView
    visit: Visit

    @property
    def reasons(self) -> list[ReasonWords]:
        return [reason_words(one, self.view.procedure) for one in self.visit.reasons]

    @property
    def is_urgent(self) -> bool:
        return self.visit.urgency not in _CALM


@blueprint.get("/rounds")
def page() -> str:
    return render_template("rounds/page.html", **_facts())


@blueprint.get("/rounds/live")
def live() -> str:
    return render_template("rounds/live.html", **_facts())


@blueprint.get("/rounds/stream")
def stream() -> Response:
    return event_stream(ANY_TOPIC)


def _facts() -> dict[str, Any]:
    views = {(view.session.id, view.room.id): view for session in todays_views() for view in session.rooms}
    ordered = rounds([view.visit for view in views.values()], services().clock.wall_us())
    return {"visits": [RoomVisit(views[one.session_id, one.room_id], one) for one in ordered]}
