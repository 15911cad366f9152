import io
import wave

import numpy as np
import pytest

from web.sounds import (
    LOUDNESS,
    PEAK,
    RATE,
    Samples,
    SoundError,
    as_wav,
    beep,
    bell,
    chime,
    from_wav,
    levelled,
    silence,
)


def loudness(samples: Samples) -> float:
    loud = np.abs(samples)[np.abs(samples) > np.median(np.abs(samples))]
    return float(np.sqrt(np.mean(loud**2)))


def test_the_bell_rings_as_long_as_the_procedure_says() -> None:
    assert bell(15).size == 15 * RATE
    assert bell(4).size == 4 * RATE


@pytest.mark.parametrize("samples", [bell(3), chime(), beep()], ids=["bell", "chime", "beep"])
def test_no_sound_clips_or_clicks_and_all_are_equally_loud(samples: Samples) -> None:
    assert float(np.max(np.abs(samples))) <= PEAK
    assert abs(float(samples[0])) < 0.01
    assert abs(float(samples[-1])) < 0.01
    assert loudness(samples) == pytest.approx(LOUDNESS, rel=0.2)


def test_the_bell_strikes_twelve_times_a_second() -> None:
    ringing = np.abs(bell(4))[: 2 * RATE]
    envelope = ringing[: ringing.size // 100 * 100].reshape(-1, 100).max(axis=1)
    spectrum = np.abs(np.fft.rfft(envelope - envelope.mean()))
    hertz = np.fft.rfftfreq(envelope.size, 100 / RATE)
    # Alternate strokes differ, so six and twelve a second stand out.
    assert round(float(hertz[spectrum.argmax()])) in {6, 12}


def test_silence_stays_silent_when_levelled() -> None:
    assert not levelled(silence(0.1)).any()
    assert levelled(silence(0)).size == 0


def test_a_wav_file_comes_back_as_it_was_written() -> None:
    samples = beep()
    assert np.allclose(from_wav(as_wav(samples)), samples, atol=1e-4)


def test_what_is_no_wav_file_is_refused() -> None:
    with pytest.raises(SoundError, match="not a WAV file"):
        from_wav(b"no sound at all")


def test_a_wav_file_of_another_shape_is_refused_with_its_shape() -> None:
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44_100)
        file.writeframes(b"\0" * 8)
    with pytest.raises(SoundError, match=r"2 channel\(s\), 16 bits, 44100 Hz; needed: 1, 16, 22050"):
        from_wav(written.getvalue())
