"""The recorder, one capture program, or both together are killed (-9) at random moments while cameras record.

0 acknowledged segments may be lost, and of each camera that was hit at most one fragment. `--rounds` counts
earlier rounds: a trial that was stopped goes on where it was.
"""

import os
import random
import signal
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rehearsal.camera_server import running_cameras
from tests.bench.bench_report import progress
from tests.soak.crash_site import (
    FRAGMENT_US,
    FRAME_US,
    CrashSite,
    Record,
    Round,
    arguments_of,
    lay_site,
    now_us,
    pause,
    plans,
    suffer,
)

VICTIMS = ("recorder", "one capture", "all at once")
# What the loopback network and a busy machine may hold back.
TRANSPORT_US = 100_000


def crash(crash_site: CrashSite, chance: random.Random, number: int) -> Round:
    """Kill something at a random moment, start again what does not by itself, and measure."""
    pause(chance.uniform(0.2, 6.2))
    victim = VICTIMS[number % len(VICTIMS)]
    acknowledged = crash_site.note_acknowledged()
    captures = crash_site.captures()
    assert crash_site.service is not None
    if victim == "one capture":
        pid = chance.choice(captures)
        hit = [name for name in crash_site.names if crash_site.site.uuids[name] in _words(pid)]
        os.kill(pid, signal.SIGKILL)
        crashed_at_us = now_us()
    else:
        hit = crash_site.names
        for pid in [crash_site.service.pid, *(captures if victim == "all at once" else ())]:
            os.kill(pid, signal.SIGKILL)
        crashed_at_us = now_us()
        crash_site.kill()
        crash_site.start()
    crash_site.wait_until_recording(crashed_at_us, hit)
    lost = {name: crash_site.lost_us(name, crashed_at_us) for name in hit}
    others = [crash_site.site.state(name) for name in crash_site.names if name not in hit]
    disturbed = sum(state is None or state.since_us > crashed_at_us for state in others)
    return Round(number, victim, lost, now_us() - crashed_at_us, disturbed, acknowledged)


def _words(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode()


def main(argv: Sequence[str]) -> int:
    arguments = arguments_of("kills", __doc__, argv, 200)
    record = Record.open("kills", anew=arguments.anew)
    if len(record.rounds) < arguments.rounds:
        with tempfile.TemporaryDirectory(prefix="soak-kills-") as name:
            folder = Path(name)
            progress("preparing the simulated cameras")
            with running_cameras(plans(arguments.cameras), folder, loop_seconds=4) as cameras:
                crash_site = lay_site(folder, cameras)
                chance = random.Random(len(record.rounds))
                suffer(record, crash_site, arguments.rounds, partial(crash, crash_site, chance))
    return record.report(FRAGMENT_US + FRAME_US + TRANSPORT_US)
