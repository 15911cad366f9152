"""Running a piece of work in a forked child while strace makes one of its system calls fail.

The child is forked from a warm process, so that only the work itself is traced, not the interpreter's start.
"""

import os
import re
import select
import signal
import socket
import subprocess
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 30.0
_CALL = re.compile(r"^(\d+) +(\w+)\(")


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens at one call. `what` in strace's words; `onwards`: at all later calls as well."""

    call: str
    number: int
    what: str
    onwards: bool = False

    def options(self) -> list[str]:
        return ["-e", f"trace={self.call}", "-e", self.words()]

    def words(self) -> str:
        return f"inject={self.call}:{self.what}:when={self.number}{'+' if self.onwards else ''}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a child ended: its exit status (negative: signal; None: it hung) and what it had told."""

    status: int | None
    told: tuple[bytes, ...]


Tell = Callable[[bytes], None]


def run_child(work: Callable[[Tell], int], fault: Fault | None = None) -> Outcome:
    """Run the work in a child, with the fault if any. The work returns its exit status."""
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = os.fork()
    if child == 0:
        mine.close()
        _live(work, its)
    its.close()
    tracer = None if fault is None else _trace(child, ["-o", "/dev/null", *fault.options()])
    return _watch(child, mine, tracer)


def count_calls(work: Callable[[Tell], int], calls: Sequence[str], folder: Path) -> dict[str, int]:
    """How often the work makes each call, in the thread that makes it most often."""
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = os.fork()
    if child == 0:
        mine.close()
        _live(work, its)
    its.close()
    listing = folder / "calls"
    tracer = _trace(child, ["-o", str(listing), "-e", f"trace={','.join(calls)}"])
    outcome = _watch(child, mine, tracer)
    if outcome.status != 0:
        raise RuntimeError(f"the work does not even end well without a fault: {outcome}")
    found = (_CALL.match(line) for line in listing.read_text().splitlines())
    seen = Counter(each.groups() for each in found if each)
    most = Counter[str]()
    for (_, call), number in seen.items():
        most[call] = max(most[call], number)
    return dict(most)


def _live(work: Callable[[Tell], int], its: socket.socket) -> None:
    """The child's whole life."""
    status = 4
    try:
        its.recv(1)  # until the tracer is there
        status = work(lambda words: _send(its, words))
    except BaseException:  # noqa: BLE001 - the boundary of a process: the parent is told
        _send(its, b"! " + traceback.format_exc().strip().splitlines()[-1].encode())
    finally:
        os._exit(status)


def _send(its: socket.socket, words: bytes) -> None:
    # sendto() is not among the calls that fail: what was acknowledged is always heard.
    its.send(words)


def _trace(child: int, options: list[str]) -> "subprocess.Popen[bytes]":
    command = ["strace", "-f", "-p", str(child), *options]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    assert tracer.stderr is not None
    line = tracer.stderr.readline()
    if b"attached" not in line:
        os.kill(child, signal.SIGKILL)
        raise RuntimeError(f"strace cannot attach: {line.decode(errors='replace')}")
    return tracer


def _watch(child: int, mine: socket.socket, tracer: "subprocess.Popen[bytes] | None") -> Outcome:
    mine.send(b"g")
    told: list[bytes] = []
    has_hung = False
    while True:
        ready, _, _ = select.select([mine], [], [], PATIENCE_S)
        if not ready:
            has_hung = True
            os.kill(child, signal.SIGKILL)
            continue
        try:
            words = mine.recv(1 << 16)
        except ConnectionResetError:
            words = b""
        if not words:
            break
        told.append(words)
    mine.close()
    _, status = os.waitpid(child, 0)
    if tracer is not None:
        tracer.communicate()
    return Outcome(None if has_hung else os.waitstatus_to_exitcode(status), tuple(told))
