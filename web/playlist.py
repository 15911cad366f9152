"""Turns indexed footage into an HLS playlist of byte ranges over the recorded files themselves.

Pure: no file is opened and nothing is re-encoded. Each recorded file restarts its media time, so
each is its own discontinuity with its own initialisation range and its own wall time; absence of
footage is left out here and drawn from the coverage (a player stops at EXT-X-GAP).
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC
from typing import Final

from evidence.footage import Segment
from evidence.fragments import Fragment
from evidence.timeline import Interval
from exam.clock import SECOND_US, from_us

# How often a player asks again while footage is still arriving: players wait one target duration.
RELOAD_S: Final = 6


def playlist(
    segments: Sequence[Segment], interval: Interval, address: Callable[[int], str], *, complete: bool
) -> str:
    """The playlist of one camera's footage in the interval, oldest first.

    `address` tells where a segment's bytes are found. An incomplete playlist may only grow at its
    end: the player asks again until it is complete.
    """
    shown = [(segment, _shown(segment, interval)) for segment in segments]
    shown = [(segment, fragments) for segment, fragments in shown if fragments]
    longest_us = max((fragment.duration_us for _, fragments in shown for fragment in fragments), default=0)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{_target_s(longest_us, complete=complete)}",
        f"#EXT-X-PLAYLIST-TYPE:{'VOD' if complete else 'EVENT'}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        "#EXT-X-MEDIA-SEQUENCE:0",
    ]
    for position, (segment, fragments) in enumerate(shown):
        if position:
            lines.append("#EXT-X-DISCONTINUITY")
        lines.extend(_file_lines(segment, fragments, address(segment.id)))
    if complete:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def _shown(segment: Segment, interval: Interval) -> list[Fragment]:
    return [
        fragment
        for fragment in segment.fragments
        if interval.meets(fragment.wall_us, fragment.wall_us + fragment.duration_us)
    ]


def _file_lines(segment: Segment, fragments: Sequence[Fragment], address: str) -> Iterator[str]:
    yield f'#EXT-X-MAP:URI="{address}",BYTERANGE="{segment.init_bytes}@0"'
    yield f"#EXT-X-PROGRAM-DATE-TIME:{_wall_time(fragments[0].wall_us)}"
    for fragment in fragments:
        yield f"#EXTINF:{fragment.duration_us / SECOND_US:.6f},"
        yield f"#EXT-X-BYTERANGE:{fragment.size_bytes}@{fragment.offset}"
        yield address


def _target_s(longest_us: int, *, complete: bool) -> int:
    rounded_up = -(-longest_us // SECOND_US)
    return max(rounded_up, 1 if complete else RELOAD_S)


def _wall_time(moment_us: int) -> str:
    return from_us(moment_us).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
