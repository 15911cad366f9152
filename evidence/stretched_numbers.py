"""The stretched form of ticket and ID numbers, computed once each and kept under the site key.

Stretching is slow on purpose, so nobody does it inside a transaction: ask what is missing, stretch, keep.
All kiosks of the site share the salt; what makes one kiosk's package useless for another is its own secret.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from sqlite3 import Connection
from typing import Final

from evidence.stretching import NUMBER_COST, Cost, stretch
from evidence.vault import Vault

SALT: Final = "stretch/salt/1"
_CIPHER: Final = "stretched number"


class NumberKind(StrEnum):
    """Which number of a candidate."""

    TICKET = "ticket"
    ID_NUMBER = "id_number"


@dataclass(frozen=True, slots=True)
class Number:
    """A ticket or ID number in its normal form."""

    kind: NumberKind
    text: str


@dataclass(frozen=True, slots=True)
class Stretcher:
    """Stretches numbers as one site does it: its salt, its cost."""

    salt: bytes
    cost: Cost = NUMBER_COST

    @classmethod
    def of(cls, vault: Vault) -> "Stretcher":
        """As the site with this key does it."""
        return cls(vault.secret(SALT))

    def stretch(self, number: Number) -> bytes:
        """The stretched number. Takes its time on purpose."""
        return stretch(f"{number.kind}\0{number.text}", self.salt, self.cost)


def missing(connection: Connection, vault: Vault, numbers: Iterable[Number]) -> list[Number]:
    """Those of the numbers that were not stretched yet."""
    known = {row["number_index"] for row in connection.execute("select number_index from stretched_number")}
    return [number for number in numbers if _index(vault, number) not in known]


def keep(connection: Connection, vault: Vault, stretched: Mapping[Number, bytes]) -> None:
    """Keep what was stretched; what is there already stays."""
    connection.executemany(
        "insert or ignore into stretched_number (number_index, value_cipher) values (?, ?)",
        [(_index(vault, number), vault.encrypt(value.hex(), _CIPHER)) for number, value in stretched.items()],
    )


def load(connection: Connection, vault: Vault, numbers: Iterable[Number]) -> Iterator[tuple[Number, bytes]]:
    """The stretched form of those that were stretched; the others are left out."""
    for number in numbers:
        row = connection.execute(
            "select value_cipher from stretched_number where number_index = ?", (_index(vault, number),)
        ).fetchone()
        if row is not None:
            yield number, bytes.fromhex(vault.decrypt(row["value_cipher"], _CIPHER))


def _index(vault: Vault, number: Number) -> bytes:
    return vault.index(f"stretched/{number.kind}/{number.text}")
