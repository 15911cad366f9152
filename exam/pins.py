"""Staff PINs (签到口令): six digits by which staff prove themselves at a kiosk that works alone.

Pure. A PIN is weak by nature: a million of them exist. What is easy to guess is refused, tries at the
kiosk are limited (`exam.pin_attempts`), and a stolen kiosk has to pay for each guess (`evidence.staff_pins`).
"""

from typing import Final

LENGTH: Final = 6
_UP: Final = "01234567890"
_DOWN: Final = _UP[::-1]


def pin_fault(pin: str) -> str | None:
    """Why the PIN will not do, in Chinese; None when it will."""
    if len(pin) != LENGTH or not (pin.isascii() and pin.isdigit()):
        return f"口令须为{LENGTH}位数字。"
    if _is_easy(pin):
        return "口令过于简单（如重复、连号），请更换。"
    return None


def _is_easy(pin: str) -> bool:
    repeats = any(pin == pin[:size] * (LENGTH // size) for size in (1, 2, 3))
    in_pairs = pin[::2] == pin[1::2]  # 112233
    mirrored = pin == pin[::-1]
    return repeats or in_pairs or mirrored or pin in _UP or pin in _DOWN or len(set(pin)) < 3
