"""Slow stretching (scrypt): turns numbers that could be guessed into keys that are costly to guess.

A stolen kiosk holds everything that is needed to try a number; the price of each try is paid here. Which
costs are in force, and what they buy, stands in docs/design/kiosk-sync.md.
"""

import hashlib
from dataclasses import asdict, dataclass
from typing import Final

# OpenSSL wants room for its own besides the 128 * n * r bytes that scrypt works in.
_SPARE_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Cost:
    """The price of one try: scrypt works in 128 * n * r bytes, p times."""

    n: int
    r: int = 8
    p: int = 1

    def to_dict(self) -> dict[str, int]:
        """As it stands in packages."""
        return asdict(self)


# 16 MiB and about 50 ms on a small machine: twice for each candidate at the kiosk.
NUMBER_COST: Final = Cost(2**14)
# 128 MiB and about half a second: once each time a person uses his PIN.
PIN_COST: Final = Cost(2**17)


def stretch(text: str, salt: bytes, cost: Cost, length: int = 32) -> bytes:
    """The stretched value. Takes its time on purpose: never call it inside a transaction."""
    room_bytes = 128 * cost.n * cost.r * cost.p + _SPARE_BYTES
    return hashlib.scrypt(
        text.encode(), salt=salt, n=cost.n, r=cost.r, p=cost.p, maxmem=room_bytes, dklen=length
    )
