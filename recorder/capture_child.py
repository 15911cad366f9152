"""Real capture programs: started with no secret in their arguments, heard line by line.

Children are started by the thread that lives as long as the recorder: the signal that ends them
with their parent is sent when the *thread* that started them ends.
"""

import contextlib
import os
import select
import selectors
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from exam.clock import SECOND_US, Clock
from recorder.camera_recorder import CameraRecorder
from recorder.camera_watch import Moment

_CHUNK_BYTES: Final = 65_536


@dataclass(slots=True, eq=False)
class CaptureChild:
    """One started program and the half lines it has said."""

    popen: subprocess.Popen[bytes]
    camera: CameraRecorder
    output: int
    errors: int
    _rests: dict[int, bytes] = field(default_factory=dict)

    def interrupt(self) -> None:
        """Ask it to finish its file and end."""
        self.popen.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """End it at once."""
        self.popen.kill()

    def listen(self, descriptor: int) -> list[str] | None:
        """The whole lines that have arrived on one of its pipes; None at the end."""
        chunk = os.read(descriptor, _CHUNK_BYTES)
        if not chunk:
            return None
        *lines, rest = (self._rests.get(descriptor, b"") + chunk).split(b"\n")
        self._rests[descriptor] = rest
        return [line.decode("utf-8", "replace") for line in lines]

    def reap(self) -> None:
        """Collect the program that has ended, and the pipes to it."""
        self.popen.wait()
        for pipe in (self.popen.stdout, self.popen.stderr):
            assert pipe is not None
            pipe.close()


class ChildLoop:
    """Starts children and delivers what they say. One thread owns it; only `wake` is for everybody.

    Words wait in the pipes until they are asked for; only an end is news at once. Thirty children that
    report every second would otherwise wake this program and themselves thirty times a second.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pipes = selectors.DefaultSelector()
        self._news = select.epoll()
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._waker, False)
        self._news.register(self._woken, select.EPOLLIN)

    def now(self) -> Moment:
        """This instant by both clocks."""
        return Moment(self._clock.wall_us(), self._clock.monotonic_us())

    def launch(self, camera: CameraRecorder, command: list[str], address: str, folder: Path) -> CaptureChild:
        """Start the program in a folder, with the address on its standard input. Raises OSError."""
        popen = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C in a terminal is the recorder's to pass on
        )
        assert popen.stdin is not None
        assert popen.stdout is not None
        assert popen.stderr is not None
        with contextlib.suppress(BrokenPipeError), popen.stdin:
            popen.stdin.write(address.encode())
        child = CaptureChild(popen, camera, popen.stdout.fileno(), popen.stderr.fileno())
        for descriptor in (child.output, child.errors):
            self._pipes.register(descriptor, selectors.EVENT_READ, child)
        self._news.register(child.output, 0)  # its hanging up is told whatever is asked for
        return child

    def wait(self, longest_us: int) -> None:
        """Return after that time; earlier when a child has ended or somebody wakes us."""
        for descriptor, _ in self._news.poll(longest_us / SECOND_US):
            if descriptor == self._woken:
                os.read(self._woken, _CHUNK_BYTES)
            else:
                self.hear()

    def hear(self) -> None:
        """Deliver what children have said since, and whose end has come."""
        for key, _ in self._pipes.select(0):
            if key.fd in self._pipes.get_map():  # its child may have ended earlier in this round
                self._hear(key.data, key.fd)

    def wake(self) -> None:
        """Let `wait` return. May be called from any thread and from signal handlers."""
        with contextlib.suppress(BlockingIOError):  # full of wake-ups already
            os.write(self._waker, b"!")

    def close(self) -> None:
        """Give the descriptors back. All children have ended."""
        self._pipes.close()
        self._news.close()
        os.close(self._woken)
        os.close(self._waker)

    def _hear(self, child: CaptureChild, descriptor: int) -> None:
        lines = child.listen(descriptor)
        if lines is None:
            self._pipes.unregister(descriptor)
            if descriptor == child.output:
                self._news.unregister(descriptor)
                self._end(child)
            return
        now = self.now()
        for line in lines:
            if descriptor == child.output:
                child.camera.on_output(line, now)
            else:
                child.camera.on_error_line(line)

    def _end(self, child: CaptureChild) -> None:
        # Standard output ends with the program; its last words tell why, so they are heard first.
        while child.errors in self._pipes.get_map():
            self._hear(child, child.errors)
        child.reap()
        child.camera.on_ended(self.now())
