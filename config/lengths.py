"""Lengths of time as people write them in our files: "15 min", "-30 s", "1 h"."""

import re
from typing import Annotated, Final

from pydantic import BeforeValidator

from exam.clock import MINUTE_US, SECOND_US

_LENGTH: Final = re.compile(r"([+-]?)([0-9]+(?:\.[0-9]{1,3})?) ?(s|min|h)")
_UNIT_US: Final = {"s": SECOND_US, "min": MINUTE_US, "h": 60 * MINUTE_US}


def length_us(written: object) -> int:
    """The length in microseconds. Raises ValueError with an example for anything else."""
    found = _LENGTH.fullmatch(written) if isinstance(written, str) else None
    if found is None:
        raise ValueError(f"{written!r} is not a length of time such as '15 min', '-30 s' or '1 h'")
    sign, number, unit = found.groups()
    length = round(float(number) * _UNIT_US[unit])
    return -length if sign == "-" else length


Length = Annotated[int, BeforeValidator(length_us)]
