import os
import signal
from collections.abc import Iterator

import pytest

from config.stop_signals import STOPPING, once_on_signals


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in STOPPING}
    yield
    for number, action in before.items():
        signal.signal(number, action)


@pytest.mark.parametrize("number", STOPPING)
def test_a_program_is_asked_once_also_while_it_is_being_asked(number: signal.Signals) -> None:
    asked: list[str] = []

    def ask() -> None:
        for again in STOPPING:
            os.kill(os.getpid(), again)
        asked.append("to stop")

    once_on_signals(ask)
    os.kill(os.getpid(), number)
    os.kill(os.getpid(), number)
    assert asked == ["to stop"]


def test_what_was_there_before_comes_back_to_whoever_wants_it() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    assert once_on_signals(lambda: None)[signal.SIGTERM] is signal.SIG_DFL
