"""The sound beside the pictures: how it is announced, cut and paced."""

from pathlib import Path

import pytest

from rehearsal.camera_sound import FORMATS, CameraSound, Sound, SoundLoop, sound_for

pytestmark = pytest.mark.media


def test_a_camera_without_a_microphone_has_no_sound(tmp_path: Path) -> None:
    assert sound_for(Sound.NONE, tmp_path) is None


@pytest.mark.parametrize(("sound", "size"), [(Sound.PCMA, 160), (Sound.PCMU, 160), (Sound.G726, 80)])
def test_a_telephone_sound_is_cut_into_packets_of_twenty_milliseconds(
    tmp_path: Path, sound: Sound, size: int
) -> None:
    loop = sound_for(sound, tmp_path)
    assert loop is not None
    assert {len(payload) for payload in loop.payloads} == {size}
    assert loop.format.samples * 50 == loop.format.rate_hz
    assert sound_for(sound, tmp_path) == loop, "the second time it is found"


def test_aac_goes_out_one_access_unit_per_packet_behind_its_length(tmp_path: Path) -> None:
    loop = sound_for(Sound.AAC, tmp_path)
    assert loop is not None
    assert all(int.from_bytes(payload[2:4], "big") >> 3 == len(payload) - 4 for payload in loop.payloads)
    assert any("config=1408" in line for line in loop.description())


def test_a_broken_microphone_is_announced_and_stays_silent(tmp_path: Path) -> None:
    loop = sound_for(Sound.MUTE_AAC, tmp_path)
    assert loop is not None
    assert CameraSound(loop, 25).due(7) == []


def test_sound_keeps_step_with_the_pictures() -> None:
    sound = CameraSound(SoundLoop(FORMATS[Sound.AAC], (b"a", b"b", b"c")), 25)
    sent = [due for frame in range(25 * 60) for due in sound.due(frame)]
    assert [timestamp for _, timestamp in sent] == [number * 1024 for number in range(len(sent))]
    assert [payload for payload, _ in sent[:4]] == [b"a", b"b", b"c", b"a"]
    assert abs(len(sent) * 1024 / 16_000 - 60) < 0.1
    assert sound.timestamp(25) == 16_000
