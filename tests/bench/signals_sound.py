"""A sound server of our own, whose output is captured: onsets are found in samples, never in anybody's plan.

PulseAudio runs in a private folder without the machine's services. Its null sinks have one channel per
room, so all rooms of a sink are captured on one clock, sample by sample.
"""

import subprocess
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from exam.clock import SECOND_US, SystemClock
from tests.sound_server import pulse_server

RATE = 22_050
CHANNELS = 32
# Pulse's numbers of the positions aux0, aux1, ...
AUX0 = 12
POSITIONS = ",".join(f"aux{number}" for number in range(CHANNELS))
BLOCK_FRAMES = RATE // 50
LOUD = 1_000
# A channel that was quiet this long and is loud again has begun anew.
QUIET_FRAMES = RATE // 20
CLOCK = SystemClock()


@dataclass(frozen=True, slots=True)
class SoundServer:
    """Where programs find it."""

    folder: Path
    environment: dict[str, str]


@contextmanager
def sound_server(folder: Path, single: dict[str, int]) -> Iterator[SoundServer]:
    """PulseAudio with one null sink of 32 channels, `rooms`; `single` maps a name to one channel of it.

    One server takes at most 64 connections: thirty rooms and their pages.
    """
    shape = f"rate={RATE} format=s16le channels={CHANNELS} channel_map={POSITIONS}"
    modules = [f"module-null-sink sink_name=rooms {shape}"]
    for name, channel in single.items():
        shape = f"channels=1 channel_map=mono master_channel_map=aux{channel} remix=no"
        modules.append(f"module-remap-sink sink_name={name} master=rooms {shape}")
    with pulse_server(folder, *modules) as environment:
        yield SoundServer(folder, environment)


@dataclass
class Capture:
    """Records one null sink and notes when each channel begins to sound, by the machine's wall clock."""

    server: SoundServer
    frames: int = 0
    # Frame numbers at which a channel became loud.
    onsets: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    _origin_us: int | None = None
    _last_loud: "np.ndarray | None" = None
    _child: "subprocess.Popen[bytes] | None" = None
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Record from now on."""
        words = [
            "nice",
            "-n",
            "-10",
            "parec",
            "--raw",
            "--device=rooms.monitor",
            "--format=s16le",
        ]
        words += [f"--rate={RATE}", f"--channels={CHANNELS}", f"--channel-map={POSITIONS}"]
        words += ["--latency-msec=20"]
        self._child = subprocess.Popen(words, env=self.server.environment, stdout=subprocess.PIPE)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Record no more."""
        assert self._child is not None
        assert self._thread is not None
        self._child.terminate()
        self._child.wait()
        self._thread.join()

    def moments_us(self, channel: int) -> list[int]:
        """When the channel began to sound, wall clock.

        A block cannot arrive before it was recorded, so the earliest arrival of all tells where on the
        clock the first frame stood.
        """
        origin = self._origin_us or 0
        return [origin + frame * SECOND_US // RATE for frame in self.onsets[channel]]

    def _read(self) -> None:
        assert self._child is not None
        assert self._child.stdout is not None
        self._last_loud = np.full(CHANNELS, -QUIET_FRAMES)
        while True:
            raw = self._child.stdout.read(BLOCK_FRAMES * CHANNELS * 2)
            if len(raw) < BLOCK_FRAMES * CHANNELS * 2:
                return
            arrived_us = CLOCK.wall_us()
            self._take(np.abs(np.frombuffer(raw, "<i2").reshape(-1, CHANNELS).astype(np.int32)) > LOUD)
            origin = arrived_us - self.frames * SECOND_US // RATE
            self._origin_us = origin if self._origin_us is None else min(origin, self._origin_us)

    def _take(self, loud: np.ndarray) -> None:
        assert self._last_loud is not None
        for channel in np.flatnonzero(loud.any(axis=0)):
            at = np.flatnonzero(loud[:, channel]) + self.frames
            gaps = np.diff(np.concatenate([[self._last_loud[channel]], at]))
            self.onsets[int(channel)] += [int(frame) for frame in at[gaps > QUIET_FRAMES]]
            self._last_loud[channel] = at[-1]
        self.frames += loud.shape[0]
