"""A kiosk at a real console of the small world, over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.settings import Settings
from exam.kiosk_health import Part, PartState
from kiosk.console import HttpConsole
from kiosk.local import Local, open_local
from tests.kiosk.stage import served
from tests.world import KIOSK_TOKEN, World
from web.app import create_app
from web.roster_keeper import RosterKeeper
from web.services import FootageReader, Services

PARTS = {Part.CAMERA: PartState.OK}


@contextmanager
def at_console(world: World, folder: Path) -> Iterator[tuple[Local, HttpConsole]]:
    """With the world's packages, and its line. Close the kiosk itself: it may be started anew meanwhile."""
    footage = FootageReader(Path("nowhere"))
    services = Services(Settings(data_folder=world.folder), world.clock, world.exam, footage, world.vault)
    RosterKeeper(services).tend()
    settings = Settings(data_folder=folder)
    settings.keys_folder.mkdir(parents=True)
    settings.kiosk_token.write_text(KIOSK_TOKEN)
    with served(create_app(services)) as address:
        line = HttpConsole(address, settings.kiosk_token)
        local = open_local(settings, line, world.clock)
        local.contact.turn(PARTS)
        yield local, line
        line.close()
