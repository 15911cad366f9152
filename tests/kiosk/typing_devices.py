"""Keys as scanners and ID readers in every mode press them, and as people do.

One table for both decoders: kiosk/keystrokes.py and kiosk/static/wedge.js. Times are in milliseconds.
"""

import math
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kiosk.keystrokes import MILLISECOND_US, SHIFTED_DIGITS, Stroke
from tests.kiosk.stage import ID_NUMBER, TICKET

SIGNED = "KZ1.6BFOXN$%*+-./:6BFOXN.UDP$%*+-./:0123456789ABCDEF"
SMALL_X = "11010119900307123x"
TYPED_KEYS = [*(f"Digit{digit}" for digit in range(10)), "KeyX", "KeyA", "Enter", "Backspace"]
NAME = "张三丰"
RARE_NAME = "\U0002c2d8" + "㛃"

# Which key, and whether with Shift.
KEYS: dict[str, tuple[str, bool]] = {
    **{
        letter: (f"Key{letter.upper()}", letter.isupper())
        for letter in map(chr, [*range(65, 91), *range(97, 123)])
    },
    **{str(digit): (f"Digit{digit}", False) for digit in range(10)},
    **{mark: (f"Digit{digit}", True) for digit, mark in enumerate(SHIFTED_DIGITS)},
    **{
        mark: (code, is_shifted)
        for code, marks in {
            "Minus": "-_",
            "Equal": "=+",
            "BracketLeft": "[{",
            "BracketRight": "]}",
            "Backslash": "\\|",
            "Semicolon": ";:",
            "Quote": "'\"",
            "Backquote": "`~",
            "Comma": ",<",
            "Period": ".>",
            "Slash": "/?",
        }.items()
        for mark, is_shifted in zip(marks, (False, True), strict=True)
    },
    " ": ("Space", False),
    "\r": ("Enter", False),
    "\t": ("Tab", False),
}


class Keyboard:
    """Presses keys one after the other; `gap_ms` lies between two of them."""

    def __init__(self, gap_ms: float = 3.0) -> None:
        self.gap_ms = gap_ms
        self.strokes: list[Stroke] = []
        self._at_ms = 1000.0

    def pause(self, ms: float) -> "Keyboard":
        self._at_ms += ms
        return self

    def press(self, *codes: str) -> "Keyboard":
        """Each key down, then all up again in reverse order."""
        for code in codes:
            self._stroke(code, is_down=True)
            self._at_ms += self.gap_ms / 2
        for code in reversed(codes):
            self._stroke(code, is_down=False)
        self._at_ms += self.gap_ms / 2
        return self

    def hold(self, code: str, repeats: int) -> "Keyboard":
        """A key that somebody keeps pressed."""
        self._stroke(code, is_down=True)
        for _ in range(repeats):
            self._at_ms += 30
            self._stroke(code, is_down=True, is_repeat=True)
        self._stroke(code, is_down=False)
        return self

    def text(self, text: str, *, is_caps: bool = False) -> "Keyboard":
        """A US keyboard; with `is_caps` as a device that knows Caps Lock to be on."""
        for character in text:
            code, is_shifted = KEYS[character]
            is_shifted ^= is_caps and character.isalpha()
            self.press(*(["ShiftLeft"] if is_shifted else []), code)
        return self

    def numbers(self, numbers: Iterable[int], form: str = "{}") -> "Keyboard":
        """Alt and each number on the keypad."""
        for number in numbers:
            digits = form.format(number)
            self._stroke("AltLeft", is_down=True)
            for digit in digits:
                self._at_ms += self.gap_ms / 2
                self._stroke(f"Numpad{digit}", is_down=True)
                self._stroke(f"Numpad{digit}", is_down=False)
            self._at_ms += self.gap_ms / 2
            self._stroke("AltLeft", is_down=False)
            self._at_ms += self.gap_ms / 2
        return self

    def _stroke(self, code: str, *, is_down: bool, is_repeat: bool = False) -> None:
        self.strokes.append(Stroke(code, is_down, round(self._at_ms * MILLISECOND_US), is_repeat))


@dataclass(frozen=True)
class Mode:
    """One way in which a device may be set, and the scans that must come of it."""

    name: str
    keys: Keyboard
    scans: list[list[str]]
    prefix: str = ""
    # What a grabbed gun makes of it, where that differs: it ends a scan at each Enter.
    by_line: list[list[str]] | None = None
    # An Enter that comes so late that it could be a person's; the page ignores it unless a number is typed.
    late_enters: int = 0


def modes() -> list[Mode]:
    """Every mode of kiosks.md section 6, and what people do to a scanner."""
    return [*_plain_modes(), *_number_modes(), *_card_modes(), *_bursts(), *_sheets()]


def _plain_modes() -> Iterator[Mode]:
    once, keys = [[TICKET]], Keyboard
    yield Mode("US keys and Enter", keys().text(TICKET + "\r"), once)
    yield Mode("US keys and Tab", keys().text(TICKET + "\t"), once)
    yield Mode("US keys and Enter on the keypad", keys().text(TICKET).press("NumpadEnter"), once)
    crlf = keys().text(TICKET).press("ControlLeft", "KeyM").press("ControlLeft", "KeyJ")
    yield Mode("CR and LF as Ctrl+M and Ctrl+J", crlf, once)
    yield Mode("Enter twice", keys().text(TICKET + "\r\r"), once)
    yield Mode("no suffix", keys().text(TICKET), once)
    late = keys().text(TICKET).pause(130).text("\r")
    yield Mode("Enter a moment later", late, once, late_enters=1)
    yield Mode("as fast as USB allows", keys(gap_ms=0.2).text(TICKET + "\r"), once)
    yield Mode("30 ms between keys", keys(gap_ms=30).text(TICKET + "\r"), once)
    yield Mode("capitals and signs of a signed ticket", keys().text(SIGNED + "\r"), [[SIGNED]])
    keypad = keys()
    for digit in TICKET:
        keypad.press(f"Numpad{digit}")
    yield Mode("digits on the keypad", keypad.press("NumpadEnter"), once)
    caps = keys().press("CapsLock").text("Ah-2026b\r", is_caps=True).press("CapsLock")
    yield Mode("Caps Lock switched on for the scan", caps, [["Ah-2026b"]])
    # The browser says "Process" for such keys, and their place all the same.
    yield Mode("letters that an input method would turn", keys().text("zhunkao01\r"), [["zhunkao01"]])
    gs1 = keys().text("]C1" + TICKET).press("ControlLeft", "BracketRight").text("21X\r")
    yield Mode("GS1 with AIM identifier and GS as Ctrl+]", gs1, [[f"]C1{TICKET}\x1d21X"]])
    yield Mode("ECI prefix", keys().text("\\000026" + TICKET + "\r"), [["\\000026" + TICKET]])


def _number_modes() -> Iterator[Mode]:
    once, plain = [[TICKET]], list(map(ord, TICKET))
    yield Mode("Alt and decimal ASCII", Keyboard().numbers(plain).text("\r"), once)
    yield Mode("Alt and four digits", Keyboard().numbers(plain, "{:04}").text("\r"), once)
    yield Mode("Alt+013 as suffix", Keyboard().numbers(plain).numbers([13], "{:03}"), once)
    gs = Keyboard().text("]C1" + TICKET).numbers([29], "{:03}").text("21X\r")
    yield Mode("GS as Alt+029", gs, [[f"]C1{TICKET}\x1d21X"]])
    named = {
        "Alt and decimal Unicode": (NAME, list(map(ord, NAME)), "{}"),
        "Alt and GBK, two bytes at once": (NAME, _pairs(NAME.encode("gb18030")), "{}"),
        "Alt and GBK, byte by byte": (NAME, list(NAME.encode("gb18030")), "0{}"),
        "Alt and UTF-8, byte by byte": (NAME, list(NAME.encode()), "0{}"),
        "rare characters as one number": (RARE_NAME, list(map(ord, RARE_NAME)), "{}"),
        "rare characters as two numbers": (RARE_NAME, _pairs(RARE_NAME.encode("utf-16-be")), "{}"),
    }
    for mode, (name, numbers, form) in named.items():
        yield Mode(mode, Keyboard().numbers(numbers, form).text(ID_NUMBER + "\r"), [[name + ID_NUMBER]])


def _pairs(raw: bytes) -> list[int]:
    return [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]


def _card_modes() -> Iterator[Mode]:
    yield Mode("ID number with a small x", Keyboard().text(SMALL_X + "\r"), [[SMALL_X]])
    escaped = "".join(f"\\u{ord(character):04X}" for character in NAME)
    lines = [escaped, "19900307", ID_NUMBER]
    for name, separator in (("lines", "\r"), ("tabs", "\t")):
        keys = Keyboard().text(separator.join(lines) + "\r")
        yield Mode(f"ID reader with {name}", keys, [lines], by_line=[[line] for line in lines])


def _bursts() -> Iterator[Mode]:
    others = [f"20261122{number:04}" for number in range(1, 6)]
    each = [[one] for one in others]
    yield Mode("five scans in one breath", Keyboard().text("\r".join(others)), [others], by_line=each)
    apart, bare = Keyboard(), Keyboard()
    for one in others:
        apart.text(one + "\r").pause(300)
        bare.text(one).pause(300)
    yield Mode("five scans one after the other", apart, each)
    yield Mode("five scans without suffix", bare, each)
    for name, end in (("a flood, then a scan", ""), ("a flood with Enter, then a scan", "\r")):
        flood = Keyboard(gap_ms=0.1).text("7" * 10_000 + end)
        yield Mode(name, flood.pause(400).text(TICKET + "\r"), [[TICKET]])


def _sheets() -> Iterator[Mode]:
    whole = f"~K{TICKET}$"
    yield Mode("prefix and suffix of the setup sheet", Keyboard().text(whole + "\r"), [[whole]], "~K")
    yield Mode("a slow gun with the prefix", Keyboard(gap_ms=180).text(whole + "\r"), [[whole]], "~K")
    yield Mode("a gun that does not send the prefix", Keyboard().text(TICKET + "\r"), [[TICKET]], "~K")


@dataclass(frozen=True)
class Typist:
    """How somebody types: the usual time between two keys, and how uneven it is."""

    name: str
    median_ms: float
    spread: float

    def types(self, keystrokes: int, seed: int) -> list[Stroke]:
        """Digits, letters, sometimes Enter, sometimes a key held too long; keys overlap as fingers do."""
        dice = random.Random(seed)
        strokes: list[Stroke] = []
        at_ms = 1000.0
        for _ in range(keystrokes):
            gap_ms = dice.lognormvariate(math.log(self.median_ms), self.spread)
            at_ms += gap_ms if dice.random() > 0.03 else dice.uniform(500, 3000)
            code = dice.choice(
                [*(f"Digit{digit}" for digit in range(10)), "KeyX", "KeyA", "Enter", "Backspace"]
            )
            held_ms = dice.uniform(50, 120)
            strokes.append(Stroke(code, is_down=True, at_us=round(at_ms * 1000)))
            if dice.random() < 0.01:
                repeats = range(1, dice.randrange(3, 20))
                strokes += [
                    Stroke(code, True, round((at_ms + 500 + 30 * n) * 1000), is_repeat=True) for n in repeats
                ]
                at_ms += 500 + 30 * len(repeats)
            strokes.append(Stroke(code, is_down=False, at_us=round((at_ms + held_ms) * 1000)))
        return sorted(strokes, key=lambda stroke: stroke.at_us)


TYPISTS = [
    Typist("looks for each key", 450, 0.6),
    Typist("types now and then", 220, 0.45),
    Typist("types all day", 110, 0.35),
    Typist("types numbers all day, without looking", 75, 0.3),
]
