"""How often a staff PIN may be tried at a kiosk: three times at once, then after growing waits.

Pure. The wait is the kiosk's and never a person's: whoever knows a number could else shut its holder out
everywhere by typing nonsense. The kiosk keeps the moments of wrong tries durably, whoever was meant, and asks
here before it spends a second on the next; its clock is corrected to the console's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from exam.clock import MINUTE_US, SECOND_US

# Wrong tries without any wait.
FREE: Final = 2
FIRST_WAIT_US: Final = 10 * SECOND_US
LONGEST_WAIT_US: Final = 5 * MINUTE_US
# Older tries count no more: an evening's nonsense does not slow down the next morning.
COUNTED_US: Final = 12 * 60 * MINUTE_US
# From so many wrong tries of one PIN on, the site lead hears of it.
NOTED_AT: Final = 5


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a PIN may be tried now. `until_us`: from when on; None: at once."""

    may_try: bool
    until_us: int | None = None


def standing(wrong_at_us: Sequence[int], now_us: int) -> Standing:
    """The standing of one kiosk, by its wrong tries that count.

    A try later than now was made before the clock was set back: by more than the longest wait, it holds up
    nobody.
    """
    counted = [moment for moment in wrong_at_us if abs(now_us - moment) < COUNTED_US]
    if len(counted) <= FREE:
        return Standing(may_try=True)
    wait_us = min(FIRST_WAIT_US * 2 ** min(len(counted) - FREE - 1, 10), LONGEST_WAIT_US)
    last_us = max(counted)
    if -LONGEST_WAIT_US <= now_us - last_us < wait_us:
        return Standing(may_try=False, until_us=last_us + wait_us)
    return Standing(may_try=True)


def is_noted(wrong_at_us: Sequence[int], now_us: int) -> bool:
    """Whether somebody seems to guess at one person's PIN."""
    return sum(abs(now_us - moment) < COUNTED_US for moment in wrong_at_us) >= NOTED_AT
