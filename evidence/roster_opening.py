"""Opens a roster package (离线花名册包) on the kiosk: by a number, by both, or by a staff PIN.

A package is believed for its signature, and only by the kiosk and with the secret it was made for. Looking
a number up costs one stretching, whether it is there or not; nothing here tells a wrong number from one
that is not on the roster.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from evidence.kiosk_secrets import KioskSecrets, check_head
from evidence.roster_boxes import PackageError, WrongKeyError, unseal, verified
from evidence.roster_package import FORMAT, MARK, Revision
from evidence.staff_pins import PinKeys
from evidence.stretched_numbers import Number
from exam.roster_cards import Card, PersonName, SheetEntry, read_card, read_entry


@dataclass(frozen=True, slots=True)
class ReadNumber:
    """A number that was read, stretched once: look everything up with it."""

    number: Number
    stretched: bytes


class RosterPackage:
    """One package, verified. Cheap to keep: nothing is opened before somebody asks."""

    def __init__(self, content: bytes, keys: KioskSecrets) -> None:
        """Raises PackageError: damaged, not_ours, other_kiosk, other_secret."""
        told = verified(MARK, content, keys.verify_key)
        check_head(told, FORMAT, keys)
        try:
            self.revision = Revision(told["revision"], told["made_at_us"])
            self.days = tuple(told["days"])
            self._cards = _by_tag(told["cards"])
            self._names = _by_tag(told["names"])
            self._rooms = {room["room"]: room for room in told["rooms"]}
        except (KeyError, TypeError, ValueError) as error:
            raise PackageError("damaged") from error
        self._keys = keys

    @property
    def rooms(self) -> tuple[int, ...]:
        """The rooms whose sheets it holds."""
        return tuple(self._rooms)

    def read(self, number: Number) -> ReadNumber:
        """Stretch a number that was just read: the slow part, worth doing while the next is awaited."""
        return ReadNumber(number, self._keys.stretcher.stretch(number))

    def cards(self, read: ReadNumber) -> list[Card]:
        """The candidates of this number: none, one, or several when batches share it."""
        secrets = self._keys.package
        boxes = self._cards.get(secrets.card_tag(read.stretched), [])
        return [read_card(unseal(secrets.card_key(read.stretched), box, "card")) for box in boxes]

    def name(self, ticket: ReadNumber, id_number: ReadNumber) -> PersonName | None:
        """The holder of both numbers; None for two people's numbers, or when the kiosk does not serve him."""
        both = ticket.stretched, id_number.stretched
        secrets = self._keys.package
        for box in self._names.get(secrets.name_tag(*both), []):
            told = unseal(secrets.name_key(*both), box, "name")
            return PersonName(told["name"], told["id_tail"])
        return None

    def sheet(self, room_id: int, pin_id: int, keys: PinKeys) -> list[SheetEntry]:
        """The people of a room, for staff. Raises WrongKeyError: a wrong PIN, or one for other rooms."""
        room: dict[str, Any] = self._rooms.get(room_id, {"keys": []})
        wrapped = dict(room["keys"]).get(pin_id)
        if wrapped is None:
            raise WrongKeyError("no key for this PIN")
        room_key = self._keys.package.unwrap(wrapped, keys.exchange)
        return [read_entry(told) for told in unseal(room_key, room["sheet"], "sheet")]


def _by_tag(pairs: list[list[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for tag, box in pairs:
        found[tag].append(box)
    return dict(found)
