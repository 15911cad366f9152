"""What the eye notices besides codes: a covered lens, a card that nobody can read."""

import numpy as np
import pytest

from exam.clock import SECOND_US
from kiosk.attention import COVERED_US, SETTLED_US, UNREAD_US, Attention, Noticed
from kiosk.scanner import Picture, glance_at
from tests.kiosk.paper import bars, tray
from tests.kiosk.stage import TICKET

NOTHING = Noticed()
UNREAD = Noticed(is_unread=True)
PLAIN = tray(noise=4)


def with_an_edge(picture: Picture) -> Picture:
    """On a tray whose edge is in the picture."""
    framed = picture.copy()
    framed[:, :150] = 60
    return framed


EMPTY = with_an_edge(PLAIN)
CARD = with_an_edge(tray(bars(TICKET), noise=4))


class Eye:
    """Shows the same picture for a while, ten times a second."""

    def __init__(self) -> None:
        self._attention = Attention()
        self.now_us = 1_000_000_000

    def sees(self, picture: Picture, for_us: int, *, was_read: bool = False) -> list[Noticed]:
        glance, noticed = glance_at(picture), []
        for _ in range(max(1, for_us * 10 // SECOND_US)):
            noticed.append(self._attention.look(glance, self.now_us, was_read=was_read))
            self.now_us += SECOND_US // 10
        return noticed


@pytest.fixture
def eye() -> Eye:
    started = Eye()
    assert started.sees(EMPTY, 2 * SECOND_US) == [NOTHING] * 20
    return started


def test_an_empty_tray_is_nothing_to_speak_of(eye: Eye) -> None:
    assert set(eye.sees(EMPTY, 30 * SECOND_US)) == {NOTHING}


def test_a_card_that_stays_unread_is_told_once(eye: Eye) -> None:
    noticed = eye.sees(CARD, 20 * SECOND_US)
    assert noticed.index(UNREAD) == UNREAD_US * 10 // SECOND_US
    assert noticed.count(UNREAD) == 1


def test_a_card_that_was_read_is_never_told(eye: Eye) -> None:
    eye.sees(CARD, SECOND_US, was_read=True)
    assert set(eye.sees(CARD, 30 * SECOND_US)) == {NOTHING}


def test_the_next_card_is_told_again(eye: Eye) -> None:
    for _ in range(2):
        assert UNREAD in eye.sees(CARD, 12 * SECOND_US)
        eye.sees(EMPTY, SECOND_US)


def test_what_nobody_takes_away_belongs_to_the_tray_in_the_end(eye: Eye) -> None:
    eye.sees(CARD, SETTLED_US + 20 * SECOND_US)
    assert set(eye.sees(CARD, 30 * SECOND_US)) == {NOTHING}


def test_taking_away_what_lay_there_at_the_start_is_no_card() -> None:
    eye = Eye()
    eye.sees(CARD, 2 * SECOND_US)
    assert set(eye.sees(EMPTY, 30 * SECOND_US)) == {NOTHING}


def test_light_that_changes_slowly_is_no_card(eye: Eye) -> None:
    for shade in range(0, 60, 2):
        noticed = eye.sees(np.clip(EMPTY.astype(int) - shade, 0, 255).astype(np.uint8), 4 * SECOND_US)
        assert set(noticed) == {NOTHING}


@pytest.mark.parametrize("shade", [0, 5, 120, 255])
def test_a_dark_or_uniform_picture_means_covered_after_three_seconds(eye: Eye, shade: int) -> None:
    noticed = eye.sees(np.full((72, 128, 3), shade, np.uint8), 5 * SECOND_US)
    assert noticed.index(Noticed(is_covered=True)) == COVERED_US * 10 // SECOND_US
    assert eye.sees(EMPTY, SECOND_US // 10) == [NOTHING]


def test_a_plain_tray_is_not_a_covered_lens_but_darkness_is() -> None:
    eye = Eye()
    assert set(eye.sees(PLAIN, 20 * SECOND_US)) == {NOTHING}
    assert Noticed(is_covered=True) in eye.sees(np.zeros((72, 128, 3), np.uint8), 4 * SECOND_US)


def test_a_hand_that_passes_covers_nothing(eye: Eye) -> None:
    for _ in range(5):
        assert set(eye.sees(np.zeros((72, 128, 3), np.uint8), 2 * SECOND_US)) == {NOTHING}
        eye.sees(EMPTY, SECOND_US)


def test_a_picture_that_was_read_is_not_covered(eye: Eye) -> None:
    black = np.zeros((72, 128, 3), np.uint8)
    assert set(eye.sees(black, 5 * SECOND_US, was_read=True)) == {NOTHING}
