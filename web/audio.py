"""Audio of every cue, made beforehand: the day itself never renders anything.

A file's name is the digest of everything it was made from, so a changed text, bell or voice makes
a new file, players never hold a stale one, and a second start makes nothing.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final

import numpy as np

from config.speech import SpeechError, Voice, kept_sound
from exam.clock import SECOND_US
from exam.procedure import Anchor, Audience, Cue, CueKind, Procedure
from web.sounds import RATE, Samples, SoundError, as_wav, beep, bell, chime, from_wav, levelled, silence

# Raise when a sound or the way pieces are joined changes: every file is then made anew.
RECIPE: Final = "1"
PAUSE_S: Final = 0.4
# The test tone stands in the library beside the cues of the procedures.
TEST_TONE: Final = ("", "test")
TEST_WORDS: Final = "现在试音。听到的老师，请在本考场的平板上确认。"
# Where the app keeps its library, and the rendered speech that recordings of the site's own stand in for.
AUDIO_EXTENSION: Final = "kaochang.audio"
RENDERED_EXTENSION: Final = "kaochang.rendered_audio"


class AudioError(Exception):
    """The announcements cannot be prepared; the message says what is missing and what to do."""


@dataclass(frozen=True, slots=True)
class CueAudio:
    """The prepared file of one cue."""

    name: str
    duration_us: int


# By procedure code and cue code; prompts have none.
AudioLibrary = Mapping[tuple[str, str], CueAudio]


def prepare(folder: Path, procedures: Mapping[str, Procedure], voice: Voice) -> AudioLibrary:
    """Make what is missing in the folder and return every audible cue's file.

    Raises AudioError. A file appears complete or not at all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return {
        (procedure.code, cue.code): _prepared(folder, cue, procedure.bell_us, voice)
        for procedure in procedures.values()
        for cue in procedure.cues
        if cue.is_audible
    }


def prepare_test_tone(folder: Path, voice: Voice) -> AudioLibrary:
    """Make the test tone if it is missing. Raises AudioError."""
    return {TEST_TONE: _prepared(folder, _TEST_CUE, 0, voice)}


def prepare_recording(
    folder: Path, procedures: Mapping[str, Procedure], words: str, speech_wav: bytes
) -> AudioLibrary:
    """Every cue of these words with somebody's recording as its speech, bell and chime before it as always.

    Raises AudioError when what lies in the folder is damaged, SoundError when the recording is no such sound.
    """
    folder.mkdir(parents=True, exist_ok=True)
    speaker = f"recording {sha256(speech_wav).hexdigest()}"
    return {
        (procedure.code, cue.code): _kept(
            folder, cue, procedure.bell_us, speaker, partial(from_wav, speech_wav)
        )
        for procedure in procedures.values()
        for cue in procedure.cues
        if cue.is_audible and cue.text == words
    }


def crowded(procedure: Procedure, library: AudioLibrary) -> list[str]:
    """The cues whose sound runs into the next one, in words. Signals cut it off, but nobody wants that."""
    return [
        f"{procedure.code}: {one.code} lasts"
        f" {library[procedure.code, one.code].duration_us / SECOND_US:.1f} s and runs into {following.code}"
        for one, following in running_in(procedure, library)
    ]


def running_in(procedure: Procedure, library: AudioLibrary) -> Iterator[tuple[Cue, Cue]]:
    """Each cue whose sound is not over when the next one begins, and that next one."""
    for anchor in Anchor:
        heard = [
            cue for cue in procedure.cues if cue.is_audible and cue.is_scheduled and cue.anchor is anchor
        ]
        heard.sort(key=lambda cue: cue.offset_us)
        for one, following in itertools.pairwise(heard):
            length_us = library[procedure.code, one.code].duration_us
            if one.offset_us + length_us > following.offset_us:
                yield one, following


_TEST_CUE: Final = Cue(
    code="TEST",
    title="试音",
    anchor=Anchor.PLANNED_START,
    offset_us=0,
    tolerance_us=0,
    kind=CueKind.CHIME_VOICE,
    text=TEST_WORDS,
    audience=frozenset({Audience.ROOMS}),
    roles=frozenset(),
)


def _prepared(folder: Path, cue: Cue, bell_us: int, voice: Voice) -> CueAudio:
    return _kept(folder, cue, bell_us, voice.name, lambda: _rendered(cue.text, voice))


def _kept(folder: Path, cue: Cue, bell_us: int, speaker: str, speech: Callable[[], Samples]) -> CueAudio:
    """The sound of a cue, made once; `speaker` names whose speech it is."""
    made_from = "\n".join([RECIPE, speaker, cue.kind, str(bell_us), cue.text])
    path = kept_sound(folder, made_from, lambda: as_wav(_introduced(cue.kind, bell_us, speech())))
    try:
        samples = from_wav(path.read_bytes())
    except SoundError as error:
        raise AudioError(f"audio file {path} is damaged ({error}): remove it and start again") from error
    return CueAudio(path.name, samples.size * SECOND_US // RATE)


def _rendered(text: str, voice: Voice) -> Samples:
    try:
        return levelled(trimmed(from_wav(voice.speak(text))))
    except SpeechError as error:
        raise AudioError(str(error)) from error
    except SoundError as error:
        raise AudioError(f"the speech program made no usable sound: {error}") from error


def _introduced(kind: CueKind, bell_us: int, speech: Samples) -> Samples:
    """The speech with what sounds before it."""
    match kind:
        case CueKind.BELL:
            return np.concatenate([bell(bell_us / SECOND_US), silence(PAUSE_S), speech])
        case CueKind.CHIME_VOICE:
            return np.concatenate([chime(), silence(PAUSE_S / 2), speech])
        case CueKind.BEEP_VOICE:
            return np.concatenate([beep(), silence(PAUSE_S), speech])
        case _:
            return speech


def trimmed(speech: Samples) -> Samples:
    """Without the silence a speech program or a recording leaves before and after. Raises SoundError."""
    loud = np.flatnonzero(np.abs(speech) > 0.01)
    if not loud.size:
        raise SoundError("it is silent")
    edge = RATE // 20
    return speech[max(0, int(loud[0]) - edge) : int(loud[-1]) + edge]
