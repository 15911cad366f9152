from dataclasses import replace

from exam.clock import MINUTE_US, SECOND_US
from exam.course import Delay, DelayReason, SessionCourse
from exam.cues import room_cues
from exam.day import Announced
from exam.errands import NO_PLAYER, RoomFacts, visit
from exam.players import AWAY_US, PlayerState, PlayerTrouble
from exam.rounds import Errand, Visit
from exam.timetable import timetable
from tests.exam.day_with_cues import HOUR_US, PRESSED, SESSION, START_US, course, emitted, missed
from tests.exam.test_players import WELL

NOW_US = START_US - 5 * MINUTE_US
HERE = replace(WELL, seen_at_us=NOW_US)
SIGNED_IN = emitted("C2", START_US - 15 * MINUTE_US)
HEARD = frozenset({("C2", 1)})


def there(
    *announced: Announced,
    now_us: int = NOW_US,
    players: tuple[PlayerState, ...] = (HERE,),
    plan: SessionCourse | None = None,
) -> Visit:
    own = plan or course(SIGNED_IN, *announced)
    steps = timetable(room_cues(own, 1), {}, now_us, own.session.armed_at_us).steps
    alive = tuple(replace(one, seen_at_us=one.seen_at_us + now_us - NOW_US) for one in players)
    return visit(RoomFacts(own, 1, steps, HEARD, alive), now_us)


def why(found: Visit) -> list[tuple[Errand, str]]:
    return [(one.errand, one.about) for one in found.reasons]


def test_nobody_has_to_go_to_a_room_that_is_in_order() -> None:
    found = there()
    assert (found.reasons, found.room_id, found.next_us) == ((), 1, START_US)


def test_a_start_that_was_missed_or_not_heard_is_given_by_hand() -> None:
    late_us = START_US + 10 * SECOND_US
    assert why(there(missed("C5", START_US), now_us=late_us)) == [(Errand.GIVE_SIGNAL, "C5")]
    (unheard,) = there(emitted("C5", START_US), now_us=late_us).reasons
    assert (unheard.errand, unheard.since_us) == (Errand.GIVE_SIGNAL, START_US)


def test_what_is_no_start_or_stop_is_said_aloud_and_a_missed_prompt_sends_nobody() -> None:
    late_us = START_US + 31 * MINUTE_US
    silent = [emitted("C5", START_US), missed("C6", START_US + 30 * MINUTE_US)]
    assert why(there(*silent, now_us=late_us)) == []
    warned_us = START_US + 45 * MINUTE_US
    lost = [*silent, missed("C7", warned_us)]
    assert why(there(*lost, now_us=warned_us + MINUTE_US)) == [(Errand.SAY_ALOUD, "C7")]


def test_an_evacuation_that_nobody_reported_is_said_first() -> None:
    called = emitted("X2", NOW_US - 6 * SECOND_US)
    assert why(there(called)) == [(Errand.SAY_CALL, "X2")]


def test_a_station_whose_time_is_over_is_stopped() -> None:
    session = replace(SESSION, kind=PRESSED.session_kind)
    started = course(emitted("C5", START_US), procedure=PRESSED, session=session)
    delay = Delay(1, 1, 4, DelayReason.EQUIPMENT, START_US, START_US + MINUTE_US)
    ended = emitted("C8", START_US + HOUR_US)
    over = replace(started, announced=[*started.announced, ended], delays=(delay,))
    late_us = START_US + HOUR_US + 2 * MINUTE_US
    assert (Errand.STOP_STATION, "4") in why(there(plan=over, now_us=late_us))


def test_a_room_without_a_player_that_would_ring_is_gone_to() -> None:
    assert why(there(players=())) == [(Errand.NO_SOUND, NO_PLAYER)]
    away = replace(HERE, seen_at_us=NOW_US - AWAY_US - 1)
    muted = replace(HERE, seen_at_us=away.seen_at_us - 1, is_allowed=False)
    assert why(there(players=(muted, away))) == [(Errand.NO_SOUND, PlayerTrouble.AWAY)]


def test_a_player_in_trouble_is_looked_at_while_another_would_ring() -> None:
    asleep = replace(HERE, is_awake=False)
    assert why(there(players=(HERE, asleep, asleep))) == [(Errand.LOOK_AT_PLAYER, PlayerTrouble.ASLEEP)]


def test_nobody_waits_for_bells_of_a_session_that_is_not_armed_or_over() -> None:
    unarmed = course(SIGNED_IN, session=replace(SESSION, armed_at_us=None))
    assert why(there(players=(), plan=unarmed)) == []
    over = [emitted("C5", START_US), emitted("C8", START_US + HOUR_US)]
    assert why(there(*over, players=(), now_us=START_US + 2 * HOUR_US)) == []
