"""How often a staff PIN may be tried at a kiosk: five wrong, a quarter of an hour; ten, the site lead.

Pure. The kiosk keeps the moments of the wrong tries since the last right one, per person, durably, and
asks here before it spends a second on the next; its clock is corrected to the console's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from exam.clock import MINUTE_US

FREE: Final = 5
LOCKED_AT: Final = 10
PAUSE_US: Final = 15 * MINUTE_US


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether the PIN may be tried now. `until_us`: from when on; None: at once, or the lead must help."""

    may_try: bool
    # Wrong tries left before the next pause or lock.
    tries_left: int
    until_us: int | None = None
    needs_lead: bool = False


def standing(wrong_at_us: Sequence[int], unlocked_at_us: int | None, now_us: int) -> Standing:
    """The standing of one person at one kiosk.

    `wrong_at_us`: the wrong tries since the last right one; those before the lead's unlocking count no more.
    A try later than now was made before the clock was set back: by more than a pause, it holds up nobody.
    """
    counted = sorted(moment for moment in wrong_at_us if unlocked_at_us is None or moment > unlocked_at_us)
    if len(counted) >= LOCKED_AT:
        return Standing(may_try=False, tries_left=0, needs_lead=True)
    if len(counted) < FREE:
        return Standing(may_try=True, tries_left=FREE - len(counted))
    since_us = counted[FREE - 1]
    if len(counted) == FREE and -PAUSE_US <= now_us - since_us < PAUSE_US:
        return Standing(may_try=False, tries_left=0, until_us=since_us + PAUSE_US)
    return Standing(may_try=True, tries_left=LOCKED_AT - len(counted))
