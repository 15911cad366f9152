"""Keys of scanners and ID readers that type like a keyboard, turned back into what they read. Pure.

`static/wedge.js` does the same in the page for devices that nobody has grabbed; both are tested with the
same table of scanner modes. Keys have the names of their place on a US keyboard (`event.code` of the
browsers), never the letter that an input method makes of them. Times are monotonic.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from kiosk.encodings import text_of

SHIFTED_DIGITS: Final = ")!@#$%^&*("
PLAIN_KEYS: Final = {
    "Minus": "-_",
    "Equal": "=+",
    "BracketLeft": "[{",
    "BracketRight": "]}",
    "Backslash": "\\|",
    "IntlBackslash": "\\|",
    "Semicolon": ";:",
    "Quote": "'\"",
    "Backquote": "`~",
    "Comma": ",<",
    "Period": ".>",
    "Slash": "/?",
    "Space": "  ",
    "NumpadDecimal": "..",
    "NumpadComma": ",,",
    "NumpadSubtract": "--",
    "NumpadAdd": "++",
    "NumpadMultiply": "**",
    "NumpadDivide": "//",
    "NumpadEqual": "==",
    "Enter": "\r\r",
    "NumpadEnter": "\r\r",
    "Tab": "\t\t",
}
LINE_ENDS: Final = frozenset("\r\n\t")
CONTROL_BITS: Final = 0x1F
BYTE: Final = 0x100
ASCII: Final = 0x80
HIGH_SURROGATES: Final = range(0xD800, 0xDC00)
LOW_SURROGATES: Final = range(0xDC00, 0xE000)
LAST_CHARACTER: Final = 0x10FFFF
# Where the common characters of GB 2312 lie. No Chinese character has such a number in Unicode, so a
# device that sends the two bytes of a character as one number gives itself away.
GB2312: Final = range(0xB0A1, 0xF7FF)


@dataclass(frozen=True, slots=True)
class Stroke:
    """One key going down or up."""

    code: str
    is_down: bool
    at_us: int
    # The keyboard repeats a key that somebody holds. Scanners never hold one.
    is_repeat: bool = False


# A character, or a byte of one whose encoding is not known yet.
Unit = str | int


class KeyDecoder:
    """Follows the keys of one keyboard and tells the characters they make."""

    def __init__(self) -> None:
        self._held: set[str] = set()
        self._is_caps = False
        self._alt_digits = ""
        self._high_surrogate = 0

    def taken(self, stroke: Stroke) -> Unit | None:
        """The character that is complete with this stroke, or None."""
        modifier = _modifier(stroke.code)
        if modifier:
            return self._modified(modifier, is_down=stroke.is_down)
        if not stroke.is_down:
            return None
        if stroke.code == "CapsLock":
            self._is_caps = not self._is_caps
            return None
        if "Alt" in self._held:
            self._alt_digits += _numpad_digit(stroke.code)
            return None
        return self._plain(stroke.code)

    def _modified(self, modifier: str, *, is_down: bool) -> Unit | None:
        if is_down:
            self._held.add(modifier)
            return None
        self._held.discard(modifier)
        if modifier != "Alt" or not self._alt_digits:
            return None
        digits, self._alt_digits = self._alt_digits, ""
        return self._by_number(digits)

    def _plain(self, code: str) -> str | None:
        character = character_of(code, is_shifted="Shift" in self._held)
        if character is None:
            return None
        if "Control" in self._held:
            return chr(ord(character.upper()) & CONTROL_BITS)
        return character.swapcase() if self._is_caps and character.isalpha() else character

    def _by_number(self, digits: str) -> Unit | None:
        number = int(digits)
        if number in HIGH_SURROGATES:
            self._high_surrogate = number
            return None
        high, self._high_surrogate = self._high_surrogate, 0
        if high and number in LOW_SURROGATES:
            return chr(0x10000 + (high - 0xD800) * 0x400 + number - 0xDC00)
        return unit_of(number)


def character_of(code: str, *, is_shifted: bool) -> str | None:
    """The character of a key on a US keyboard; None for keys that make none."""
    if letter := re.fullmatch(r"Key([A-Z])", code):
        return letter[1] if is_shifted else letter[1].lower()
    if digit := re.fullmatch(r"Digit([0-9])", code):
        return SHIFTED_DIGITS[int(digit[1])] if is_shifted else digit[1]
    if code in PLAIN_KEYS:
        return PLAIN_KEYS[code][is_shifted]
    return _numpad_digit(code) or None


def unit_of(number: int) -> Unit | None:
    """What Alt and a number on the keypad mean: ASCII, a byte, two bytes of GBK, or a Unicode character."""
    if number < ASCII:
        return chr(number)
    if number < BYTE:
        return number
    if number in GB2312 and number % BYTE > 0xA0:
        return number.to_bytes(2, "big").decode("gb18030")
    return chr(number) if number <= LAST_CHARACTER and number not in LOW_SURROGATES else None


def joined(units: Sequence[Unit]) -> str:
    """The text of characters and of bytes between them."""
    return "".join(_joined(units))


def _joined(units: Sequence[Unit]) -> Iterator[str]:
    for _, run in groupby(units, type):
        together = list(run)
        characters = [unit for unit in together if isinstance(unit, str)]
        raw = bytes(unit for unit in together if isinstance(unit, int))
        yield text_of(raw) if raw else "".join(characters)


def _modifier(code: str) -> str | None:
    found = re.fullmatch(r"(Shift|Control|Alt|Meta)(?:Left|Right)", code)
    return found[1] if found else None


def _numpad_digit(code: str) -> str:
    found = re.fullmatch(r"Numpad([0-9])", code)
    return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class Framing:
    """How a keyboard's bursts are told apart."""

    # A pause of this length ends a burst that no Enter or Tab ended.
    pause_us: int
    # Whether what is typed without pause belongs together beyond Enter and Tab, as an ID reader's fields do.
    is_grouped: bool
    # Only a burst as fast as this, and as long, is a device's; None: nobody else types on this keyboard.
    fastest_hand_us: int | None = None
    shortest: int = 1
    # Printed on the setup sheet: a burst that begins so is a device's whatever its speed.
    prefix: str = ""


MILLISECOND_US: Final = 1000
GRABBED_GUN: Final = Framing(pause_us=250 * MILLISECOND_US, is_grouped=False)
GRABBED_READER: Final = Framing(pause_us=250 * MILLISECOND_US, is_grouped=True)
SHARED: Final = Framing(
    pause_us=100 * MILLISECOND_US, is_grouped=True, fastest_hand_us=35 * MILLISECOND_US, shortest=6
)
# A gun that is set to type slowly keeps its prefix all the same.
PREFIXED_PAUSE_US: Final = 500 * MILLISECOND_US
LONGEST: Final = 2000


@dataclass(slots=True)
class _Burst:
    lines: list[list[Unit]] = field(default_factory=lambda: [[]])
    length: int = 0
    keys: int = 0
    first_us: int = 0
    last_us: int = 0
    # Held by a hand, or with keys missing: never a scan.
    is_spoiled: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(text for text in map(joined, self.lines) if text)


class Wedge:
    """Tells what a device typed. For one keyboard."""

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self._keys = KeyDecoder()
        self._burst = _Burst()

    def stroke(self, stroke: Stroke) -> list[tuple[str, ...]]:
        """The scans that are complete with this stroke: the lines of each."""
        scans = self._after_pause(stroke.at_us) if stroke.is_down else []
        if stroke.is_repeat:
            self._burst.is_spoiled = True
            return scans
        if stroke.is_down:
            self._count(stroke.at_us)
        unit = self._keys.taken(stroke)
        if unit is not None:
            self._add(unit)
            if unit in LINE_ENDS and not self._framing.is_grouped:
                scans += self._finished()
        return scans

    def silence(self, now_us: int) -> list[tuple[str, ...]]:
        """The scan that ended by a pause, if there is one; to be asked now and then."""
        return self._after_pause(now_us)

    def drop(self, now_us: int) -> None:
        """Some keys were lost: nothing of this burst is a scan, nor what is still to come of it."""
        self._keys = KeyDecoder()
        self._burst = _Burst(keys=1, first_us=now_us, last_us=now_us, is_spoiled=True)

    def _after_pause(self, now_us: int) -> list[tuple[str, ...]]:
        beginning = self._beginning()
        # As far as it has come, it is what a gun with the prefix sends.
        is_prefixed = bool(beginning) and self._framing.prefix.startswith(beginning)
        pause_us = PREFIXED_PAUSE_US if is_prefixed else self._framing.pause_us
        is_over = self._burst.keys > 0 and now_us - self._burst.last_us > pause_us
        return self._finished() if is_over else []

    def _count(self, now_us: int) -> None:
        if self._burst.keys == 0:
            self._burst.first_us = now_us
        self._burst.keys += 1
        self._burst.last_us = now_us

    def _add(self, unit: Unit) -> None:
        burst = self._burst
        if unit not in LINE_ENDS:
            burst.length += 1
        if max(burst.length, len(burst.lines)) > LONGEST:
            return
        if unit in LINE_ENDS:
            burst.lines.append([])
        else:
            burst.lines[-1].append(unit)

    def _finished(self) -> list[tuple[str, ...]]:
        burst, is_scan = self._burst, self._is_scan()
        self._burst = _Burst()
        return [burst.texts] if is_scan and burst.texts else []

    def _is_scan(self) -> bool:
        burst, framing = self._burst, self._framing
        if burst.is_spoiled or not framing.shortest <= burst.length <= LONGEST:
            return False
        if framing.fastest_hand_us is None or self._has_prefix():
            return True
        return burst.last_us - burst.first_us < framing.fastest_hand_us * (burst.keys - 1)

    def _has_prefix(self) -> bool:
        prefix = self._framing.prefix
        return bool(prefix) and self._beginning() == prefix

    def _beginning(self) -> str:
        return joined(self._burst.lines[0][: len(self._framing.prefix)])
