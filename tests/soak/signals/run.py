"""Runs simulated days one after another."""

from exam.clock import MINUTE_US
from tests.soak.signals.day import DAY_US, Day
from tests.soak.signals.people import People
from tests.soak.signals.troubles import Troubles
from tests.soak.signals.truth import LawBrokenError

LASTS_US = 330 * MINUTE_US


def run_day(seed: int, *, troubles: int = 8) -> dict[str, int]:
    """One day with its people and troubles; what happened, counted. Raises LawBrokenError."""
    day = Day(seed)
    people = People(day)
    people.plan()
    Troubles(day).plan(troubles)
    try:
        day.live(DAY_US + LASTS_US)
    except LawBrokenError as error:
        error.add_note("\n".join(day.trail))
        raise
    return day.counts
