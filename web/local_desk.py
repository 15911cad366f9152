"""The console's end of the local socket: who asks there is known to the kernel.

Nobody but the site's own user and root is answered. See `evidence.local_socket`.
"""

import json
import os
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import structlog

from evidence.local_socket import LONGEST, NAME, PATIENCE_S, reachable

UNEXPECTED: Final = "发生意外错误，没有办理。请联系系统管理员。"
_CREDENTIALS: Final = struct.Struct("3i")  # process, user and group, as SO_PEERCRED gives them

_log: Final = structlog.get_logger("local_desk")


class Desk:
    """Answers questions, one after the other, in a thread of its own until `close`.

    Only the holder of the writer's lock of exam.db may open one: it takes the place of whatever socket an
    earlier console left behind.
    """

    def __init__(
        self,
        folder: Path,
        answer: Callable[[dict[str, Any]], Mapping[str, Any]],
        is_welcome: Callable[[socket.socket], bool] | None = None,
    ) -> None:
        self._folder, self._answer, self._is_welcome = folder, answer, is_welcome or is_own
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        (folder / NAME).unlink(missing_ok=True)
        with reachable(folder) as address:
            self._listener.bind(address)
        (folder / NAME).chmod(0o600)
        self._listener.listen(4)
        self._thread = threading.Thread(target=self._serve, name="desk", daemon=True)
        self._thread.start()

    def close(self, patience_s: float = 5.0) -> None:
        """Take no more questions, and wait for the answer that is being given."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(patience_s)
        self._listener.close()
        (self._folder / NAME).unlink(missing_ok=True)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed
                return
            with connection:
                try:
                    self._answer_one(connection)
                except OSError:  # who asked has left
                    continue

    def _answer_one(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE_S)
        if not self._is_welcome(connection):
            return
        packet = connection.recv(LONGEST)
        if not packet:
            return
        try:
            answer = self._answer(json.loads(packet))
        except Exception:  # noqa: BLE001 - the boundary of a question: the next one must be answered
            _log.exception("question_broken")
            answer = {"fault": UNEXPECTED}
        connection.send(json.dumps(answer).encode())


def is_own(connection: socket.socket, own_user: int | None = None) -> bool:
    """Whether the program at the other end belongs to this user, or to root."""
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    user = _CREDENTIALS.unpack(told)[1]
    return user in (0, os.geteuid() if own_user is None else own_user)
