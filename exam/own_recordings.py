"""Whether the site's own recording of an announcement may be used, and may be changed now (Arts. 13-15, R9).

Pure. Whoever uploaded a recording knows what it should say, and hears that; a second pair of ears confirms.
Of an armed session people know what will sound: nothing new is confirmed for it. The rendered speech of the
same words is always there, so a recording can be taken back until just before it sounds.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from exam.clock import MINUTE_US, SECOND_US
from exam.course import SessionCourse
from exam.cues import about_to_sound, session_cues
from exam.presses import is_going_on
from exam.signers import Signer, is_same_person

SHORTEST_US: Final = SECOND_US // 2
LONGEST_US: Final = 5 * MINUTE_US
# Players look at their schedule every ten seconds, and then fetch what they lack.
FETCHING_US: Final = MINUTE_US
# A recording that is quieter than this holds no speech (EBU R128, in LUFS).
SILENT_LUFS: Final = -50.0


class RecordingRefusal(StrEnum):
    """Why a recording is not taken in, or not changed now."""

    NO_SOUND_FILE = "no_sound_file"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    SILENT = "silent"
    # Whoever uploaded it would confirm it, too.
    SAME_PERSON = "same_person"
    # It would still sound when the next cue begins.
    RUNS_INTO_NEXT = "runs_into_next"
    # An armed session is to hear it.
    ARMED = "armed"
    # Rooms may sound it before they could fetch the other.
    SOUNDS_SOON = "sounds_soon"


def length_refusal(duration_us: int) -> RecordingRefusal | None:
    """Whether the recording is too short or too long for any announcement."""
    if duration_us < SHORTEST_US:
        return RecordingRefusal.TOO_SHORT
    return RecordingRefusal.TOO_LONG if duration_us > LONGEST_US else None


def armed_with(courses: Iterable[SessionCourse], words: str, now_us: int) -> list[SessionCourse]:
    """The armed sessions, to come or going on, in which these words may be heard."""
    return [
        one
        for one in courses
        if one.session.armed_at_us is not None
        and any(cue.is_audible and cue.text == words for cue in one.procedure.cues)
        and one.session.cancelled_at_us is None
        and (now_us < one.session.planned_start_us or is_going_on(one, now_us))
    ]


def confirm_refusal(
    armed: Iterable[SessionCourse], uploader: Signer, listener: Signer
) -> RecordingRefusal | None:
    """Whether this person may confirm a recording, with the armed sessions that would hear it."""
    if is_same_person(uploader, listener):
        return RecordingRefusal.SAME_PERSON
    return RecordingRefusal.ARMED if any(True for _ in armed) else None


def take_back_refusal(armed: Iterable[SessionCourse], words: str, now_us: int) -> RecordingRefusal | None:
    """Whether the recording that rooms hear may be taken back now, with the armed sessions that hear it."""
    is_near = any(
        one.cue.text == words
        for course in armed
        for one in about_to_sound(session_cues(course), course.session.armed_at_us or 0, now_us, FETCHING_US)
    )
    return RecordingRefusal.SOUNDS_SOON if is_near else None
