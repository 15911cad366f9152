"""Draws the recorded time of one camera as a bar: shapes with places, ready for SVG without any style.

Footage is solid, a gap with a cause is hatched, unaccounted time is hatched crosswise, open time is
empty: the drawing can be read on a black-and-white print. The template gives classes and plain colours.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from exam.certificate import Account, Stretch
from exam.recording_schedule import Schedule

# The drawing's own units.
WIDTH: Final = 1000.0
TOP, BOTTOM = 12.0, 44.0
HATCH_STEP: Final = 8.0
# What must be seen is drawn at least this wide, however short it was.
LEAST_WIDTH: Final = 4.0
MUST_BE_SEEN: Final = frozenset({Account.GAP, Account.UNACCOUNTED})


@dataclass(frozen=True, slots=True)
class BarPart:
    """One stretch as a rectangle; `hatching` is an SVG path, empty when nothing is hatched."""

    account: Account
    x: float
    width: float
    hatching: str


@dataclass(frozen=True, slots=True)
class Bar:
    """The whole drawing. Signals are places on the bar; None when not recorded or outside."""

    parts: tuple[BarPart, ...]
    start_x: float | None
    stop_x: float | None


def draw(schedule: Schedule, stretches: Sequence[Stretch]) -> Bar:
    """The bar of one camera. Short gaps are drawn last and wider than they were."""
    ordered = sorted(stretches, key=lambda one: (one.account in MUST_BE_SEEN, one.from_us))
    return Bar(
        tuple(_part(schedule, one) for one in ordered),
        _signal_x(schedule, schedule.started_at_us),
        _signal_x(schedule, schedule.stopped_at_us),
    )


def _part(schedule: Schedule, one: Stretch) -> BarPart:
    x = _x(schedule, one.from_us)
    width = _x(schedule, one.until_us) - x
    if one.account in MUST_BE_SEEN:
        width = max(width, LEAST_WIDTH)
        x = min(x, WIDTH - width)
    return BarPart(one.account, round(x, 2), round(width, 2), _hatching(one.account, x, x + width))


def _hatching(account: Account, left: float, right: float) -> str:
    if account not in MUST_BE_SEEN:
        return ""
    rising = list(_diagonals(left, right))
    if account is Account.GAP:
        return "".join(_line(x1, BOTTOM - d1, x2, BOTTOM - d2) for x1, d1, x2, d2 in rising)
    both = [
        _line(x1, BOTTOM - d1, x2, BOTTOM - d2) + _line(x1, TOP + d1, x2, TOP + d2)
        for x1, d1, x2, d2 in rising
    ]
    return "".join(both)


def _diagonals(left: float, right: float) -> Iterator[tuple[float, float, float, float]]:
    """Diagonals across the bar cut to [left, right]: place and distance from the edge, at both ends."""
    height = BOTTOM - TOP
    foot = left - height + HATCH_STEP / 2
    while foot < right:
        x1, x2 = max(foot, left), min(foot + height, right)
        yield x1, x1 - foot, x2, x2 - foot
        foot += HATCH_STEP


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"


def _x(schedule: Schedule, moment_us: int) -> float:
    return (moment_us - schedule.from_us) * WIDTH / schedule.scheduled_us


def _signal_x(schedule: Schedule, moment_us: int | None) -> float | None:
    if moment_us is None or not schedule.from_us <= moment_us <= schedule.until_us:
        return None
    return round(_x(schedule, moment_us), 2)
