"""The rooms' players as people see them: which are there, what is wrong, who heard the test tone where.

Players say every few seconds how they are (docs/design/signals.md). Only a person in the room can hear
whether a loudspeaker really sounds: 试音 the day before, confirmed with a name (rule A-8).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any, Final

from flask import Blueprint, Response, abort, jsonify, render_template, request
from flask_login import current_user

from evidence import players, speakers
from evidence.day import load_rooms
from evidence.measured_clocks import sounding_rooms
from evidence.players import Heard, SoundCheck
from evidence.speakers import Speaker
from exam.day import Room
from exam.enrolment import VALID_US, EnrolmentText
from exam.players import (
    CHECK_LASTS_US,
    PlayerKind,
    PlayerState,
    can_ring,
    player_troubles,
)
from web.errand_words import TROUBLE_WORDS
from web.heartbeats import HeartbeatError, read_heartbeat
from web.quiet_rooms import room_may_test
from web.services import ANY_TOPIC, room_topic, services
from web.signals import room_by_code, room_day
from web.stream import event_stream
from web.tls import fingerprint

blueprint: Final = Blueprint("players", __name__)

KIND_WORDS: Final[Mapping[PlayerKind, str]] = {PlayerKind.PAGE: "网页", PlayerKind.SPEAKER: "音箱"}
TOO_NEAR: Final = "本考场即将开考或正在考试，不能试音。"


@dataclass(frozen=True, slots=True)
class PlayerView:
    """One player with its troubles in words."""

    state: PlayerState
    troubles: tuple[str, ...]
    is_able: bool

    @property
    def kind_word(self) -> str:
        return KIND_WORDS[self.state.kind]

    @property
    def measure_ms(self) -> int | None:
        return None if self.state.error_us is None else round(self.state.error_us / 1000)


@dataclass(frozen=True, slots=True)
class RoomSound:
    """One room: its players and the last word of a person about its sound."""

    room: Room
    players: tuple[PlayerView, ...]
    check: SoundCheck | None
    may_test: bool

    @property
    def is_heard(self) -> bool:
        return self.check is not None and self.check.outcome is Heard.HEARD

    @property
    def can_ring(self) -> bool:
        return any(player.is_able for player in self.players)


@blueprint.get("/players")
def page() -> str:
    return render_template("players/page.html", **_facts())


@blueprint.get("/players/live")
def live() -> str:
    return render_template("players/live.html", **_facts())


@blueprint.get("/players/stream")
def stream() -> Response:
    return event_stream(ANY_TOPIC)


@blueprint.post("/api/rooms/<code>/players")
def beat(code: str) -> Response:
    """One player of the room says how it is."""
    room = room_day(code).room
    now_us = services().clock.wall_us()
    try:
        state = read_heartbeat(request.get_json(), room.id, PlayerKind.PAGE, now_us)
    except HeartbeatError as error:
        abort(400, description=str(error))
    keep_states([state])
    return jsonify(seen_at_us=now_us)


@blueprint.post("/api/sound-tests")
def test_everywhere() -> tuple[Response, int]:
    """The test tone in every room, or those the body names, where no exam is near."""
    named = request.get_json().get("rooms") if request.content_length else None
    with services().exam.read() as connection:
        rooms = [room for room in sounding_rooms(connection) if named is None or room.code in named]
    return _ordered(rooms)


@blueprint.post("/api/rooms/<code>/sound-tests")
def test_room(code: str) -> tuple[Response, int]:
    return _ordered([room_day(code).room])


@blueprint.post("/api/rooms/<code>/sound-checks")
def check(code: str) -> tuple[Response, int]:
    """A person in the room says whether the test tone was heard."""
    room = room_day(code).room
    told = request.get_json()
    if not isinstance(told, dict) or told.get("outcome") not in set(Heard):
        abort(400)
    now_us = services().clock.wall_us()
    kept = SoundCheck(room.id, current_user.account_id, Heard(told["outcome"]), now_us)
    with services().exam.write() as connection:
        players.keep_check(connection, kept)
    services().bus.publish(room_topic(room.id))
    return jsonify(outcome=kept.outcome, checked_at_us=now_us, by=current_user.display_name), 200


@blueprint.post("/api/speakers")
def invite() -> Response:
    """A one-time code for a loudspeaker program: for the rooms named, or for all."""
    told = request.get_json()
    label = told.get("label") if isinstance(told, dict) else None
    if not isinstance(label, str) or not 0 < len(label.strip()) <= 40:
        abort(400)
    rooms = [room_by_code(str(code)).id for code in told.get("rooms") or ()]
    now_us = services().clock.wall_us()
    with services().exam.write() as connection:
        code = speakers.invite(connection, label.strip(), rooms or None, now_us)
    services().bus.publish(ANY_TOPIC)
    return jsonify(code=_text(code).to_line(), until_us=now_us + VALID_US)


@blueprint.post("/api/speakers/<int:speaker_id>/revoke")
def revoke(speaker_id: int) -> Response:
    with services().exam.write() as connection:
        speakers.revoke(connection, speaker_id, services().clock.wall_us())
    services().bus.publish(ANY_TOPIC)
    return jsonify(revoked=speaker_id)


def _text(code: str) -> EnrolmentText:
    """What is pasted at the device: where the console is, the code, and whom to trust there."""
    authority = services().settings.keys_folder / "ca.crt"
    known = fingerprint(authority) if request.is_secure else ""
    return EnrolmentText(request.host_url.rstrip("/"), code, known)


def keep_states(states: list[PlayerState]) -> None:
    """Keep the heartbeats; pages look again when one of them shows a trouble that is new, or gone."""
    now_us = services().clock.wall_us()
    with services().exam.write() as connection:
        before = [players.load_player(connection, one.room_id, one.player) for one in states]
        players.keep_heartbeats(connection, states)
    for state, known in zip(states, before, strict=True):
        if known is None or _differ(known, state, now_us):
            services().bus.publish(room_topic(state.room_id))


def room_sounds(connection: Connection, now_us: int) -> list[RoomSound]:
    """Every room in which something can sound or should: its players, and who heard it last."""
    by_room: dict[int, list[PlayerView]] = defaultdict(list)
    for state in players.load_players(connection, now_us):
        words = tuple(TROUBLE_WORDS[one] for one in player_troubles(state, now_us))
        by_room[state.room_id].append(PlayerView(state, words, can_ring(state, now_us)))
    checks = players.last_checks(connection, now_us - CHECK_LASTS_US)
    return [
        RoomSound(
            room,
            tuple(by_room.get(room.id, ())),
            checks.get(room.id),
            room_may_test(connection, room.id, now_us),
        )
        for room in sounding_rooms(connection)
    ]


def _differ(before: PlayerState, after: PlayerState, now_us: int) -> bool:
    same = player_troubles(before, now_us) == player_troubles(after, now_us)
    return not same or before.played_key != after.played_key


def _ordered(rooms: Iterable[Room]) -> tuple[Response, int]:
    answers: dict[str, Any] = {}
    now_us = services().clock.wall_us()
    wanted = list(rooms)
    with services().exam.write() as connection:
        for room in wanted:
            if not room_may_test(connection, room.id, now_us):
                answers[room.code] = {"outcome": "exam_near", "advice": TOO_NEAR}
                continue
            test = players.order_test(connection, room.id, current_user.account_id, now_us)
            answers[room.code] = {"outcome": "ordered", "sounds_at_us": test.sounds_at_us}
    for room in wanted:
        services().bus.publish(room_topic(room.id))
    is_any = any(one["outcome"] == "ordered" for one in answers.values())
    return jsonify(rooms=answers, advice="" if is_any else TOO_NEAR), 200 if is_any else 409


def _facts() -> dict[str, Any]:
    now_us = services().clock.wall_us()
    with services().exam.read() as connection:
        sounds = room_sounds(connection, now_us)
        known = speakers.load_speakers(connection)
        labels = {room.id: room.label for room in load_rooms(connection).values()}
    return {
        "sounds": sounds,
        "heard": [one for one in sounds if one.is_heard],
        "speakers": [(speaker, _where(speaker, labels)) for speaker in known],
    }


def _where(speaker: Speaker, labels: Mapping[int, str]) -> str:
    if speaker.serves_all:
        return "全部考场"
    return "、".join(labels[room_id] for room_id in sorted(speaker.room_ids))
