"""A small site with ten seconds of footage of one camera, signed, and the recorder's exporting over it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.settings import Settings
from evidence.checkpoints import Checkpoints
from evidence.export_orders import ExportRequest, give_export_order
from evidence.export_plan import Asker, CopyOptions
from evidence.ingest import Store
from evidence.timeline import Interval
from evidence.volumes import LocalDisk
from evidence.work_orders import Report, report
from exam.clock import SECOND_US
from recorder.chore_tools import ChoreTools
from recorder.export_work import ExportWork, export_chore
from tests.recordings import Reel
from tests.world import START_US, World, build_world


@dataclass
class Site:
    """A small site with ten seconds of footage of one camera, signed."""

    world: World
    settings: Settings
    work: ExportWork
    segment_id: int

    def order(self, target: Path | None = None) -> int:
        asked = ExportRequest(
            account_id=self.world.site_lead_account_id,
            room_ids=(self.world.room_1,),
            camera_uuids=(self.world.cameras_1[0],),
            interval=Interval(START_US, START_US + 8 * SECOND_US),
            target=target or self.settings.default_export_folder,
            asker=Asker("李强", "某单位", "", "考生投诉核查"),
            options=CopyOptions(with_play=False),
        )
        with self.world.exam.write() as connection:
            return give_export_order(connection, asked, self.world.clock.wall_us())

    def report(self, order_id: int) -> Report:
        with self.world.footage.read() as connection:
            return report(connection, order_id)


@contextmanager
def open_site(folder: Path) -> Iterator[Site]:
    """The site in a folder; closed again afterwards."""
    world = build_world(folder)
    world.clock.sleep_us(60 * 60 * SECOND_US)
    checkpoints = Checkpoints(world.footage, folder / "keys", "footage")
    segment_id = Reel(world, world.cameras_1[0]).invent(START_US)
    checkpoints.sign(world.clock.wall_us())
    checkpoints.close()
    settings = Settings(data_folder=folder)
    tools = ChoreTools(settings, Store(world.footage, LocalDisk(), world.clock))
    yield Site(world, settings, export_chore(tools), segment_id)
    world.close()
