"""Footage folders for the service: their start, their return, and what the console sees of them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import structlog

from config.settings import Settings
from evidence.adoption import adopt
from evidence.ingest import Store
from evidence.volume_look import Looker, Trouble, places
from evidence.volume_rows import VolumeFound
from evidence.volumes import Volume
from recorder.camera_recorder import CameraRecorder
from recorder.keeper import Keeper
from recorder.volume_watch import VolumeWatch

MIB: Final = 1024 * 1024
# How long a start waits for disks that do not answer before the others are used.
START_PATIENCE_S: Final = 5.0

_log: Final = structlog.get_logger("recorder")


@dataclass(slots=True)
class VolumeDesk:
    """The watched folders of one recorder, over its store."""

    settings: Settings
    store: Store
    watch: VolumeWatch = field(init=False)

    def __post_init__(self) -> None:
        chosen = self.settings.recorder
        looked = places(self.settings.footage_volumes, chosen.reserve_volume, chosen.keep_free_mb * MIB)
        self.watch = VolumeWatch(Looker(self.store.database), looked, self.store.clock)

    def start(self) -> None:
        """Look at all folders and adopt what lies on those that are what they should be, all together."""
        self.watch.start(START_PATIENCE_S)
        volumes = self.watch.to_adopt()
        _adopt(self.store, volumes)
        for volume in volumes:
            self.watch.admit(volume)

    def take_back(self, keeper: Keeper, cameras: Iterable[CameraRecorder]) -> None:
        """Let the keeper adopt what lies on volumes that came back, once no camera writes there."""
        busy = [camera.volume for camera in cameras]
        for volume in self.watch.to_adopt():
            if volume not in busy:
                self.watch.adoption_asked(volume)
                keeper.take_back(partial(self._adopt_one, volume))

    def shown(self) -> list[tuple[str, Trouble | None]]:
        """What people look at: it is worth rows at once when this changes."""
        return [(str(found.look.place.path), found.trouble) for found in self.watch.found()]

    def found(self, cameras: Iterable[tuple[Volume | None, int]]) -> list[VolumeFound]:
        """What was found, with what the cameras (volume, bits per second) bring there."""
        bps: Counter[str] = Counter()
        for volume, rate in cameras:
            if volume is not None:
                bps[str(volume.path)] += rate
        return [
            VolumeFound(one.look, one.trouble, one.since_us, bps[str(one.look.place.path)])
            for one in self.watch.found()
        ]

    def _adopt_one(self, volume: Volume) -> None:
        # A volume of many files is asked for again before the first adoption is done: once is enough.
        if volume not in self.watch.to_be_admitted():
            return
        _adopt(self.store, [volume])
        self.watch.admit(volume)


def _adopt(store: Store, volumes: list[Volume]) -> None:
    found = adopt(store, *volumes)
    for path, error in found.left:
        _log.error("left_in_place", file=str(path), error=str(error))
    _log.info("adoption", adopted=found.adopted, quarantined=found.quarantined, left=len(found.left))
