"""The project's own sounds as samples: bell, chime and beep, and how pieces become one WAV file.

Everything is computed, nothing is taken from a recording. One channel, 22,050 samples a second,
floats between -1 and 1 until they are written.
"""

import io
import wave
from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE: Final = 22_050
PEAK: Final = 0.85
# Loudness that speech and sounds are brought to, as root mean square of the loud half.
LOUDNESS: Final = 0.2

Samples = NDArray[np.float64]


class SoundError(Exception):
    """A sound file is not what the room players can play."""


def silence(seconds: float) -> Samples:
    """Nothing, for the pauses between pieces."""
    return np.zeros(round(seconds * RATE))


def bell(seconds: float) -> Samples:
    """An electric bell: a small hammer on a warm brass gong, and the gong ringing out at the end."""
    ring_out = min(0.9, seconds / 3)
    strikes_per_s = 12.0
    gong = _strike(
        [(740.0, 1.0, 0.55), (1487.0, 0.55, 0.35), (2230.0, 0.3, 0.22), (3120.0, 0.14, 0.12)], ring_out
    )
    ringing = np.zeros(round(seconds * RATE))
    for strike in range(int((seconds - ring_out) * strikes_per_s)):
        begin = round(strike * RATE / strikes_per_s)
        end = min(begin + gong.size, ringing.size)
        # Alternate strokes differ a little, as a real hammer's do; else it buzzes.
        ringing[begin:end] += gong[: end - begin] * (1.0 if strike % 2 else 0.82)
    return levelled(_faded(ringing))


def chime() -> Samples:
    """Two soft notes, falling: attention, somebody is going to speak."""
    high = _strike([(659.3, 1.0, 0.6), (1318.5, 0.25, 0.3)], 1.5)
    low = _strike([(523.3, 1.0, 0.8), (1046.5, 0.25, 0.4)], 1.5)
    notes = np.zeros(round(2.1 * RATE))
    notes[: high.size] += high
    begin = round(0.55 * RATE)
    notes[begin : begin + low.size] += low
    return levelled(_faded(notes))


def beep() -> Samples:
    """Two short tones: listen, without a fright."""
    tone = np.sin(2 * np.pi * 880.0 * np.arange(round(0.18 * RATE)) / RATE)
    tone *= np.hanning(tone.size) ** 0.5
    return levelled(np.concatenate([tone, silence(0.12), tone]))


def levelled(samples: Samples) -> Samples:
    """The samples at the common loudness, the loudest peaks rounded so that nothing clips."""
    if not samples.any():
        return samples
    loud = np.abs(samples)[np.abs(samples) >= np.median(np.abs(samples))]
    raised = samples * (LOUDNESS / float(np.sqrt(np.mean(loud**2))))
    return PEAK * np.tanh(raised / PEAK)


def as_wav(samples: Samples) -> bytes:
    """The samples as a WAV file with 16 bits."""
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(samples, -1.0, 1.0) * 32767).astype("<i2").tobytes())
    return written.getvalue()


def from_wav(content: bytes) -> Samples:
    """The samples of a WAV file. Raises SoundError unless it has one channel, 16 bits and the common rate."""
    try:
        with wave.open(io.BytesIO(content), "rb") as file:
            shape = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            frames = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise SoundError(f"not a WAV file: {error}") from error
    if shape != (1, 2, RATE):
        raise SoundError(
            f"WAV has {shape[0]} channel(s), {shape[1] * 8} bits, {shape[2]} Hz; needed: 1, 16, {RATE}"
        )
    return np.frombuffer(frames, dtype="<i2").astype(np.float64) / 32768


def _strike(partials: list[tuple[float, float, float]], seconds: float) -> Samples:
    """One struck sound: partials as (hertz, strength, seconds to fall to a third)."""
    time = np.arange(round(seconds * RATE)) / RATE
    sound = sum(
        strength * np.exp(-time / decay) * np.sin(2 * np.pi * hertz * time)
        for hertz, strength, decay in partials
    )
    return np.asarray(sound * np.minimum(1.0, time / 0.003))


def _faded(samples: Samples) -> Samples:
    """No click at either end."""
    edge = min(round(0.01 * RATE), samples.size // 2)
    ramp = np.linspace(0.0, 1.0, edge)
    samples[:edge] *= ramp
    samples[samples.size - edge :] *= ramp[::-1]
    return samples
