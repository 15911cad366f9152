"""Do all rooms ring at the right moment, together, though the server dies a second before?

Sixty rooms (real speaker programs and real Chromiums, each with a clock of its own that is wrong by up to
30 s, over a line that is late by up to 200 ms each way) play 12 signals (24 with `--sessions 4`) into a
captured sound server. Onset and spread are computed from the captured samples alone. The console is killed a
second before one of the signals and comes back some seconds later; what was played meanwhile must be told
afterwards.

What no site pays for is in the figures: all rooms, the console, the bad line and the capture share the
processors of one machine, where a site has one machine a room. The pages run in the engine without the
windows around it, which would be drawn here on the processor. The rows of speakers and pages tell who was
late; where something else works on the machine meanwhile, nothing here means anything.

A null sink proves when samples left the machine. It does not prove what a loudspeaker, an amplifier or a
Bluetooth link (100 to 300 ms) adds behind it, nor that anybody could hear it.
"""

import argparse
import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

from exam.clock import SECOND_US, SystemClock
from tests.bench.bench_report import Row, print_report, progress
from tests.bench.checkin import free_port
from tests.bench.signals_fanout import fan_out
from tests.bench.signals_rooms import Room, bad_line, pages, speakers
from tests.bench.signals_site import (
    BenchSite,
    Planned,
    all_reports,
    console,
    kill_consoles,
    lay_site,
    plan_day,
    started_us,
    wait_for_console,
)
from tests.bench.signals_sound import Capture, sound_server

CLOCK = SystemClock()
ROOMS_PER_SERVER = 30
# An onset this far from a signal's moment belongs to another signal.
NEAR_US = 1_000_000
AWAY_US = 4 * SECOND_US
# Speakers are given so long to open their output; then the day is planned and the console started.
SETTLE_US = 6 * SECOND_US
FIRST_US = 45 * SECOND_US
# Reports of the last signal, and of its end, are on their way for a while.
REPORTS_US = 12 * SECOND_US


class Onset(NamedTuple):
    """One signal as one room really gave it; `late_us` None: it did not."""

    signal: Planned
    room: str
    late_us: int | None


def main(argv: list[str]) -> int:
    """Measure and print the report."""
    parser = argparse.ArgumentParser(prog="bench signals", description=__doc__)
    parser.add_argument("--rooms", type=int, default=60, help="rooms (60)")
    parser.add_argument("--pages", type=int, default=2, help="of these, room pages in real Chromium (2)")
    parser.add_argument("--sessions", type=int, default=2, help="sessions of six signals each (2; whole: 4)")
    parser.add_argument("--tablets", type=int, default=80, help="connected tablets (80)")
    parser.add_argument("--messages", type=int, default=15, help="messages to the tablets, one a second (15)")
    chosen = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        found = measure(Path(name), chosen)
    print_report("signals", found)
    return 0


def measure(folder: Path, chosen: argparse.Namespace) -> list[Row]:
    """The whole run."""
    site = lay_site(folder / "site", free_port(), chosen.rooms, chosen.sessions)
    servers = -(-chosen.rooms // ROOMS_PER_SERVER)
    rooms = [
        # The first rooms have pages: on a tablet of its own, a page shares its sound server with no speaker.
        Room(code, servers, index) if index < chosen.pages else Room(code, index % servers, index // servers)
        for index, code in enumerate(site.room_codes)
    ]
    outputs = {f"page{number}": rooms[number] for number in range(chosen.pages)}
    planned, began = live_through(folder, site, rooms, outputs)
    onsets = matched(planned, began, started_us(site))
    found = rows(onsets, {room.code for room in outputs.values()}, _fatal(planned).planned_us)
    found += report_rows(site, onsets, began)
    with console(site):
        wait_for_console(site)
        waits = fan_out(site, chosen.tablets, chosen.messages)
    fan_outs = [Row("fanout_p99", p99(waits), "ms", len(waits))]
    return [*found, *fan_outs, Row("fanout_p50", round(median(waits), 1), "ms", len(waits))]


def live_through(
    folder: Path, site: BenchSite, rooms: list[Room], outputs: dict[str, Room]
) -> tuple[list[Planned], dict[str, list[int]]]:
    """The day with all its players: the plan, and when each room was heard to begin by captured samples."""
    servers = max(room.server for room in rooms) + 1
    spoken = [room for room in rooms if room not in outputs.values()]
    with ExitStack() as stack:
        sound = []
        for number in range(servers):
            single = {name: room.channel for name, room in outputs.items() if room.server == number}
            sound.append(stack.enter_context(sound_server(folder / f"pulse{number}", single)))
        captures = [Capture(server) for server in sound]
        for capture in captures:
            capture.start()
        line = stack.enter_context(bad_line(free_port(), site.settings.web.port))
        progress(f"{len(spoken)} speakers start; the console is not there yet")
        stack.enter_context(speakers(site, spoken, sound, line))
        CLOCK.sleep_us(SETTLE_US)
        planned = plan_day(site, FIRST_US)
        stack.enter_context(console(site))
        wait_for_console(site)
        stack.enter_context(pages(site, outputs, sound, line))
        left_s = (planned[0].planned_us - CLOCK.wall_us()) / SECOND_US
        progress(f"{len(outputs)} pages; {len(planned)} signals, the first in {left_s:.0f} s")
        _kill_and_revive(stack, site, planned)
        for capture in captures:
            capture.stop()
    return planned, {room.code: captures[room.server].moments_us(room.channel) for room in rooms}


def _kill_and_revive(stack: ExitStack, site: BenchSite, planned: list[Planned]) -> None:
    """Wait for the end of the day; meanwhile the console dies a second before the first start signal."""
    _wait_until(_fatal(planned).planned_us - SECOND_US)
    kill_consoles(site)
    progress("console killed")
    CLOCK.sleep_us(AWAY_US)
    stack.enter_context(console(site))
    progress("console started again")
    _wait_until(planned[-1].planned_us + REPORTS_US)


def _fatal(planned: list[Planned]) -> Planned:
    """The signal before which the console dies."""
    return next(one for one in planned if one.cue == "C5")


def _wait_until(moment_us: int) -> None:
    CLOCK.sleep_us(moment_us - CLOCK.wall_us())


def matched(
    planned: list[Planned], began: dict[str, list[int]], starts: dict[tuple[int, str], int]
) -> list[Onset]:
    """Each signal in each room with the captured onset nearest to its moment."""
    found = []
    for signal in planned:
        nominal = next(one for one in planned if (one.session_id, one.cue) == (signal.session_id, "C5"))
        for room, moments in began.items():
            due_us = signal.planned_us
            if signal.is_after_start:
                due_us += starts.get((signal.session_id, room), nominal.planned_us) - nominal.planned_us
            near = [at - due_us for at in moments if abs(at - due_us) < NEAR_US]
            found.append(Onset(signal, room, min(near, key=abs) if near else None))
    return found


def rows(onsets: list[Onset], page_rooms: set[str], killed_us: int) -> list[Row]:
    """The figures of the captured samples."""
    heard = [one for one in onsets if one.late_us is not None]
    errors = [abs(one.late_us) / 1000 for one in heard if one.late_us is not None]
    by_signal: dict[Planned, list[int]] = defaultdict(list)
    for one in heard:
        if one.late_us is not None:
            by_signal[one.signal].append(one.late_us)
    spreads = [(max(late) - min(late)) / 1000 for late in by_signal.values()]
    of_pages = [abs(one.late_us or 0) / 1000 for one in heard if one.room in page_rooms]
    dead = [one for one in onsets if 0 <= one.signal.planned_us - killed_us < AWAY_US - SECOND_US]
    early = [one.late_us for one in heard if one.late_us is not None and one.late_us < 0]
    found = [
        Row("onset_error_p99", p99(errors), "ms", len(errors)),
        Row("onset_error_p50", round(median(errors), 1), "ms", len(errors)),
        Row("room_spread_p99", p99(spreads), "ms", len(spreads)),
        Row("room_spread_p50", round(median(spreads), 1), "ms", len(spreads)),
        Row("earliest_onset", round(min(early, default=0) / 1000, 1), "ms", len(heard)),
        Row("signals_not_heard", len(onsets) - len(heard), "count", len(onsets)),
        Row("not_heard_while_console_dead", sum(one.late_us is None for one in dead), "count", len(dead)),
    ]
    of_speakers = [abs(one.late_us or 0) / 1000 for one in heard if one.room not in page_rooms]
    found.append(Row("speaker_onset_error_p99", p99(of_speakers), "ms", len(of_speakers)))
    return [*found, Row("page_onset_error_p99", p99(of_pages), "ms", len(of_pages))] if of_pages else found


def report_rows(site: BenchSite, onsets: list[Onset], began: dict[str, list[int]]) -> list[Row]:
    """Whether every room told what it played, and nothing sounded twice."""
    reports = [one for one in all_reports(site) if one.started_at_us is not None]
    heard = sum(one.late_us is not None for one in onsets)
    extra = sum(map(len, began.values())) - heard
    return [
        Row("reports_missing", max(0, heard - len(reports)), "count", heard),
        Row("sounds_without_signal", extra, "count", heard),
    ]


def p99(values: list[float]) -> float:
    """The value that one in a hundred exceeds."""
    return round(quantiles([*values, *values], n=100, method="inclusive")[98], 1) if values else 0.0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
