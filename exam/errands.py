"""What is wrong with the signals of one room now, as reasons for somebody to go there (rules A-2 and A-6).

Pure. `exam.rounds` orders the rooms by these; pages say them in words, with what to do instead.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from exam.course import SessionCourse
from exam.players import PlayerState, can_ring, player_troubles
from exam.procedure import Cue, Signal
from exam.room_alarms import Sounded, forgotten_stations, missed, unheard, unheard_calls
from exam.room_times import room_times
from exam.rounds import Errand, Reason, Visit
from exam.timetable import AHEAD, Step

_START_AND_STOP = frozenset({Signal.START_SIGNAL, Signal.STOP_SIGNAL})
# No player of the room was heard of within a day.
NO_PLAYER = "no_player"


@dataclass(frozen=True, slots=True)
class RoomFacts:
    """One room of a session: its steps, what its players say they sounded, and how they are.

    `players` are those of the room in which its people are now.
    """

    course: SessionCourse
    room_id: int
    steps: Sequence[Step]
    heard: Collection[Sounded]
    players: Sequence[PlayerState]


def visit(facts: RoomFacts, now_us: int) -> Visit:
    """Everything that is wrong there, and when the room's next signal is due."""
    reasons = (*_signals(facts, now_us), *_stations(facts, now_us), *_players(facts, now_us))
    return Visit(facts.course.session.id, facts.room_id, reasons, _next_us(facts))


def _signals(facts: RoomFacts, now_us: int) -> Iterator[Reason]:
    silent = [*missed(facts.steps), *unheard(facts.steps, facts.heard, now_us)]
    for step in silent:
        cue = step.room_cue.cue
        if cue.is_audible:
            yield Reason(_errand(cue), cue.code, step.room_cue.planned_at_us)
    announced = facts.course.announced_in(facts.room_id)
    for one in unheard_calls(facts.course.procedure, announced, facts.heard, now_us):
        yield Reason(Errand.SAY_CALL, one.cue_code, one.emitted_at_us)


def _errand(cue: Cue) -> Errand:
    return Errand.GIVE_SIGNAL if cue.signal in _START_AND_STOP else Errand.SAY_ALOUD


def _stations(facts: RoomFacts, now_us: int) -> Iterator[Reason]:
    for one in forgotten_stations(room_times(facts.course, facts.room_id), now_us):
        yield Reason(Errand.STOP_STATION, str(one.place_id), one.ends_at_us)


def _players(facts: RoomFacts, now_us: int) -> Iterator[Reason]:
    """Only of an armed session: nobody waits for a bell of one that is not."""
    if facts.course.session.armed_at_us is None or _next_us(facts) is None:
        return
    troubled = [(one, player_troubles(one, now_us)) for one in facts.players]
    if not troubled:
        yield Reason(Errand.NO_SOUND, NO_PLAYER, None)
    elif not any(can_ring(one, now_us) for one, _ in troubled):
        one, troubles = max(troubled, key=lambda each: each[0].seen_at_us)
        yield Reason(Errand.NO_SOUND, troubles[0], one.seen_at_us)
    else:
        for about in sorted({trouble for _, troubles in troubled for trouble in troubles}):
            yield Reason(Errand.LOOK_AT_PLAYER, about, None)


def _next_us(facts: RoomFacts) -> int | None:
    ahead = [
        step.room_cue.planned_at_us
        for step in facts.steps
        if step.state in AHEAD and step.room_cue.cue.is_audible
    ]
    return min(ahead, default=None)
