"""What a speaker keeps: nothing sounds twice after a crash at any line, nothing half-arrived is played."""

import base64
import hashlib
from pathlib import Path

import numpy as np
import pytest

from exam.playing import PlayerCue
from exam.server_time import Measure
from kiosk.speaker_outputs import RATE
from kiosk.speaker_store import KEEP_US, MOST_REPORTS, SoundFileError, SpeakerStore
from tests.kiosk.speakers import tone_wav

CUE = PlayerCue("R01", "1@0:C5:1", 1, "C5", 1, 1000, 2000, may_sound=True, after=None, audio="/audio/a.wav")
NAME = "R01/1@0:C5:1"


def test_every_act_is_known_after_a_restart(tmp_path: Path) -> None:
    store = SpeakerStore(tmp_path)
    store.claim([CUE], 900)
    assert SpeakerStore(tmp_path).open_claims().keys() == {NAME}
    store.began([NAME], 1005)
    assert SpeakerStore(tmp_path).played_by("") == {NAME: 1005}
    store.done([NAME], 1900)
    again = SpeakerStore(tmp_path)
    assert again.open_claims() == {}
    assert again.played_by("") == {NAME: 1005}
    assert SpeakerStore(tmp_path).played_by("") == {NAME: 1005}  # the journal was written anew meanwhile


def test_a_claim_given_back_may_come_again(tmp_path: Path) -> None:
    store = SpeakerStore(tmp_path)
    store.claim([CUE], 900)
    store.release([NAME, "R01/unknown"], 950)
    assert store.claims == {}
    assert SpeakerStore(tmp_path).claims == {}


def test_a_line_torn_by_a_crash_costs_that_line_only(tmp_path: Path) -> None:
    SpeakerStore(tmp_path).claim([CUE], 900)
    with (tmp_path / "played.jsonl").open("ab") as journal:
        journal.write(b'{"act": "claim", "cue": {"ro')
    assert SpeakerStore(tmp_path).claims.keys() == {NAME}


def test_old_claims_are_forgotten(tmp_path: Path) -> None:
    store = SpeakerStore(tmp_path)
    store.claim([CUE], 900)
    store.claim([PlayerCue(**{**_fields(CUE), "key": "new"})], 900 + KEEP_US)
    assert SpeakerStore(tmp_path).claims.keys() == {"R01/new"}


def test_what_was_played_today_is_not_forgotten_for_a_day_that_was_rehearsed_before(tmp_path: Path) -> None:
    store = SpeakerStore(tmp_path)
    store.claim([PlayerCue(**{**_fields(CUE), "key": "saturday"})], 900 + 2 * KEEP_US)
    store.claim([CUE], 900)
    assert SpeakerStore(tmp_path).claims.keys() == {NAME}


def _fields(cue: PlayerCue) -> dict[str, object]:
    return {name: getattr(cue, name) for name in cue.__slots__}


def test_a_disk_that_takes_nothing_does_not_keep_the_bell_from_ringing(tmp_path: Path) -> None:
    store = SpeakerStore(tmp_path)
    for name in ("played.jsonl", "schedule.json"):
        (tmp_path / name).unlink(missing_ok=True)
        (tmp_path / name).mkdir()
    store.claim([CUE], 900)
    store.keep_schedule([])
    assert NAME in store.claims


def test_reports_wait_until_they_are_taken_and_a_changed_one_stays(tmp_path: Path) -> None:
    store = SpeakerStore(tmp_path)
    store.keep_report("a", {"ended_at_us": None})
    sent = SpeakerStore(tmp_path).waiting_reports(50)
    store.keep_report("a", {"ended_at_us": 5})
    store.keep_report("b", {"ended_at_us": None})
    store.drop_reports({**sent, "b": {"ended_at_us": None}})
    assert SpeakerStore(tmp_path).waiting_reports(50) == {"a": {"ended_at_us": 5}}


def test_reports_of_a_console_that_never_comes_back_do_not_fill_the_disk(tmp_path: Path) -> None:
    store = SpeakerStore(tmp_path)
    store.reports = {str(number): {} for number in range(MOST_REPORTS)}
    store.keep_report("last", {})
    assert len(store.reports) == MOST_REPORTS
    assert "0" not in store.reports


def test_the_measured_time_outlives_the_program_but_not_the_machines_boot(tmp_path: Path) -> None:
    store = SpeakerStore(tmp_path)
    assert store.measure("boot-1") is None
    store.keep_measure(Measure(5, 6, 7), "boot-1", 8)
    assert SpeakerStore(tmp_path).measure("boot-1") == (Measure(5, 6, 7), 8)
    assert SpeakerStore(tmp_path).measure("boot-2") is None


def test_a_schedule_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "schedule.json").write_text("{", encoding="utf-8")
    assert SpeakerStore(tmp_path).schedule() == []


def test_a_sound_is_kept_only_whole(tmp_path: Path) -> None:
    store, wav = SpeakerStore(tmp_path), tone_wav(0.5)
    digest = base64.b64encode(hashlib.sha256(wav).digest()).decode()
    with pytest.raises(SoundFileError, match="damaged"):
        store.keep_sound("/audio/a.wav", wav[:-2], f"sha-256=:{digest}:")
    assert not store.has_sound("/audio/a.wav")
    store.keep_sound("/audio/a.wav", wav, f"sha-256=:{digest}:")
    assert store.samples("/audio/a.wav").size == RATE // 2


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 2), (RATE, 2), (8_000, 1)])
def test_other_rates_and_two_channels_become_the_streams(tmp_path: Path, rate: int, channels: int) -> None:
    store = SpeakerStore(tmp_path)
    store.keep_sound("/audio/a.wav", tone_wav(1, rate=rate, channels=channels), "")
    samples = store.samples("/audio/a.wav")
    assert abs(samples.size - RATE) <= 1
    assert np.all(samples == 9_000)


@pytest.mark.parametrize("content", [b"", b"RIFF", tone_wav(0.1)[:-1]])
def test_what_cannot_be_played_is_removed_and_so_fetched_again(tmp_path: Path, content: bytes) -> None:
    store = SpeakerStore(tmp_path)
    store.keep_sound("/audio/a.wav", content, "")
    with pytest.raises(SoundFileError):
        store.samples("/audio/a.wav")
    assert not store.has_sound("/audio/a.wav")


def test_eight_bits_a_sample_are_refused(tmp_path: Path) -> None:
    store, wav = SpeakerStore(tmp_path), bytearray(tone_wav(0.1))
    wav[34:36] = (8).to_bytes(2, "little")
    store.keep_sound("/audio/a.wav", bytes(wav), "")
    with pytest.raises(SoundFileError, match="8 bits"):
        store.samples("/audio/a.wav")
