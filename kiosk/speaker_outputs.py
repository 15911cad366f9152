"""Ways out of this machine for sound: PulseAudio or PipeWire (libpulse-simple), or ALSA (libasound).

Both are C libraries whose interface has not changed in fifteen years and that stand on every machine
whose loudspeakers work at all; the few calls needed are made directly (docs/adr/0019). Each output tells
when the next written sample will be heard, by the device's own clock: that is what makes an onset exact.
"""

import ctypes
import ctypes.util
from typing import Final, Protocol

from exam.clock import SECOND_US

RATE: Final = 22_050
FRAME_BYTES: Final = 2
# What the device may hold; short, so that a newer word cuts in at once.
BUFFER_US: Final = 400_000
# The sound server asks for more when so much is missing; left to itself it asks fifty times a second.
ASKS_US: Final = 50_000

_PULSE_PLAYBACK: Final = 1
_PULSE_S16LE: Final = 3
_UNSET: Final = 0xFFFFFFFF
_ALSA_S16LE: Final = 2
_ALSA_INTERLEAVED: Final = 3
_ALSA_PREPARED: Final = 2


# What ALSA calls with a complaint: nothing.
_SILENT: Final = ctypes.CFUNCTYPE(
    None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p
)(lambda *_complaint: None)


class OutputError(Exception):
    """No sound can come out there now; the message says why, for staff."""


class Output(Protocol):
    """An open loudspeaker: one channel, 16 bits, `RATE` samples a second."""

    def delay_us(self) -> int:
        """How long until the next written sample is heard. Raises OutputError."""
        ...

    def write(self, samples: bytes) -> None:
        """Hand samples over. Raises OutputError."""
        ...

    def restart(self) -> None:
        """After it has run dry: what is written next is heard next. Raises OutputError."""
        ...

    def close(self) -> None:
        """Give the device back; what it still holds is dropped."""
        ...


class _PulseSpec(ctypes.Structure):
    _fields_ = (("format", ctypes.c_int), ("rate", ctypes.c_uint32), ("channels", ctypes.c_uint8))


class _PulseMap(ctypes.Structure):
    _fields_ = (("channels", ctypes.c_uint8), ("map", ctypes.c_int * 32))


class _PulseBuffer(ctypes.Structure):
    _fields_ = tuple(
        (name, ctypes.c_uint32) for name in ("maxlength", "tlength", "prebuf", "minreq", "fragsize")
    )


def _library(name: str, package: str) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(name)
    except OSError as error:
        raise OutputError(f"{name} is not installed: apt-get install {package}") from error


class PulseOutput:
    """A stream of the PulseAudio protocol, which PipeWire speaks as well."""

    def __init__(self, device: str = "", position: int | None = None) -> None:
        """`device`: name of the sink, empty for the default one.

        `position`: pulse's number of the one channel to use, for devices that feed several zones.
        Raises OutputError.
        """
        self._simple = _library("libpulse-simple.so.0", "libpulse0")
        self._simple.pa_simple_new.restype = ctypes.c_void_p
        self._simple.pa_simple_get_latency.restype = ctypes.c_uint64
        self._error = ctypes.c_int(0)
        spec = _PulseSpec(_PULSE_S16LE, RATE, 1)
        hold = RATE * FRAME_BYTES * BUFFER_US // SECOND_US
        # Without prebuffering: its clock goes on through an underrun (speaker_stream.STARVED_US).
        buffer = _PulseBuffer(_UNSET, hold, 0, RATE * ASKS_US // SECOND_US * FRAME_BYTES, _UNSET)
        channels = None if position is None else _PulseMap(1, (ctypes.c_int * 32)(position))
        stream = self._simple.pa_simple_new(
            None,
            b"Kaochang",
            _PULSE_PLAYBACK,
            device.encode() or None,
            b"signals",
            ctypes.byref(spec),
            None if channels is None else ctypes.byref(channels),
            ctypes.byref(buffer),
            ctypes.byref(self._error),
        )
        if not stream:
            raise self._refused("no sound server")
        self._stream = ctypes.c_void_p(stream)

    def delay_us(self) -> int:
        """By the server's own account, resampler and device included."""
        self._error.value = 0
        delay = int(self._simple.pa_simple_get_latency(self._stream, ctypes.byref(self._error)))
        if self._error.value:
            raise self._refused("the sound server went away")
        return delay

    def write(self, samples: bytes) -> None:
        """Blocks while the server holds enough."""
        if self._simple.pa_simple_write(self._stream, samples, len(samples), ctypes.byref(self._error)) < 0:
            raise self._refused("the sound server went away")

    def restart(self) -> None:
        """The server's clock went on without us and throws away what comes late: begin at its present."""
        if self._simple.pa_simple_flush(self._stream, ctypes.byref(self._error)) < 0:
            raise self._refused("the sound server went away")

    def close(self) -> None:
        """Disconnect."""
        self._simple.pa_simple_free(self._stream)

    def _refused(self, what: str) -> OutputError:
        pulse = _library("libpulse.so.0", "libpulse0")
        pulse.pa_strerror.restype = ctypes.c_char_p
        return OutputError(f"{what} ({pulse.pa_strerror(self._error).decode()})")


class AlsaOutput:
    """A sound card without a sound server, or whatever ALSA's configuration calls `default`."""

    def __init__(self, device: str = "") -> None:
        """`device`: ALSA's name, such as `plughw:1,0`. Raises OutputError."""
        self._alsa = _library("libasound.so.2", "libasound2")
        self._alsa.snd_strerror.restype = ctypes.c_char_p
        self._alsa.snd_pcm_writei.restype = ctypes.c_long
        self._alsa.snd_pcm_writei.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_ulong)
        self._pcm = ctypes.c_void_p()
        self._silence_complaints()
        opened = self._alsa.snd_pcm_open(ctypes.byref(self._pcm), (device or "default").encode(), 0, 0)
        if opened < 0:
            raise self._refused(opened, "no sound card")
        fitted = self._alsa.snd_pcm_set_params(
            self._pcm, _ALSA_S16LE, _ALSA_INTERLEAVED, 1, RATE, 1, BUFFER_US
        )
        if fitted < 0:
            self.close()
            raise self._refused(fitted, "the sound card does not take our sound")

    def delay_us(self) -> int:
        """By the card's own position."""
        frames = ctypes.c_long(0)
        code = self._alsa.snd_pcm_delay(self._pcm, ctypes.byref(frames))
        if code < 0:
            self._recover(code)
            return 0
        return max(0, frames.value) * SECOND_US // RATE

    def write(self, samples: bytes) -> None:
        """Blocks while the card holds enough."""
        written = self._alsa.snd_pcm_writei(self._pcm, samples, len(samples) // FRAME_BYTES)
        if written < 0:
            self._recover(written)
            written = self._alsa.snd_pcm_writei(self._pcm, samples, len(samples) // FRAME_BYTES)
        if written < 0:
            raise self._refused(written, "the sound card went away")
        if self._alsa.snd_pcm_state(self._pcm) == _ALSA_PREPARED:
            self._alsa.snd_pcm_start(self._pcm)

    def restart(self) -> None:
        """Nothing to do: a card that ran dry waits for the next samples."""

    def close(self) -> None:
        """Stop at once."""
        self._alsa.snd_pcm_close(self._pcm)

    def _recover(self, code: int) -> None:
        """After an underrun or a suspended machine the card begins anew; anything else is its end."""
        if self._alsa.snd_pcm_recover(self._pcm, code, 1) < 0:
            raise self._refused(code, "the sound card went away")

    def _refused(self, code: int, what: str) -> OutputError:
        return OutputError(f"{what} ({self._alsa.snd_strerror(code).decode()})")

    def _silence_complaints(self) -> None:
        """Without this the library writes to stderr what the exception says anyway."""
        self._alsa.snd_lib_error_set_handler(_SILENT)


def open_output(player: str, device: str) -> Output:
    """`pulse`, `alsa`, or `auto`: the sound server if one answers, else the card. Raises OutputError."""
    if player == "alsa":
        return AlsaOutput(device)
    try:
        return PulseOutput(device)
    except OutputError as error:
        if player == "pulse":
            raise
        try:
            return AlsaOutput(device)
        except OutputError as second:
            raise OutputError(f"{error}; {second}") from second
