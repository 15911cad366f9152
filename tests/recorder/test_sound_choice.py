"""Sound is recorded where possible, and never at the price of pictures."""

import pytest

from evidence.footage import Cause
from evidence.sound import Sound, SoundKind
from recorder.sound_choice import SoundChoice

OPENED = "[info]   Stream #0:0: Video: h264 (Main), yuv420p, 1280x720, 25 fps"
G711 = "[info]   Stream #0:1: Audio: pcm_alaw, 8000 Hz, mono, s16, 64 kb/s"
UNKNOWN = "[rtsp @ 0x1] [warning] Could not find codec parameters for stream 1 (Audio: none, 8000 Hz, mono)"
OURS = "[info]   Stream #0:1: Audio: aac (LC), 16000 Hz, mono, fltp, 48 kb/s"


def fails(choice: SoundChoice, cause: Cause = Cause.CAMERA_CLOSED, *, hangs: bool = False) -> Sound:
    """One run that ends early; what the next one does."""
    choice.begin()
    if not hangs:
        choice.heard(OPENED)
    choice.ended(cause, is_proven=False, is_hanging=hangs)
    return choice.begin()


def test_a_site_that_wants_no_sound_leaves_it_out_and_says_so() -> None:
    assert SoundChoice(is_wanted=False).begin() == Sound(SoundKind.LEFT_OUT)


def test_sound_is_copied_as_long_as_the_file_can_hold_it() -> None:
    choice = SoundChoice(is_wanted=True)
    assert choice.begin().kind is SoundKind.COPIED
    choice.ended(Cause.STALLED, is_proven=True, is_hanging=False)
    assert choice.begin().kind is SoundKind.COPIED


def test_sound_the_file_cannot_hold_is_transcoded_and_its_codec_remembered() -> None:
    choice = SoundChoice(is_wanted=True)
    choice.begin()
    for line in (OPENED, G711):
        choice.heard(line)
    choice.ended(Cause.UNPLAYABLE, is_proven=False, is_hanging=False)
    assert choice.begin() == Sound(SoundKind.DERIVED, "pcm_alaw")
    for line in (OPENED, G711, OURS):
        choice.heard(line)
    choice.ended(Cause.CAMERA_CLOSED, is_proven=True, is_hanging=False)
    assert choice.begin() == Sound(SoundKind.DERIVED, "pcm_alaw")


@pytest.mark.parametrize("hangs", [False, True])
def test_after_two_early_ends_the_sound_is_left_out_for_a_run_and_then_tried_once(hangs: bool) -> None:
    choice = SoundChoice(is_wanted=True)
    assert fails(choice, Cause.UNREACHABLE, hangs=hangs).kind is SoundKind.COPIED
    assert fails(choice, Cause.UNREACHABLE, hangs=hangs).kind is SoundKind.LEFT_OUT
    choice.ended(Cause.CAMERA_CLOSED, is_proven=True, is_hanging=False)
    assert choice.begin().kind is SoundKind.COPIED
    assert fails(choice).kind is SoundKind.LEFT_OUT


def test_when_leaving_it_out_does_not_help_the_sound_is_not_blamed() -> None:
    choice = SoundChoice(is_wanted=True)
    fails(choice)
    assert fails(choice).kind is SoundKind.LEFT_OUT
    assert fails(choice).kind is SoundKind.COPIED


@pytest.mark.parametrize("cause", [Cause.UNAUTHORIZED, Cause.REFUSED, Cause.TOO_MANY_SESSIONS])
def test_a_camera_that_lets_nobody_in_says_nothing_about_its_sound(cause: Cause) -> None:
    choice = SoundChoice(is_wanted=True)
    for _ in range(5):
        assert fails(choice, cause).kind is SoundKind.COPIED


def test_a_camera_that_is_away_keeps_its_sound() -> None:
    choice = SoundChoice(is_wanted=True)
    for _ in range(5):
        choice.begin()
        choice.ended(Cause.UNREACHABLE, is_proven=False, is_hanging=False)
    assert choice.begin().kind is SoundKind.COPIED


def test_a_camera_that_announces_pictures_and_sends_none_says_nothing_about_its_sound() -> None:
    choice = SoundChoice(is_wanted=True)
    for _ in range(5):
        choice.begin()
        choice.heard("[info]   Stream #0:0: Video: h264, none, 90k tbr, 90k tbn")
        choice.ended(Cause.UNREACHABLE, is_proven=False, is_hanging=False)
    assert choice.begin().kind is SoundKind.COPIED


def test_what_the_index_knows_spares_a_restarted_service_the_first_failure() -> None:
    known = Sound(SoundKind.DERIVED, "pcm_alaw")
    assert SoundChoice(is_wanted=True, before=known).begin() == known
    assert SoundChoice(is_wanted=True, before=Sound(SoundKind.LEFT_OUT)).begin().kind is SoundKind.COPIED


def test_sound_in_a_codec_that_nobody_knows_is_left_out_and_the_next_files_say_so() -> None:
    choice = SoundChoice(is_wanted=True)
    choice.begin()
    assert not choice.is_to_be_left_out
    choice.heard(UNKNOWN)
    assert choice.is_to_be_left_out
    for _ in range(3):
        assert choice.begin() == Sound(SoundKind.LEFT_OUT, "unknown")
        assert not choice.is_to_be_left_out
        choice.ended(Cause.CAMERA_CLOSED, is_proven=True, is_hanging=False)
