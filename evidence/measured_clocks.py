"""Every clock of the site as it was last read: kiosks, room players, loudspeakers, cameras (R8).

Reads only. Nothing is measured here: kiosks and players tell their offset with every heartbeat, cameras with
their pictures, over ONVIF, or in a camera check. What has never been read is named all the same.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from sqlite3 import Connection
from typing import Final

from evidence import camera_clocks, overview, players, speakers
from evidence.day import load_rooms, load_sessions
from evidence.kiosk_states import load_beats
from evidence.kiosks import load_kiosks
from evidence.preflight import CameraPreflight, latest_preflights
from exam.clock_check import ClockKind, ClockReading, ClockSource
from exam.day import Room
from exam.players import PlayerKind, PlayerState, may_ring_alone

_KINDS: Final = {PlayerKind.PAGE: ClockKind.PAGE, PlayerKind.SPEAKER: ClockKind.SPEAKER}
NO_PLAYER: Final = "没有能响铃的设备"


def measured_clocks(exam: Connection, footage: Connection | None, now_us: int) -> list[ClockReading]:
    """The last reading of every clock but the console's own. `footage` None: no recorder ever ran here."""
    return [*_kiosks(exam), *_players(exam, now_us), *_cameras(exam, footage)]


def sounding_rooms(connection: Connection) -> list[Room]:
    """Rooms that ever sit a session."""
    rooms = load_rooms(connection)
    used = {room_id for session in load_sessions(connection) for room_id in session.room_ids}
    return [room for room_id, room in rooms.items() if room_id in used]


def _kiosks(exam: Connection) -> Iterator[ClockReading]:
    rooms, beats = load_rooms(exam), load_beats(exam)
    for kiosk in load_kiosks(exam):
        place = rooms[kiosk.room_id].label if kiosk.room_id is not None else ""
        beat = beats.get(kiosk.id)
        if beat is None:
            yield ClockReading(ClockKind.KIOSK, kiosk.label, place)
            continue
        source, read_at_us = ClockSource.HEARTBEAT, beat.heard_at_us
        yield ClockReading(ClockKind.KIOSK, kiosk.label, place, source, beat.offset_us, None, read_at_us)


def _players(exam: Connection, now_us: int) -> Iterator[ClockReading]:
    """Each device once, however many rooms it serves; a room in which nothing could ring is named."""
    by_player: dict[str, list[PlayerState]] = defaultdict(list)
    for state in players.load_players(exam, now_us):
        # A page that was closed long ago is no player any more; a loudspeaker stays one.
        if state.kind is PlayerKind.SPEAKER or may_ring_alone(state, now_us):
            by_player[state.player].append(state)
    rooms = load_rooms(exam)
    for states in by_player.values():
        yield _player(states, rooms)
    known = speakers.load_speakers(exam)
    for speaker in known:
        if speaker.uuid not in by_player:
            yield ClockReading(ClockKind.SPEAKER, speaker.label)
    served = {state.room_id for states in by_player.values() for state in states}
    for room in sounding_rooms(exam):
        if room.id not in served and not any(one.serves(room.id) for one in known):
            yield ClockReading(ClockKind.PAGE, NO_PLAYER, room.label)


def _player(states: list[PlayerState], rooms: Mapping[int, Room]) -> ClockReading:
    latest = max(states, key=lambda one: one.seen_at_us)
    places = "、".join(rooms[one.room_id].label for one in states)
    return ClockReading(
        _KINDS[latest.kind],
        latest.label,
        places if len(states) < len(rooms) or len(rooms) == 1 else "全部考场",
        ClockSource.HEARTBEAT,
        latest.offset_us,
        latest.error_us,
        latest.seen_at_us,
    )


def _cameras(exam: Connection, footage: Connection | None) -> Iterator[ClockReading]:
    checked = {} if footage is None else latest_preflights(footage)
    rooms = load_rooms(exam)
    for room_id, cameras in overview.room_cameras(exam).items():
        for camera in cameras:
            found = [] if footage is None else [*_told(footage, camera.uuid, checked.get(camera.uuid))]
            source, offset_us, error_us, at_us = max(
                found, key=lambda one: one[3], default=(ClockSource.NONE, None, None, None)
            )
            yield ClockReading(
                ClockKind.CAMERA, camera.label, rooms[room_id].label, source, offset_us, error_us, at_us
            )


def _told(
    footage: Connection, camera_uuid: str, checked: CameraPreflight | None
) -> Iterator[tuple[ClockSource, int, int | None, int]]:
    """What the camera said, by every way in which it may have: source, offset, how wrong, and when."""
    asked = camera_clocks.latest_camera_clock(footage, camera_uuid)
    if asked is not None:
        yield ClockSource(asked.source), asked.offset_us, asked.round_trip_us // 2, asked.at_us
    if checked is not None and checked.measured is not None:
        measured = checked.measured
        if measured.clock_offset_us is not None:
            at_us = checked.checked_at_us - measured.clock_age_us
            yield ClockSource(measured.clock_source), measured.clock_offset_us, None, at_us
    last = footage.execute(
        "select ended_at_us, camera_offset_us from segment where camera_uuid = ?"
        " order by started_at_us desc limit 1",
        (camera_uuid,),
    ).fetchone()
    if last is not None and last["camera_offset_us"] is not None:
        yield ClockSource.RTCP, last["camera_offset_us"], None, last["ended_at_us"]
