"""A sound server of the tests' own: PulseAudio in a private folder, without the machine's services."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exam.clock import SystemClock

CLOCK = SystemClock()


@contextmanager
def pulse_server(folder: Path, *modules: str) -> Iterator[dict[str, str]]:
    """Yields the environment in which programs find the server; `modules` are loaded at its start."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    socket = folder / "native"
    environment = {
        **os.environ,
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(folder),
        "PULSE_SERVER": f"unix:{socket}",
    }
    words = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
    # What captures must not be kept from it by what is measured; where it may not, it goes on without.
    words += ["--disable-shm=yes", "--realtime=yes", "--high-priority=yes"]
    words += ["-L", f"module-native-protocol-unix socket={socket} auth-anonymous=1"]
    for module in modules:
        words += ["-L", module]
    with (folder / "pulse.log").open("ab") as log:
        server = subprocess.Popen(words, env=environment, stdout=log, stderr=log)
    try:
        _wait_for(socket, server)
        yield environment
    finally:
        server.terminate()
        server.wait(30)
        socket.unlink(missing_ok=True)


def _wait_for(socket: Path, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(1200):
        if socket.exists():
            return
        if server.poll() is not None:
            break
        CLOCK.sleep_us(25_000)
    raise RuntimeError("the sound server did not come up")
