"""When each picture was taken by our wall clock: the time model of docs/design/evidence.md.

Pure rules. Two kinds of stamp stand in the `prft` boxes of a recorded file and look alike:

- with sender reports, the camera's own clock at the first picture of the fragment. The camera's clock
  may be wrong by any amount, so its difference from ours is measured at every closing of a file;
- without them, our clock when the fragment was flushed, which is when the *next* keyframe arrived.

A picture that travelled longer than others can only make a measurement too late, never too early, so
the smallest measurement is the best; it may grow again only as fast as a camera's clock may drift.

The capture program lets a picture go when the next one begins to arrive, so its flush times and the
camera times it writes are both one picture late, in every file. That is taken off here.

It loses the time of the first picture of a connection (with B-frames, of the first few) and gives it no
length. The first fragment of a run is therefore dated so that the pictures after these are right.

A file whose end was never written (a full disk, a killed child) was last touched some time after its last
whole fragment, and nobody knows how long: then it counts where the file began, not when it was closed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from evidence.footage import ClockSource
from evidence.fragments import Fragment, ParsedFile, ParsedFragment
from evidence.sound import SoundKind

# How fast an old measurement loses its authority: no camera clock drifts faster (parts per million).
DRIFT_PPM: Final = 500
# A stamp this close to the moment its file was closed is that moment, not the camera's time.
FLUSH_LAG_US: Final = 100_000
# Stamps of one camera clock follow the media time this closely, unless the clock was set in between.
CHAIN_US: Final = 50_000
# The encoder of transcoded sound lets go two of its frames late: 1024 samples each, 16,000 a second.
ENCODER_US: Final = 2 * 1024 * 1_000_000 // 16_000
# Two fragments whose lengths differ by less cannot tell the kinds of stamp apart.
TELLING_US: Final = 100_000


@dataclass(frozen=True, slots=True)
class Before:
    """What the segment just before, of the same run, taught."""

    ended_at_us: int
    camera_offset_us: int | None


class Ending(Enum):
    """What closed a file. The value: how many pictures the closing may come before the next would have."""

    NEXT_KEYFRAME = 0
    INTERRUPTED = 1
    CAMERA_SILENT = 2


@dataclass(frozen=True, slots=True)
class ClockBreak:
    """Our wall clock was set while a file grew, by so much, and not before that moment of the old clock."""

    step_us: int
    last_good_us: int

    @property
    def trusted_until_us(self) -> int:
        """No stamp up to here can have been taken with the new clock and look as if it had not."""
        return self.last_good_us - max(0, -self.step_us)


@dataclass(frozen=True, slots=True)
class Closing:
    """How a file ended. `at_us`: our clock when its last byte was written."""

    at_us: int
    ending: Ending = Ending.NEXT_KEYFRAME
    # When the last picture had certainly arrived; None: when the file was closed.
    arrived_by_us: int | None = None
    # Set: the file is dated by the clock it began with, and `at_us` is by the new one.
    clock_break: ClockBreak | None = None
    # When the first picture had arrived, by what the child said meanwhile; None: nobody knows.
    began_by_us: int | None = None

    def arrival_us(self, frame_us: int, held_us: int) -> int:
        """Our clock when the picture after the last one arrived, or would have; late rather than early.

        `held_us`: how long the keyframe that closed the file was held back.
        """
        known_us = self.at_us if self.clock_break is None else self.at_us - self.clock_break.step_us
        if self.arrived_by_us is not None:
            known_us = min(known_us, self.arrived_by_us)
        if self.ending is Ending.NEXT_KEYFRAME:
            known_us -= held_us
        return known_us + (self.ending.value - 1) * frame_us


@dataclass(frozen=True, slots=True)
class Placement:
    """The fragments of one file with their wall times, and how these were found."""

    fragments: list[Fragment]
    clock_source: ClockSource
    # Camera clock minus ours, transport included; None without sender reports.
    camera_offset_us: int | None

    @property
    def started_at_us(self) -> int:
        """Wall time of the first picture."""
        return self.fragments[0].wall_us

    @property
    def ended_at_us(self) -> int:
        """Wall time at which the last picture stopped being shown."""
        return self.fragments[-1].wall_us + self.fragments[-1].duration_us


def place(parsed: ParsedFile, closing: Closing, before: Before | None) -> Placement:
    """Give every fragment of a closed file its wall time."""
    are_flush_times = parsed.fragments[-1].stamp_us is None or (
        _are_flush_times(parsed.fragments, closing) or _continue_flushing(parsed, closing, before)
    )
    return (_by_arrival if are_flush_times else _by_sender_reports)(parsed, closing, before)


def shifted(placement: Placement, started_at_us: int) -> Placement:
    """The same pictures with the first one at a moment already promised (a file that has its final name)."""
    by_us = started_at_us - placement.started_at_us
    moved = [_moved(fragment, by_us) for fragment in placement.fragments]
    offset = None if placement.camera_offset_us is None else placement.camera_offset_us - by_us
    return Placement(moved, placement.clock_source, offset)


def _moved(fragment: Fragment, by_us: int) -> Fragment:
    return Fragment(
        fragment.offset,
        fragment.size_bytes,
        fragment.media_us,
        fragment.duration_us,
        fragment.wall_us + by_us,
    )


def _are_flush_times(fragments: Sequence[ParsedFragment], closing: Closing) -> bool:
    last = fragments[-1]
    step_us = 0 if closing.clock_break is None else closing.clock_break.step_us
    lag_us = min(abs(closing.at_us - by_us - _stamp(last)) for by_us in (0, step_us))
    if lag_us > FLUSH_LAG_US:
        return False
    if len(fragments) == 1:
        return True
    # A short last fragment of a camera whose clock is right looks the same; the step before it tells.
    before = fragments[-2]
    if before.stamp_us is None:
        return True
    between_us = _stamp(last) - before.stamp_us
    follows_media = abs(between_us - before.duration_us) <= CHAIN_US
    return not (follows_media and abs(before.duration_us - last.duration_us) > TELLING_US)


def _continue_flushing(parsed: ParsedFile, closing: Closing, before: Before | None) -> bool:
    """Whether a file that was cut off is stamped as one is that began there and told when it was flushed.

    A camera's right clock would be a whole last fragment away.
    """
    latest_us = _latest_start_us(parsed, closing, before)
    if latest_us is None or parsed.is_ended or (before is not None and before.camera_offset_us is not None):
        return False
    last = parsed.fragments[-1]
    off_us = _stamp(last) - _held_us(parsed) - parsed.frame_us - parsed.media_us - latest_us
    return 2 * abs(off_us) < last.duration_us


def _latest_start_us(parsed: ParsedFile, closing: Closing, before: Before | None) -> int | None:
    """The first picture came no later than this, as far as anything but the file's closing tells."""
    if before is not None:
        return before.ended_at_us + _aged(parsed.media_us)
    return None if parsed.is_ended else closing.began_by_us


def _by_arrival(parsed: ParsedFile, closing: Closing, before: Before | None) -> Placement:
    held_us = _held_us(parsed)
    starts = [
        fragment.stamp_us - held_us - parsed.frame_us - fragment.media_us - fragment.duration_us
        for fragment in _trusted(parsed, closing)
        if fragment.stamp_us is not None
    ]
    latest_us = _latest_start_us(parsed, closing, before)
    if latest_us is not None:
        starts.append(latest_us)
    starts.append(closing.arrival_us(parsed.frame_us, held_us) - parsed.media_us)
    start_us = min(starts)
    walls = [start_us + fragment.media_us for fragment in parsed.fragments]
    return Placement(_with_walls(parsed.fragments, walls), ClockSource.ARRIVAL, None)


def _held_us(parsed: ParsedFile) -> int:
    """How long a picture waited, at the least, for the transcoded sound that lies before it in the file."""
    return ENCODER_US if parsed.sound.kind is SoundKind.DERIVED else 0


def _trusted(parsed: ParsedFile, closing: Closing) -> Sequence[ParsedFragment]:
    fragments = parsed.fragments
    if closing.ending is not Ending.NEXT_KEYFRAME and parsed.is_ended:
        fragments = fragments[:-1]  # flushed by the end, not by a picture
    if closing.clock_break is None:
        return fragments
    trusted: list[ParsedFragment] = []
    for fragment in fragments:
        stamp_us = fragment.stamp_us
        is_later = stamp_us is None or stamp_us > closing.clock_break.trusted_until_us
        if is_later or (trusted and _stamp(fragment) < _stamp(trusted[-1])):
            break
        trusted.append(fragment)
    return trusted


def _by_sender_reports(parsed: ParsedFile, closing: Closing, before: Before | None) -> Placement:
    camera_times, is_unbroken = _camera_times(parsed)
    ended_us = camera_times[-1] + parsed.fragments[-1].duration_us
    lag_us = closing.arrival_us(parsed.frame_us, _held_us(parsed)) - ended_us
    latest_us = None if parsed.is_ended else _latest_start_us(parsed, closing, before)
    if latest_us is not None:
        lag_us = min(lag_us, latest_us + parsed.media_us - ended_us)
    if is_unbroken and before is not None and before.camera_offset_us is not None:
        camera_ended_us = before.ended_at_us + before.camera_offset_us
        if abs(camera_times[0] - camera_ended_us) <= CHAIN_US:
            lag_us = min(lag_us, _aged(parsed.media_us) - before.camera_offset_us)
    walls = [camera_us + lag_us for camera_us in camera_times]
    return Placement(_with_walls(parsed.fragments, walls), ClockSource.SENDER_REPORTS, -lag_us)


def _camera_times(parsed: ParsedFile) -> tuple[list[int], bool]:
    """The camera's time of each fragment by the clock it had at the end; whether it was never set."""
    first, last = parsed.fragments[0], parsed.fragments[-1]
    times = [_stamp(last) - parsed.frame_us]
    if last is first:
        times[0] += parsed.lengthless * parsed.frame_us
    is_unbroken = True
    for fragment in reversed(parsed.fragments[:-1]):
        by_media_us = times[-1] - fragment.duration_us
        is_timeless = fragment.stamp_us is None or (fragment is first and parsed.lengthless > 0)
        camera_us = by_media_us if is_timeless else _stamp(fragment) - parsed.frame_us
        is_unbroken = is_unbroken and abs(camera_us - by_media_us) <= CHAIN_US
        times.append(camera_us if is_unbroken else by_media_us)
    return times[::-1], is_unbroken


def _with_walls(fragments: Sequence[ParsedFragment], walls: Sequence[int]) -> list[Fragment]:
    return [
        Fragment(fragment.offset, fragment.size_bytes, fragment.media_us, fragment.duration_us, wall_us)
        for fragment, wall_us in zip(fragments, walls, strict=True)
    ]


def _stamp(fragment: ParsedFragment) -> int:
    assert fragment.stamp_us is not None
    return fragment.stamp_us


def _aged(elapsed_us: int) -> int:
    return elapsed_us * DRIFT_PPM // 1_000_000
