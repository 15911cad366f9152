"""Switches faults of running simulated cameras, over a loopback connection of JSON lines.

One request is one line, `{"act": "fault", "camera": "room-1", "fault": "drop", "on": true}`, one answer is
one line, `{"ok": true, ...}` or `{"ok": false, "because": "..."}`. The server's side is
`rehearsal.camera_site`.
"""

import json
import socket
from types import TracebackType
from typing import Any, Final, Self

from rehearsal.camera_plan import Codec, Fault

_PATIENCE_S: Final = 60.0  # a change of resolution may encode a loop first


class ControlRefusedError(Exception):
    """The simulator did not do what was asked; the message says why."""


class CameraControl:
    """A connection to the simulator's control port. Use as a context manager, or close it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_S)
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    def start_fault(self, camera: str, fault: Fault) -> None:
        """Switch a fault on. `drop` and `wrong_password` also end the connections there are."""
        self._ask(act="fault", camera=camera, fault=fault, on=True)

    def end_fault(self, camera: str, fault: Fault) -> None:
        """Switch a fault off."""
        self._ask(act="fault", camera=camera, fault=fault, on=False)

    def jump_timestamps(self, camera: str, seconds: float) -> None:
        """Let RTP timestamps leap forwards or backwards."""
        self._ask(act="jump_timestamps", camera=camera, seconds=seconds)

    def step_clock(self, camera: str, seconds: float) -> None:
        """Set the camera's clock (sender reports and picture) forwards or backwards."""
        self._ask(act="step_clock", camera=camera, seconds=seconds)

    def change_resolution(self, camera: str, resolution: str) -> None:
        """Let the camera send another picture size (WIDTHxHEIGHT) from its next keyframe on."""
        self._ask(act="change_resolution", camera=camera, resolution=resolution)

    def change_codec(self, camera: str, codec: Codec) -> None:
        """Let the camera encode differently; it ends the connections there are, as real ones do."""
        self._ask(act="change_codec", camera=camera, codec=codec)

    def viewers(self) -> dict[str, int]:
        """How many clients watch each camera."""
        return {str(name): int(count) for name, count in self._ask(act="viewers")["viewers"].items()}

    def _ask(self, **request: Any) -> dict[str, Any]:
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        line = self._lines.readline()
        if not line:
            raise ControlRefusedError("the camera simulator has gone away")
        answer: dict[str, Any] = json.loads(line)
        if not answer["ok"]:
            raise ControlRefusedError(answer["because"])
        return answer
