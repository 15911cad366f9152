"""The small world's roster packages, with numbers stretched cheaply."""

from collections.abc import Mapping
from dataclasses import replace

from evidence import kiosks
from evidence.kiosk_secrets import KioskSecrets, renew_secret, secrets_of, signing_key
from evidence.kiosks import Kiosk
from evidence.roster_content import RosterContent, content_for, load_people, numbers_of
from evidence.roster_opening import RosterPackage
from evidence.roster_package import Revision, build_package
from evidence.staff_pins import NewPin, PinKeys, keys_from_pin, new_pin, set_pin
from evidence.stretched_numbers import Number, NumberKind, Stretcher
from evidence.stretching import Cost
from tests.world import CLOCK_US, Person, World

CHEAP = Cost(2)
PIN = "730419"


def the_kiosk(world: World) -> Kiosk:
    with world.exam.read() as connection:
        found = kiosks.load_kiosk(connection, world.kiosk_id)
    assert found is not None
    return found


def content_of(world: World, now_us: int = CLOCK_US) -> RosterContent:
    with world.exam.read() as connection:
        people = load_people(connection, world.vault, now_us)
        return content_for(connection, the_kiosk(world), people, now_us)


def secrets_for(world: World) -> KioskSecrets:
    with world.exam.write() as connection:
        renew_secret(connection, world.vault, world.kiosk_id, CLOCK_US)
        found = secrets_of(connection, world.vault, world.kiosk_id)
    assert found is not None
    return replace(found, stretcher=Stretcher(found.stretcher.salt, CHEAP))


def stretched_of(content: RosterContent, keys: KioskSecrets) -> Mapping[Number, bytes]:
    return {number: keys.stretcher.stretch(number) for number in numbers_of(content.people)}


def package_of(world: World, keys: KioskSecrets, revision: int = 1) -> bytes:
    content = content_of(world)
    made = Revision(revision, CLOCK_US)
    return build_package(content, stretched_of(content, keys), keys, made, signing_key(world.vault))


def opened(world: World, keys: KioskSecrets | None = None) -> RosterPackage:
    keys = keys or secrets_for(world)
    return RosterPackage(package_of(world, keys), keys)


def ticket_of(person: Person) -> Number:
    return Number(NumberKind.TICKET, person.ticket_no)


def id_of(person: Person) -> Number:
    return Number(NumberKind.ID_NUMBER, person.id_number)


def give_pin(world: World, account_id: int, pin: str = PIN) -> tuple[int, PinKeys]:
    new: NewPin = new_pin(pin, CHEAP)
    with world.exam.write() as connection:
        pin_id = set_pin(connection, account_id, new, CLOCK_US)
    return pin_id, keys_from_pin(pin, new.salt, CHEAP)
