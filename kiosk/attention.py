"""What the eye notices besides codes: a covered lens, and something card-like that nobody can read.

Pure: glances and times in, verdicts out. Times are of the monotonic clock.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from exam.clock import SECOND_US
from kiosk.scanner import Field, Glance

# A tray in the darkest usable light is three times as bright.
DARK: Final = 10.0
# One shade everywhere where the tray has several. A plain tray has one always: there only darkness tells.
UNIFORM: Final = 1.5
VARIED: Final = 4.0
COVERED_US: Final = 3 * SECOND_US
UNREAD_US: Final = 10 * SECOND_US
# How a card differs from the empty tray: this much, over this share of the picture, and with print on it.
CHANGED_SHADES: Final = 18.0
CHANGED_SHARE: Final = 0.03
PRINTED: Final = 1.2
# What nobody reads and nobody takes away belongs to the tray after this time.
SETTLED_US: Final = 60 * SECOND_US
LEARNING: Final = 0.05


@dataclass(frozen=True, slots=True)
class Noticed:
    """What one frame adds to what was seen before."""

    is_covered: bool = False
    # True once for each thing that lay there unread for ten seconds.
    is_unread: bool = False


class Attention:
    """Remembers the empty tray and how long something has been there. For one camera."""

    def __init__(self) -> None:
        self._blind_since_us: int | None = None
        self._tray: Glance | None = None
        self._there_since_us: int | None = None
        self._is_settled = False

    def look(self, glance: Glance, now_us: int, *, was_read: bool) -> Noticed:
        """Take in one frame; `was_read`: whether a code was found in it."""
        if self._is_blind(glance, now_us) and not was_read:
            self._there_since_us = None
            blind_us = now_us - (self._blind_since_us or now_us)
            return Noticed(is_covered=blind_us >= COVERED_US)
        return Noticed(is_unread=self._is_unread(glance, now_us, was_read=was_read))

    def _is_blind(self, glance: Glance, now_us: int) -> bool:
        is_varied = self._tray is not None and self._tray.variety > VARIED
        is_uniform = is_varied and glance.variety < UNIFORM
        if glance.brightness > DARK and not is_uniform:
            self._blind_since_us = None
        elif self._blind_since_us is None:
            self._blind_since_us = now_us
        return self._blind_since_us is not None

    def _is_unread(self, glance: Glance, now_us: int, *, was_read: bool) -> bool:
        if self._tray is None or not self._holds_a_card(glance, self._tray):
            self._remember_tray(glance)
            return False
        if self._there_since_us is None:
            self._there_since_us = now_us
        there_us = now_us - self._there_since_us
        if there_us >= SETTLED_US:
            self._tray = None
        is_due = there_us >= UNREAD_US and not self._is_settled
        self._is_settled = self._is_settled or was_read or is_due
        return is_due and not was_read

    def _remember_tray(self, glance: Glance) -> None:
        self._there_since_us, self._is_settled = None, False
        if self._tray is None:
            self._tray = glance
        else:
            self._tray = Glance(
                _nearer(self._tray.small, glance.small), _nearer(self._tray.grain, glance.grain)
            )

    def _holds_a_card(self, glance: Glance, tray: Glance) -> bool:
        changed = np.abs(glance.small - tray.small) > CHANGED_SHADES
        if changed.mean() < CHANGED_SHARE:
            return False
        # What was taken away changes the picture too, but leaves less to see than there was.
        return float(glance.grain[changed].mean()) > PRINTED * float(tray.grain[changed].mean())


def _nearer(known: Field, seen: Field) -> Field:
    return np.asarray(known + LEARNING * (seen - known), np.float32)
