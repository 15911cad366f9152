"""All simulated cameras of one server, and the loopback port that switches their faults."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from exam.clock import Clock
from rehearsal.camera_onvif import serve_onvif
from rehearsal.camera_plan import CameraPlan, Codec, Fault, LensState, SitePlan, picture_size
from rehearsal.camera_sound import CameraSound, sound_for
from rehearsal.rtsp_server import CameraDoor, PortTakenError
from rehearsal.scene_loops import EncodingFailedError, any_loop_for
from rehearsal.sent_log import SentLog
from rehearsal.simulated_camera import SimulatedCamera

_LENS_FAULTS: Final = frozenset({Fault.COVERED, Fault.BLURRED, Fault.MOVED})
_SENDS_VIEWERS_AWAY: Final = frozenset(
    {Fault.WRONG_PASSWORD, Fault.TOO_MANY_SESSIONS, Fault.SERVICE_UNAVAILABLE, Fault.HANGS_UP}
)


@dataclass(frozen=True, slots=True)
class SiteFolders:
    """Where loops are kept, and where the record of sent frames goes (None: nowhere)."""

    loops: Path
    sent_log: Path | None = None


class CameraSite:
    """The cameras, their doors and the control port. Create it inside a running event loop."""

    def __init__(
        self, plan: SitePlan, clock: Clock, folders: SiteFolders, announce: Callable[[str], None]
    ) -> None:
        self._plan = plan
        self._clock = clock
        self._folders = folders
        self._announce = announce
        self._cameras: dict[str, SimulatedCamera] = {}
        self._doors: dict[str, CameraDoor] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._acts: dict[str, Callable[[dict[str, Any]], Any]] = {
            "fault": self._switch_fault,
            "jump_timestamps": lambda ask: self._named(ask).jump_timestamps(float(ask["seconds"])),
            "step_clock": lambda ask: self._named(ask).step_clock(float(ask["seconds"])),
            "change_resolution": self._change_resolution,
            "change_codec": self._change_codec,
        }

    async def open(self) -> dict[str, int]:
        """Bind the ports, prepare the loops, let clients in. Returns each camera's port."""
        for plan, port in zip(self._plan.cameras, self._plan.ports(), strict=True):
            self._doors[plan.name] = CameraDoor(plan.name, port)
        for index, plan in enumerate(self._plan.cameras):
            self._announce(f"preparing {plan.name} ({index + 1}/{len(self._plan.cameras)})")
            loop = any_loop_for(plan, self._plan.loop_seconds, self._folders.loops)
            camera = SimulatedCamera(plan, loop, self._clock, index, self._sent_log(plan))
            sound = sound_for(plan.sound, self._folders.loops)
            camera.sound = None if sound is None else CameraSound(sound, plan.fps)
            self._cameras[plan.name] = camera
            if plan.onvif_port:
                await serve_onvif(plan.onvif_port, camera.camera_us, asks_login=plan.login is not None)
        for name, camera in self._cameras.items():
            self._tasks.append(asyncio.create_task(camera.run()))
            if Fault.DROP not in camera.faults:
                await self._doors[name].open(camera)
        return {name: door.port for name, door in self._doors.items()}

    async def open_control(self, port: int) -> int:
        """Listen for control requests on loopback. Returns the port."""
        try:
            server = await asyncio.start_server(self._obey, "127.0.0.1", port)
        except OSError as error:
            raise PortTakenError(f"control port {port} cannot be used ({error.strerror})") from error
        return int(server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Stop sending and send everybody away."""
        for task in self._tasks:
            task.cancel()
        for door in self._doors.values():
            door.close()

    async def run_until(self, stopped: asyncio.Event) -> None:
        """Wait until told to stop. A camera that fails ends the wait and raises its error."""
        told = asyncio.create_task(stopped.wait())
        finished, _ = await asyncio.wait([told, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        for task in finished:
            task.result()

    def _sent_log(self, plan: CameraPlan) -> SentLog | None:
        if self._folders.sent_log is None:
            return None
        self._folders.sent_log.mkdir(parents=True, exist_ok=True)
        return SentLog(self._folders.sent_log / f"{plan.name}.sent")

    async def _obey(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(json.dumps(await self._reply(line)).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def _reply(self, line: bytes) -> dict[str, Any]:
        try:
            ask = json.loads(line)
            if ask["act"] == "viewers":
                return {
                    "ok": True,
                    "viewers": {name: camera.viewers for name, camera in self._cameras.items()},
                }
            outcome = self._acts[ask["act"]](ask)
            if outcome is not None:
                await outcome
        except KeyError as error:
            return {"ok": False, "because": f"unknown or missing: {error.args[0]}"}
        except (ValueError, TypeError, EncodingFailedError) as error:
            return {"ok": False, "because": str(error)}
        return {"ok": True}

    def _named(self, ask: dict[str, Any]) -> SimulatedCamera:
        return self._cameras[ask["camera"]]

    async def _switch_fault(self, ask: dict[str, Any]) -> None:
        camera, door, fault = self._named(ask), self._doors[ask["camera"]], Fault(ask["fault"])
        if not ask["on"]:
            camera.faults.discard(fault)
            if fault is Fault.DROP:
                await door.open(camera)
            elif fault in _LENS_FAULTS:
                await self._look_through(camera, LensState.CLEAR)
            return
        camera.faults.add(fault)
        if fault is Fault.DROP:
            door.shut()
        elif fault in _SENDS_VIEWERS_AWAY:
            door.send_everybody_away()
        elif fault in _LENS_FAULTS:
            await self._look_through(camera, LensState(fault))

    async def _look_through(self, camera: SimulatedCamera, lens: LensState) -> None:
        plan = camera.plan.model_copy(update={"lens": lens})
        loop = await asyncio.to_thread(any_loop_for, plan, self._plan.loop_seconds, self._folders.loops)
        camera.change_loop(loop)

    async def _change_resolution(self, ask: dict[str, Any]) -> None:
        camera = self._named(ask)
        picture_size(ask["resolution"])
        plan = camera.plan.model_copy(update={"resolution": ask["resolution"]})
        loop = await asyncio.to_thread(any_loop_for, plan, self._plan.loop_seconds, self._folders.loops)
        camera.change_loop(loop)

    async def _change_codec(self, ask: dict[str, Any]) -> None:
        camera = self._named(ask)
        plan = camera.plan.model_copy(update={"codec": Codec(ask["codec"])})
        camera.change_loop(
            await asyncio.to_thread(any_loop_for, plan, self._plan.loop_seconds, self._folders.loops)
        )
        self._doors[ask["camera"]].send_everybody_away()
