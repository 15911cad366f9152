"""What a scanner adds to what it read, taken away again. Pure.

Guns can be set to say which kind of code they read (AIM identifier), in which encoding (ECI), to begin and
end with something of their own, and to pass on the separators of GS1. None of it belongs to a ticket.
"""

import re
from dataclasses import dataclass
from typing import Final

AIM: Final = re.compile(r"\][A-Za-z][0-9A-Za-z]")
ECI: Final = re.compile(r"\\\d{6}")
ESCAPE: Final = re.compile(r"(?:\\u[0-9A-Fa-f]{4})+")
# Start and end of text, separators of GS1, line ends, byte order mark.
FRAME: Final = "\x00\x02\x03\x04\x1c\x1d\x1e\x1f\r\n\t \ufeff"


@dataclass(frozen=True, slots=True)
class SetupSheet:
    """What the site has set its guns to send before and after each code."""

    prefix: str = ""
    suffix: str = ""


PLAIN_SHEET: Final = SetupSheet()


def cleaned(text: str, sheet: SetupSheet = PLAIN_SHEET) -> str:
    """The content of the code alone."""
    plain = text.strip(FRAME).removeprefix(sheet.prefix).removesuffix(sheet.suffix).strip(FRAME)
    plain = _without(AIM, plain)
    found = ECI.match(plain)
    if found is None:
        return plain.strip(FRAME)
    # With ECI every backslash of the content is sent twice.
    return ECI.sub("", plain).replace("\\\\", "\\").strip(FRAME)


def unescaped(text: str) -> str:
    r"""Characters that a reader writes as \uXXXX, as themselves."""
    return ESCAPE.sub(_characters, text)


def _without(mark: re.Pattern[str], text: str) -> str:
    found = mark.match(text)
    return text[found.end() :] if found else text


def _characters(found: re.Match[str]) -> str:
    numbers = bytes.fromhex(found[0].replace("\\u", ""))
    return numbers.decode("utf-16-be", errors="replace")
