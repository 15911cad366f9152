"""Strokes of a signature: what is kept, and what is none."""

import json
from hashlib import sha256

import pytest

from evidence.check_in_pictures import LIMITS, PictureKind
from kiosk.signatures import MOST_POINTS, NoSignatureError, signature_of

STROKES = [[[10 * step, 20, 15 * step] for step in range(8)], [[50, 60 + step, 400] for step in range(4)]]


def test_a_signature_is_its_strokes_by_their_digest() -> None:
    kept = signature_of(STROKES, 1280, 560)
    assert (kept.kind, kept.media_type) == (PictureKind.SIGNATURE, "application/json")
    assert kept.sha256_hex == sha256(kept.content).hexdigest()
    assert json.loads(kept.content) == {"form": 1, "width": 1280, "height": 560, "strokes": STROKES}
    assert kept.content.startswith(LIMITS[PictureKind.SIGNATURE].begins["application/json"])


@pytest.mark.parametrize(
    ("strokes", "width"),
    [
        (None, 1280),
        ([], 1280),
        ([[[1, 2, 3]]], 1280),
        (STROKES, "1280"),
        (STROKES, True),
        (STROKES, 5000),
        ([*STROKES, 7], 1280),
        ([*STROKES, [[1, 2]]], 1280),
        ([*STROKES, [[1, 2, 3.5]]], 1280),
        ([*STROKES, [[-1, 2, 3]]], 1280),
        ([*STROKES, [[1, 2, 10**9]]], 1280),
        ([*STROKES, ["abc"]], 1280),
        ([[[1, 2, 3]] * (MOST_POINTS + 1)], 1280),
    ],
)
def test_anything_else_is_none(strokes: object, width: object) -> None:
    with pytest.raises(NoSignatureError):
        signature_of(strokes, width, 560)
