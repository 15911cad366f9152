"""What a file tells of its sound, and that the pictures never depend on it."""

from pathlib import Path

import pytest

from evidence.fragments import parse
from evidence.ingest import ingest
from evidence.sound import NO_SOUND, Sound, SoundKind
from tests.evidence.recorded import Track, box, full_box, growing_name, init, mdat, prft, put, traf, words
from tests.evidence.store import FIRST_US, open_footage


def entry(name: str = "mp4a", object_type: int = 0x40) -> bytes:
    esds = full_box("esds", 0, b"\x03\x80\x80\x80\x22\0\0\0\x04\x80\x80\x80\x14", bytes([object_type]))
    return box(name, b"\0" * 28, esds)


def sounding(*tracks: Track, with_samples: bool = True) -> bytes:
    trafs = [traf([512] * 50), *([traf([1024] * 16, track=2)] if with_samples else [])]
    fragment = box("moof", full_box("mfhd", 0, words(1)), *trafs) + mdat()
    return init(*tracks) + prft(FIRST_US + 2_040_000) + fragment


@pytest.mark.parametrize(
    ("tracks", "sound"),
    [
        ([Track()], NO_SOUND),
        ([Track(name=b"VideoHandler")], NO_SOUND),
        ([Track(name=b"left_out:pcm_alaw")], Sound(SoundKind.LEFT_OUT, "pcm_alaw")),
        ([Track(name=b"left_out:")], Sound(SoundKind.LEFT_OUT)),
        ([Track(), Track(2, b"soun", entry())], Sound(SoundKind.COPIED, "aac")),
        ([Track(), Track(2, b"soun", entry(object_type=0x6B))], Sound(SoundKind.COPIED, "mp3")),
        ([Track(), Track(2, b"soun", entry("Opus"))], Sound(SoundKind.COPIED, "Opus")),
        (
            [Track(), Track(2, b"soun", entry(), name=b"derived:pcm_alaw")],
            Sound(SoundKind.DERIVED, "pcm_alaw"),
        ),
        ([Track(), Track(2, b"soun", b"")], Sound(SoundKind.COPIED, "unknown")),
        ([Track(), Track(2, b"soun", b"damaged!")], Sound(SoundKind.COPIED, "unknown")),
    ],
)
def test_a_file_tells_what_became_of_the_sound(tmp_path: Path, tracks: list[Track], sound: Sound) -> None:
    content = sounding(*tracks, with_samples=len(tracks) > 1)
    found = parse(put(tmp_path, "x.mp4", content))
    assert found.sound == sound
    assert found.media_us == 2_000_000


def test_a_microphone_that_was_announced_and_never_heard_counts_as_none(tmp_path: Path) -> None:
    tracks = (Track(), Track(2, b"soun", entry()))
    found = parse(put(tmp_path, "x.mp4", sounding(*tracks, with_samples=False)))
    assert found.sound == Sound(SoundKind.NONE, "aac")


@pytest.mark.parametrize("sound", [Sound(SoundKind.DERIVED, "pcm_mulaw"), Sound(SoundKind.LEFT_OUT)])
def test_what_is_noted_is_read_again(tmp_path: Path, sound: Sound) -> None:
    tracks = [Track(name=sound.note().encode()), Track(2, b"soun", entry())]
    assert parse(put(tmp_path, "x.mp4", sounding(*tracks))).sound == sound


def test_the_index_keeps_what_became_of_the_sound(tmp_path: Path) -> None:
    with open_footage(tmp_path) as footage:
        tracks = (Track(), Track(2, b"soun", entry(), name=b"derived:pcm_alaw"))
        ingest(footage.store, footage.put(growing_name(0), sounding(*tracks), FIRST_US + 2_040_000))
        (segment,) = footage.segments()
    assert segment.stream.sound == Sound(SoundKind.DERIVED, "pcm_alaw")
    assert segment.stream.is_browser_playable
