"""A kiosk on the stage that holds the small world's real packages, as the console would send them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from flask import Flask

from evidence.checkins import CheckInRules
from evidence.kiosk_day import build_day, load_day
from evidence.kiosk_maps import MapShelf
from evidence.kiosk_secrets import KioskSecrets, signing_key
from exam.clock import SimulatedClock
from exam.kiosk_health import Part, PartState
from kiosk.local import Local
from kiosk.screen_app import create_screen
from kiosk.staff_app import add_staff
from tests.evidence.check_ins import RULES
from tests.evidence.rostered import give_pin, package_of, secrets_for, the_kiosk
from tests.kiosk.stage import FakeConsole, agent_of, local_of
from tests.world import CLOCK_US, World


@dataclass
class Rostered:
    """The world, the console that sends its packages, and the kiosk that asks for them."""

    world: World
    console: FakeConsole
    keys: KioskSecrets
    clock: SimulatedClock
    folder: Path
    local: Local

    def publish(self, revision: int = 1) -> None:
        """Offer the world's packages as they are now."""
        offer(self.world, self.console, self.keys, revision)

    def restart(self) -> None:
        """Stop the kiosk and start it again on the same folder."""
        self.local.close()
        self.local = local_of(self.console, self.folder, self.clock)


def offer(
    world: World, console: FakeConsole, keys: KioskSecrets, revision: int = 1, rules: CheckInRules = RULES
) -> None:
    with world.exam.read() as connection:
        shelf = MapShelf()
        shelf.tend(connection)
        day = replace(
            load_day(connection, rules, the_kiosk(world), world.clock.wall_us()), maps=shelf.of(connection)
        )
    part = build_day(day, keys, world.clock.wall_us(), signing_key(world.vault))
    console.secret, console.keys_told = keys.secret_id, keys.to_dict()
    console.maps = {one.sha256: shelf.picture(one.sha256) or b"" for one in day.maps}
    console.packages = {
        "roster": (package_of(world, keys, revision), f"{revision}-{keys.secret_id}"),
        "day": (part, f"d{revision}-{keys.secret_id}"),
    }


def staffed(world: World, folder: Path, *, is_alone: bool = False) -> Rostered:
    """With its packages, and PINs: 王芳 has duty in room 1, 李强 leads the site."""
    for account in (world.proctor_account_id, world.site_lead_account_id):
        give_pin(world, account)
    made = rostered(world, folder)
    made.local.contact.turn({Part.CAMERA: PartState.OK})
    if is_alone:
        made.console.is_away = True
        made.local.contact.lost()
    return made


@contextmanager
def staff_screen(kiosk: Rostered, folder: Path) -> Iterator[Flask]:
    """The screen with the staff's pages of this kiosk."""
    with agent_of(kiosk.console, folder, kiosk.clock) as agent:
        app = create_screen(agent, lambda: None)
        add_staff(app, kiosk.local.desk)
        yield app


def rostered(world: World, folder: Path, rules: CheckInRules = RULES) -> Rostered:
    console, keys = FakeConsole(), secrets_for(world)
    offer(world, console, keys, rules=rules)
    clock = SimulatedClock(CLOCK_US)
    return Rostered(world, console, keys, clock, folder, local_of(console, folder, clock))
