"""What is measured in a small picture, on a drawn room."""

import cv2
import numpy as np
import pytest

from recorder.picture_measures import (
    HEIGHT,
    WIDTH,
    Measures,
    Reference,
    from_png,
    jpeg,
    measure,
    png,
    typical,
)
from rehearsal.camera_plan import LensState
from rehearsal.lens_faults import seen_through
from tests.recorder.pictures import Image, glance, room


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference(glance(room(), 1).grey)


def seen(picture: Image, reference: Reference) -> Measures:
    return measure(glance(picture, 3), glance(picture, 2), reference)


def test_without_anything_to_compare_with_only_the_picture_itself_is_measured() -> None:
    measures = measure(glance(room()), None, None)
    assert measures.detail > 0.5
    assert measures.dark_share < 0.1
    assert (measures.same_share, measures.noise) == (None, None)
    assert (measures.detail_kept, measures.likeness, measures.sharpness) == (None, None, None)


def test_the_same_room_looks_like_itself_and_its_noise_shows_that_it_is_alive(reference: Reference) -> None:
    measures = seen(room(), reference)
    assert measures.likeness == pytest.approx(1, abs=0.05)
    assert measures.sharpness == pytest.approx(1, abs=0.05)
    assert measures.same_share == 0
    assert measures.noise is not None
    assert measures.noise > 0.5


def test_dimmed_lamps_are_neither_blur_nor_another_view(reference: Reference) -> None:
    measures = seen((room() * 0.35).astype(np.uint8), reference)
    assert measures.likeness is not None
    assert measures.likeness > 0.8
    assert measures.sharpness is not None
    assert measures.sharpness > 0.8


def test_the_same_encoded_picture_again_does_not_change_at_all(reference: Reference) -> None:
    again = glance(room(), 4)
    measures = measure(again, again, reference)
    assert (measures.same_share, measures.noise) == (1, 0)


def test_a_black_picture_is_dark_and_keeps_no_detail(reference: Reference) -> None:
    measures = seen(np.zeros_like(room()), reference)
    assert measures.dark_share == 1
    assert measures.detail == 0
    assert measures.detail_kept == 0
    assert measures.sharpness == 1, "nothing is left to be sharp or not"


def test_a_covered_lens_keeps_no_detail(reference: Reference) -> None:
    assert seen(seen_through(LensState.COVERED, room()), reference).detail_kept == pytest.approx(0, abs=0.05)


def test_a_lens_out_of_focus_loses_sharpness_but_shows_the_same_view(reference: Reference) -> None:
    measures = seen(seen_through(LensState.BLURRED, room()), reference)
    assert measures.sharpness is not None
    assert measures.sharpness < 0.4
    assert measures.likeness is not None
    assert measures.likeness > 0.6


def test_a_turned_camera_shows_another_view(reference: Reference) -> None:
    measures = seen(seen_through(LensState.MOVED, room()), reference)
    assert measures.likeness is not None
    assert measures.likeness < 0.4


def test_a_reference_without_any_detail_is_like_nothing() -> None:
    blank = Reference(np.full((HEIGHT, WIDTH), 90, np.uint8))
    assert blank.likeness(glance(room()).grey) == 0


def test_who_walks_through_is_not_in_the_typical_picture() -> None:
    empty = glance(room()).grey
    passing = empty.copy()
    passing[40:160, 100:140] = 0
    assert (typical([empty, passing, empty]) == empty).all()


def test_a_reference_picture_survives_as_png_and_garbage_is_none() -> None:
    grey = glance(room()).grey
    kept = from_png(png(grey))
    assert kept is not None
    assert (kept == grey).all()
    assert from_png(b"garbage") is None


def test_a_thumbnail_is_a_small_jpeg() -> None:
    picture = jpeg(glance(room()), 55)
    assert len(picture) < 12_000
    assert cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR).shape == (HEIGHT, WIDTH, 3)
