"""The two real ways out, over a real sound server of our own: onsets are found in captured samples."""

import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from exam.clock import SECOND_US, SystemClock
from kiosk.speaker_outputs import RATE, AlsaOutput, OutputError, PulseOutput, open_output
from kiosk.speaker_stream import Sound, Stream
from tests.sound_server import pulse_server

pytestmark = pytest.mark.live

CLOCK = SystemClock()
# Never early; late by the machine's other work, within what a signal may be. The benchmark measures how late.
EARLY_US = 100_000
LATE_US = 2 * SECOND_US
SINK = f"module-null-sink sink_name=out rate={RATE} format=s16le channels=1 channel_map=mono"
ALSA = """
pcm.!default { type pulse }
ctl.!default { type pulse }
"""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "asoundrc").write_text(ALSA, encoding="utf-8")
    monkeypatch.setenv("ALSA_CONFIG_PATH", f"/usr/share/alsa/alsa.conf:{tmp_path / 'asoundrc'}")
    with pulse_server(tmp_path / "pulse", SINK) as environment:
        for name in ("PULSE_SERVER", "XDG_RUNTIME_DIR", "HOME"):
            monkeypatch.setenv(name, environment[name])
        yield tmp_path / "pulse"


class Recording:
    """Records the sink's output from now on."""

    def __init__(self) -> None:
        words = ["parec", "--raw", "--device=out.monitor", "--format=s16le", f"--rate={RATE}", "--channels=1"]
        self.child = subprocess.Popen([*words, "--latency-msec=10"], stdout=subprocess.PIPE)
        self.frames, self.origin_us = 0, CLOCK.monotonic_us()
        self.loud: int | None = None
        self._read(RATE // 4)

    def onset_us(self, seconds: float) -> int | None:
        """When it becomes loud within this time, monotonic; no block can arrive before it was recorded."""
        while self.loud is None and self.frames < seconds * RATE:
            self._read(RATE // 10)
        self.child.terminate()
        self.child.communicate()
        return None if self.loud is None else self.origin_us + self.loud * SECOND_US // RATE

    def _read(self, frames: int) -> None:
        assert self.child.stdout is not None
        until = self.frames + frames
        while self.frames < until:
            block = np.frombuffer(self.child.stdout.read(440), "<i2")
            at = np.flatnonzero(np.abs(block.astype(np.int32)) > 1000)
            if self.loud is None and at.size:
                self.loud = self.frames + int(at[0])
            self.frames += block.size
            begin = CLOCK.monotonic_us() - self.frames * SECOND_US // RATE
            self.origin_us = begin if self.frames == block.size else min(self.origin_us, begin)


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("player", ["pulse", "alsa", "auto"])
def test_a_sound_leaves_the_machine_at_its_moment_by_the_captured_samples(player: str) -> None:
    recording = Recording()
    stream = Stream(lambda: open_output(player, ""), CLOCK)
    stopping, over = threading.Event(), threading.Event()
    told: list[int] = []
    thread = threading.Thread(target=stream.run, args=(stopping,))
    thread.start()
    at_us = CLOCK.monotonic_us() + 2 * SECOND_US
    tone = np.full(RATE // 2, 9_000, np.int16)
    path = Path("bell.wav")
    stream.begin(Sound(tone, path, at_us, at_us + SECOND_US, told.append, lambda _at, _why: over.set()))
    onset_us = recording.onset_us(20)
    assert over.wait(30)
    stopping.set()
    thread.join()
    assert onset_us is not None
    assert -EARLY_US < onset_us - at_us < LATE_US
    assert -EARLY_US < told[0] - at_us < LATE_US
    assert stream.trouble() == ""


def test_a_sound_server_that_restarts_is_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "pulse"
    monkeypatch.setenv("PULSE_SERVER", f"unix:{folder / 'native'}")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    stream, stopping = Stream(PulseOutput, CLOCK), threading.Event()
    thread = threading.Thread(target=stream.run, args=(stopping,))
    thread.start()
    for _ in range(2):
        assert _comes(lambda: "no sound server" in stream.trouble() or "went away" in stream.trouble())
        with pulse_server(folder, SINK):
            assert _comes(lambda: stream.trouble() == "")
    stopping.set()
    thread.join()


def _comes(is_so: "object") -> bool:
    assert callable(is_so)
    for _ in range(2000):
        if is_so():
            return True
        CLOCK.sleep_us(20_000)
    return False


def test_a_machine_without_any_sound_says_what_it_tried(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path / 'nobody'}")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with pytest.raises(OutputError, match=r"no sound server.*; no sound card"):
        open_output("auto", "hw:77")
    with pytest.raises(OutputError, match="no sound server"):
        open_output("pulse", "")
    with pytest.raises(OutputError, match="no sound card"):
        AlsaOutput("hw:77")


@pytest.mark.usefixtures("server")
def test_a_sink_that_does_not_exist_is_refused() -> None:
    with pytest.raises(OutputError, match="No such entity"):
        PulseOutput("attic")
