"""An uploaded recording made into what rooms can play: read by ffprobe, made as loud as everything else.

Nothing here decides who may use it. What was uploaded is a stranger's file: only plain sound formats are
opened, from a folder of its own, and no address in it is followed.
"""

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final

import ffmpeg

from exam.clock import SECOND_US
from exam.own_recordings import SILENT_LUFS, RecordingRefusal, length_refusal
from web.audio import trimmed
from web.sounds import RATE, SoundError, as_wav, from_wav

# What phones, recorders and editors write.
FORMATS: Final = "wav,mp3,mov,ogg,flac,aac,matroska,amr"
_OPENED: Final = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
# The rendered speech measures -18 LUFS with peaks of -2 dB (EBU R128): recordings are brought to the same.
_LOUDNESS: Final = {"I": -18, "TP": -2, "LRA": 11}
LONGEST_WORK_S: Final = 60


class UploadedSoundError(Exception):
    """The upload cannot be used; `refusal` says why."""

    def __init__(self, refusal: RecordingRefusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


def made_playable(upload: bytes) -> bytes:
    """The recording as rooms play it: WAV, one channel, 16 bits, RATE, as loud as all, no silence around.

    Raises UploadedSoundError.
    """
    with tempfile.TemporaryDirectory(prefix="kaochang-sound-") as folder:
        source = Path(folder) / "upload"
        source.write_bytes(upload)
        refusal = length_refusal(_duration_us(source))
        if refusal is not None:
            raise UploadedSoundError(refusal)
        return _normalised(source, Path(folder) / "made.wav")


def _duration_us(source: Path) -> int:
    """How long the one sound in the file is. Pictures are refused, but not the cover of a song."""
    wanted = "format=duration:stream=codec_type:stream_disposition=attached_pic"
    options = [word for name, value in _OPENED.items() for word in (f"-{name}", value)]
    told = _run(["ffprobe", "-v", "error", *options, "-show_entries", wanted, "-of", "json", str(source)])
    found: dict[str, Any] = json.loads(told.stdout)
    kinds = [
        stream["codec_type"]
        for stream in found.get("streams", [])
        if not stream.get("disposition", {}).get("attached_pic")
    ]
    try:
        if kinds == ["audio"]:
            return round(float(found["format"]["duration"]) * SECOND_US)
    except (KeyError, ValueError) as error:
        raise UploadedSoundError(RecordingRefusal.NO_SOUND_FILE) from error
    raise UploadedSoundError(RecordingRefusal.NO_SOUND_FILE)


def _normalised(source: Path, made: Path) -> bytes:
    """Measured first and then moved as a whole, so that loud and quiet words keep their distance."""
    told = _run(_heard(source, {"print_format": "json"}).output("pipe:", f="null").compile())
    written = told.stderr.decode("utf-8", "replace")
    measure, _ = json.JSONDecoder().raw_decode(written[written.rindex("{") :])
    if float(measure["input_i"]) <= SILENT_LUFS:
        raise UploadedSoundError(RecordingRefusal.SILENT)
    known = {
        f"measured_{name}": measure[f"input_{of}"]
        for name, of in (("I", "i"), ("TP", "tp"), ("LRA", "lra"), ("thresh", "thresh"))
    }
    moved = _heard(source, {**known, "offset": measure["target_offset"], "linear": "true"})
    _run(moved.output(str(made), f="wav", ac=1, ar=RATE, acodec="pcm_s16le").compile())
    try:
        speech = trimmed(from_wav(made.read_bytes()))
    except SoundError as error:
        raise UploadedSoundError(RecordingRefusal.SILENT) from error
    refusal = length_refusal(speech.size * SECOND_US // RATE)
    if refusal is not None:
        raise UploadedSoundError(refusal)
    return as_wav(speech)


def _heard(source: Path, more: dict[str, Any]) -> Any:
    """The sound of the file in one channel, through the loudness filter."""
    sound = ffmpeg.input(str(source), **_OPENED).audio
    return sound.filter("aformat", channel_layouts="mono").filter("loudnorm", **_LOUDNESS, **more)


def _run(command: list[str]) -> subprocess.CompletedProcess[bytes]:
    """Raises UploadedSoundError when the file is not what it seems."""
    try:
        return subprocess.run(
            command, capture_output=True, timeout=LONGEST_WORK_S, check=True, stdin=subprocess.DEVNULL
        )
    except subprocess.SubprocessError as error:
        raise UploadedSoundError(RecordingRefusal.NO_SOUND_FILE) from error
