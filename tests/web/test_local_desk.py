"""One question and one answer between programs of the same user."""

import json
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from evidence.local_socket import LONGEST, NAME, NobodyAnswersError, ask
from web.local_desk import UNEXPECTED, Desk, is_own


def echo(question: dict[str, Any]) -> Mapping[str, Any]:
    return {"heard": question["said"]}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with closing(Desk(tmp_path, echo)) as opened:
        yield opened


def connected(folder: Path) -> socket.socket:
    own = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    own.connect(str(folder / NAME))
    return own


@pytest.mark.usefixtures("desk")
def test_a_question_gets_its_answer_and_so_does_the_next(tmp_path: Path) -> None:
    assert [ask(tmp_path, {"said": word}) for word in ("早", "晚")] == [{"heard": "早"}, {"heard": "晚"}]


@pytest.mark.usefixtures("desk")
def test_only_the_owner_can_reach_it(tmp_path: Path) -> None:
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("desk")
def test_a_question_that_cannot_be_answered_holds_up_no_other(tmp_path: Path) -> None:
    assert ask(tmp_path, {}) == {"fault": UNEXPECTED}
    for packet in (b"not json", b'"' + b"x" * LONGEST + b'"'):
        with connected(tmp_path) as own:
            own.send(packet)
            assert json.loads(own.recv(LONGEST)) == {"fault": UNEXPECTED}
    connected(tmp_path).close()  # leaves without a word
    with connected(tmp_path) as own:
        own.send(b'{"said": 1}')  # leaves without waiting for the answer
    assert ask(tmp_path, {"said": 2}) == {"heard": 2}


def test_it_takes_the_place_of_what_a_killed_console_left(tmp_path: Path) -> None:
    (tmp_path / NAME).touch()
    with closing(Desk(tmp_path, echo)):
        assert ask(tmp_path, {"said": 1}) == {"heard": 1}
    assert not (tmp_path / NAME).exists()


def test_a_folder_may_lie_as_deep_as_it_likes(tmp_path: Path) -> None:
    deep = tmp_path / ("考" * 60) / ("点" * 60)
    deep.mkdir(parents=True)
    with closing(Desk(deep, echo)):
        assert ask(deep, {"said": 1}) == {"heard": 1}


def test_without_a_desk_nobody_answers(tmp_path: Path) -> None:
    with pytest.raises(NobodyAnswersError):
        ask(tmp_path, {})


def test_another_user_is_not_answered(tmp_path: Path) -> None:
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with mine, its:
        assert is_own(its)
        assert is_own(its, own_user=os.geteuid() + 1) == (os.geteuid() == 0)  # root may ask anybody
    with closing(Desk(tmp_path, echo, lambda _connection: False)), pytest.raises(NobodyAnswersError):
        ask(tmp_path, {"said": 1})


def test_a_console_that_ends_in_the_middle_of_a_question_is_nobody(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as console:
        console.bind(str(tmp_path / NAME))
        console.listen()

        def hears_and_ends() -> None:
            connection, _ = console.accept()
            with connection:
                connection.recv(LONGEST)

        ending = threading.Thread(target=hears_and_ends)
        ending.start()
        with pytest.raises(NobodyAnswersError, match="without an answer"):
            ask(tmp_path, {"said": 1})
        ending.join()
