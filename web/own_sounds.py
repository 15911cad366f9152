"""播报声音: what rooms hear of every announcement, and the site's own recordings in place of rendered speech.

A recording is checked and made as loud as everything else, listened to and confirmed by another person, and
then stands in for the speech of its text in every schedule; players fetch it beforehand like any other sound.
Taking it back brings the rendered speech back. What an armed session sounds is not changed under it (ADR 23).
"""

import hashlib
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final

import structlog
from flask import (
    Blueprint,
    Flask,
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_login import current_user
from werkzeug.wrappers import Response

from evidence.accounts import load_signer
from evidence.courses import load_course
from evidence.day import load_rooms, load_sessions
from evidence.own_recordings import (
    NewRecording,
    OwnRecording,
    RecordingAct,
    Spoken,
    decide,
    keep_recording,
    load_recording,
    load_spoken,
    text_digest,
)
from exam.clock import SECOND_US
from exam.course import SessionCourse
from exam.own_recordings import RecordingRefusal, armed_with, confirm_refusal, take_back_refusal
from exam.signers import NOBODY, is_same_person
from web.audio import (
    AUDIO_EXTENSION,
    RENDERED_EXTENSION,
    AudioError,
    AudioLibrary,
    CueAudio,
    prepare_recording,
    running_in,
)
from web.limits import FAILURES, is_failure, limiter
from web.services import ANY_TOPIC, Services, room_topic, services
from web.signed_forms import RefusedFormError, second_person
from web.sounds import RATE, SoundError, from_wav
from web.uploaded_sound import UploadedSoundError, made_playable

blueprint: Final = Blueprint("own_sounds", __name__)

ACT: Final = "确认自己上传的录音"
UNCHANGED: Final = "没有改变任何声音"
UNDONE: Final = f"{UNCHANGED}。"
REFUSAL_WORDS: Final[Mapping[RecordingRefusal, str]] = {
    RecordingRefusal.NO_SOUND_FILE: (
        "这个文件不是可以播放的录音。请上传 MP3、M4A、WAV、OGG 或 FLAC 格式的录音。"
    ),
    RecordingRefusal.TOO_SHORT: "录音太短，不到半秒。请检查是否选错了文件。",
    RecordingRefusal.TOO_LONG: "录音超过5分钟。请剪短后再上传。",
    RecordingRefusal.SILENT: "录音里几乎没有声音。请检查话筒，重新录制。",
    RecordingRefusal.SAME_PERSON: (
        "上传的人不能自己确认。请另一名工作人员从头听到尾，由他本人确认。"
        "没有证卡号的账户不能证明是另一人，请用有证卡号的账户上传和确认。"
    ),
    RecordingRefusal.RUNS_INTO_NEXT: "录音太长，下一个信号到时还没有播完。请读得紧凑一些，重新录制。",
    RecordingRefusal.ARMED: "要用到这段声音的场次已经启用自动信号，不能再换。请在该场次结束后再确认。",
    RecordingRefusal.SOUNDS_SOON: "这段声音一分钟之内就要播放，现在不能更换。请等它播完。",
}
# Texts whose confirmed recording could not be used when sounds were laid.
UNUSABLE_EXTENSION: Final = "kaochang.unusable_recordings"
_log: Final = structlog.get_logger("sounds")

CHANGED_WORDS: Final = "这段录音的情况已变化。请看下面的最新情况。"
NOT_HEARD_WORDS: Final = "请先从头到尾听完录音，再勾选确认。"
NO_FILE_WORDS: Final = "请先选择一个录音文件。"


@dataclass(frozen=True, slots=True)
class TextView:
    """One text: where it is heard, its sounds, and what is known of its recordings."""

    words: str
    titles: tuple[str, ...]
    # The procedures that announce it.
    codes: frozenset[str]
    rendered: CueAudio | None
    spoken: Spoken
    used: CueAudio | None
    waiting: CueAudio | None
    # Whoever looks at the page uploaded what waits, or cannot prove to be another.
    needs_another: bool

    @property
    def digest(self) -> str:
        return text_digest(self.words)


class RefusedSoundError(Exception):
    """What was asked is not done; the message says why and what to do."""


def lay_recordings(app: Flask, opened: Services, rendered: AudioLibrary) -> None:
    """Give the app its sounds: rendered speech, and over it the recordings that are confirmed.

    A recording that cannot be used any more must not silence the room: the rendered speech is heard instead.
    """
    app.extensions[RENDERED_EXTENSION] = rendered
    library, unusable = dict(rendered), set()
    with opened.exam.read() as connection:
        for spoken in load_spoken(connection).values():
            if spoken.used is None:
                continue
            try:
                library.update(_sounds_of(connection, opened, spoken.used.id))
            except (AudioError, SoundError) as error:
                _log.error("own_recording_unusable", recording=spoken.used.id, words=str(error))
                unusable.add(spoken.used.text_sha256)
    app.extensions[AUDIO_EXTENSION] = library
    app.extensions[UNUSABLE_EXTENSION] = frozenset(unusable)


def is_recording_unusable(words: str) -> bool:
    """Whether rooms hear rendered speech of this text although a recording of it was confirmed."""
    return text_digest(words) in current_app.extensions.get(UNUSABLE_EXTENSION, ())


@blueprint.get("/sounds")
def page() -> Response:
    return _page("", 200)


@blueprint.post("/sounds")
def upload() -> Response:
    """Take in a recording of the text of that digest; nobody hears it before it is confirmed."""
    words = _words_of(request.form.get("text", ""))
    content = _uploaded()
    if not content:
        return _page(NO_FILE_WORDS, 400)
    try:
        speech = made_playable(content)
    except UploadedSoundError as error:
        return _page(REFUSAL_WORDS[error.refusal] + UNDONE, 400)
    sounds = prepare_recording(services().settings.audio_folder, services().procedures, words, speech)
    with services().exam.read() as connection:
        is_long = _runs_in(_courses(connection), sounds)
    if is_long:
        return _page(REFUSAL_WORDS[RecordingRefusal.RUNS_INTO_NEXT] + UNDONE, 400)
    length_us = from_wav(speech).size * SECOND_US // RATE
    digest = hashlib.sha256(content).hexdigest()
    new = NewRecording(words, speech, length_us, digest, current_user.account_id)
    with services().exam.write() as connection:
        keep_recording(connection, new, services().clock.wall_us())
    return redirect(url_for(".page", _anchor=f"text-{text_digest(words)[:12]}"), 303)


@blueprint.post("/sounds/<int:recording_id>/confirmed")
@limiter.limit(FAILURES, deduct_when=is_failure)
def confirm(recording_id: int) -> Response:
    """Another person than who uploaded it has listened, and lets the rooms hear it.

    That person is at this page, or stands beside and proves it with an own name and password.
    """
    if request.form.get("listened") != "yes":
        return _page(NOT_HEARD_WORDS + UNDONE, 400)
    try:
        is_at_side = bool(request.form.get("second_name"))
        listener = second_person(ACT, UNCHANGED) if is_at_side else current_user.account_id
    except RefusedFormError as refusal:
        return _page(str(refusal), 400)
    return _decide(recording_id, RecordingAct.CONFIRMED, listener)


@blueprint.post("/sounds/<int:recording_id>/taken-back")
def take_back(recording_id: int) -> Response:
    return _decide(recording_id, RecordingAct.TAKEN_BACK, current_user.account_id)


def _uploaded() -> bytes:
    """The file of the form; nothing when there is none."""
    given = request.files.get("recording")
    if given is None:
        return b""
    with closing(given):
        content: bytes = given.read()
    return content


def _decide(recording_id: int, act: RecordingAct, account_id: int) -> Response:
    with services().exam.read() as connection:
        sounds = _sounds_of(connection, services(), recording_id)
    try:
        with services().exam.write() as connection:
            if act is RecordingAct.CONFIRMED:
                _require_confirmable(connection, recording_id, account_id, sounds)
            else:
                _require_no_signal_near(connection, recording_id)
            now_us = services().clock.wall_us()
            if not decide(connection, recording_id, act, account_id, now_us):
                raise RefusedSoundError(CHANGED_WORDS)
            rooms = load_rooms(connection)
    except RefusedSoundError as refused:
        return _page(str(refused) + UNDONE, 409)
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    lay_recordings(app, services(), _rendered())
    for topic in (*map(room_topic, rooms), ANY_TOPIC):
        services().bus.publish(topic)
    return redirect(url_for(".page"), 303)


def _require_confirmable(
    connection: Connection, recording_id: int, account_id: int, sounds: AudioLibrary
) -> None:
    """Raises RefusedSoundError where it is not this person's to do, or an armed session would hear it."""
    waiting = _waiting(connection).get(recording_id)
    if waiting is None:
        raise RefusedSoundError(CHANGED_WORDS)
    uploader = load_signer(connection, waiting.account_id, or_disabled=True) or NOBODY
    listener = load_signer(connection, account_id) or NOBODY
    courses = _courses(connection)
    armed = armed_with(courses, _words_spoken(connection, recording_id), services().clock.wall_us())
    refusal = confirm_refusal(armed, uploader, listener)
    if refusal is None and _runs_in(courses, sounds):
        refusal = RecordingRefusal.RUNS_INTO_NEXT
    if refusal is not None:
        raise RefusedSoundError(REFUSAL_WORDS[refusal])


def _require_no_signal_near(connection: Connection, recording_id: int) -> None:
    """Raises RefusedSoundError when rooms hear the recording, and may sound it before they have the other."""
    words, now_us = _words_spoken(connection, recording_id), services().clock.wall_us()
    armed = armed_with(_courses(connection), words, now_us)
    used = [one.used.id for one in load_spoken(connection).values() if one.used]
    refusal = take_back_refusal(armed, words, now_us) if recording_id in used else None
    if refusal is not None:
        raise RefusedSoundError(REFUSAL_WORDS[refusal])


def _words_spoken(connection: Connection, recording_id: int) -> str:
    words, _ = load_recording(connection, recording_id) or abort(404)
    return words


def _waiting(connection: Connection) -> dict[int, OwnRecording]:
    return {one.waiting.id: one.waiting for one in load_spoken(connection).values() if one.waiting}


def _runs_in(courses: list[SessionCourse], sounds: AudioLibrary) -> bool:
    """Whether one of these sounds would still go on when the next cue of a session's procedure begins."""
    library = {**_rendered(), **sounds}
    return any(
        (procedure.code, one.code) in sounds
        for procedure in {course.procedure.code: course.procedure for course in courses}.values()
        if all((procedure.code, cue.code) in library for cue in procedure.cues if cue.is_audible)
        for one, _ in running_in(procedure, library)
    )


def _sounds_of(connection: Connection, opened: Services, recording_id: int) -> AudioLibrary:
    """The cues that have the recording's words, with it."""
    words, speech = load_recording(connection, recording_id) or abort(404)
    return prepare_recording(opened.settings.audio_folder, opened.procedures, words, speech)


def _courses(connection: Connection) -> list[SessionCourse]:
    known = services().procedures
    return [
        load_course(connection, one, known)
        for one in load_sessions(connection)
        if one.procedure_code in known
    ]


def _rendered() -> AudioLibrary:
    """The speech made by program; empty where nobody prepared any."""
    library: AudioLibrary = current_app.extensions.get(RENDERED_EXTENSION, {})
    return library


def _words_of(digest: str) -> str:
    return next((words for words in _texts() if text_digest(words) == digest), None) or abort(404)


def _texts() -> dict[str, list[tuple[str, str, str]]]:
    """Every text that rooms hear, in order: procedure code, cue code and title of each place."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for procedure in services().procedures.values():
        for cue in procedure.cues:
            if cue.is_audible:
                place = (procedure.code, cue.code, f"{procedure.title}：{cue.title}")
                found.setdefault(cue.text, []).append(place)
    return found


def _page(fault: str, code: int) -> Response:
    with services().exam.read() as connection:
        spoken = load_spoken(connection)
        planned = {course.procedure.code for course in _courses(connection)}
        texts = [
            _view(
                connection,
                words,
                sorted(places, key=lambda one: one[0] not in planned),
                spoken.get(text_digest(words), Spoken()),
            )
            for words, places in _texts().items()
        ]
    # What waits for somebody to listen stands first; what no session of this site announces, apart.
    texts.sort(key=lambda one: one.spoken.waiting is None)
    own = [one for one in texts if one.spoken.waiting or one.codes & planned]
    others = [one for one in texts if one not in own]
    return make_response(render_template("own_sounds/page.html", own=own, others=others, fault=fault), code)


def _view(connection: Connection, words: str, places: list[tuple[str, str, str]], spoken: Spoken) -> TextView:
    """The first place gives the text its name and its bell."""

    def sound(recording: OwnRecording | None) -> CueAudio | None:
        if recording is None:
            return None
        return _sounds_of(connection, services(), recording.id).get(places[0][:2])

    return TextView(
        words,
        tuple(dict.fromkeys(title for _, _, title in places)),
        frozenset(code for code, _, _ in places),
        _rendered().get(places[0][:2]),
        spoken,
        sound(spoken.used),
        sound(spoken.waiting),
        needs_another=spoken.waiting is not None and _is_mine(connection, spoken.waiting),
    )


def _is_mine(connection: Connection, recording: OwnRecording) -> bool:
    """Whether another person than the one at this page has to confirm the recording."""
    uploader = load_signer(connection, recording.account_id, or_disabled=True) or NOBODY
    return is_same_person(uploader, load_signer(connection, current_user.account_id) or NOBODY)
