"""SIGTERM and SIGINT ask a program to stop: once, however often they come.

Ctrl-C reaches every process of a terminal, and who started them sends SIGTERM as well. A handler that is
interrupted by itself would wait for ever for a lock that it already holds.
"""

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

STOPPING: Final = (signal.SIGTERM, signal.SIGINT)


def once_on_signals(ask: Callable[[], None]) -> dict[signal.Signals, Any]:
    """Call `ask` at the first of them, from the main thread; those after it change nothing.

    Returns the handlers that were there before.
    """

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in STOPPING:
            signal.signal(number, _nothing)  # not SIG_IGN, which programs that are started would inherit
        ask()

    return {number: signal.signal(number, stop) for number in STOPPING}


def _nothing(_number: int, _frame: FrameType | None) -> None:
    return
