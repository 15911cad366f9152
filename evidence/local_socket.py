"""One question and one answer between programs of the same user on this machine.

The console is the only writer of exam.db while it runs, so a command asks it instead of writing beside it. A
question is one JSON object in one packet over a Unix socket in the data folder, as is the answer.
"""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

NAME: Final = "console.sock"
LONGEST: Final = 64 * 1024
# Long enough to stretch a password on a busy machine.
PATIENCE_S: Final = 20.0


class NobodyAnswersError(Exception):
    """No console takes questions in this data folder."""


def ask(folder: Path, question: Mapping[str, Any]) -> dict[str, Any]:
    """The console's answer. Raises NobodyAnswersError when there is none."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
            connection.settimeout(PATIENCE_S)
            with reachable(folder) as address:
                connection.connect(address)
            connection.send(json.dumps(question).encode())
            packet = connection.recv(LONGEST)
    except OSError as error:
        raise NobodyAnswersError(str(error)) from error
    if not packet:
        raise NobodyAnswersError("it ended without an answer")
    found: dict[str, Any] = json.loads(packet)
    return found


@contextmanager
def reachable(folder: Path) -> Iterator[str]:
    """The socket's address, short however deep the folder lies: the kernel takes 107 bytes at most."""
    opened = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{opened}/{NAME}"
    finally:
        os.close(opened)
