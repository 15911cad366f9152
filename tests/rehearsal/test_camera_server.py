"""Simulated cameras as real clients meet them: addresses, login, pictures, clocks, faults."""

import itertools
import struct
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from exam.clock import SystemClock
from rehearsal.camera_control import CameraControl, ControlRefusedError
from rehearsal.camera_plan import Fault
from rehearsal.camera_server import RunningCameras, running_cameras
from rehearsal.h264_slices import NAL_SPS
from rehearsal.picture_counter import read_counter
from rehearsal.rtp import RTP_CLOCK_HZ
from rehearsal.sent_log import SentFrame
from tests.rehearsal.camera_world import (
    PASSWORD,
    RtspClient,
    ffmpeg_input,
    ffmpeg_words,
    grey_frames,
    small_plan,
)

pytestmark = pytest.mark.media
# Eight cameras of one process share two loops; each test that breaks one has its own.
NAMES = ("open", "locked", "fast", "silent", "dropping", "stalling", "seeing", "leaping")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCameras]:
    special: dict[str, dict[str, object]] = {
        "locked": {"user": "viewer", "password": PASSWORD},
        "fast": {"clock_drift_ppm": 50_000, "report_interval_s": 0.2},
        "silent": {"sender_reports": False},
        "leaping": {"report_interval_s": 0.1},
    }
    plans = [small_plan(name, **{"scene": "viva_room"} | special.get(name, {})) for name in NAMES]
    folder = tmp_path_factory.mktemp("cameras")
    with running_cameras(plans, folder, loop_seconds=2, loops=folder / "loops") as running:
        yield running


def wait_until_nobody_watches(site: RunningCameras, name: str) -> None:
    for _ in range(1500):
        if site.control.viewers()[name] == 0:
            return
        SystemClock().sleep_us(20_000)
    pytest.fail(f"somebody still watches {name}")


def test_every_decoded_picture_shows_the_counter_that_was_logged(site: RunningCameras) -> None:
    counters = [read_counter(frame) for frame in grey_frames(site["open"], 50)]
    sent = [frame.counter for frame in site["open"].sent()]
    assert None not in counters
    start = sent.index(counters[0])
    assert counters == sent[start : start + 50]


def test_ffprobe_finds_the_stream_as_described(site: RunningCameras) -> None:
    arguments, script = ffmpeg_input(site["open"])
    command = ["ffprobe", "-v", "error", *arguments, "-of", "csv=p=0"]
    command += ["-show_entries", "stream=codec_name,profile,width,height,r_frame_rate"]
    answer = subprocess.run(command, input=script, capture_output=True, check=True, timeout=60)
    assert answer.stdout.decode().split()[0] == "h264,Constrained"
    assert "640,360,25/1" in answer.stdout.decode()


def test_eight_cameras_are_watched_at_once(site: RunningCameras) -> None:
    readers = []
    for camera in site.cameras:
        arguments, script = ffmpeg_input(camera)
        command = ["ffmpeg", "-v", "error", *arguments, "-frames:v", "40", "-c", "copy"]
        reader = subprocess.Popen([*command, "-f", "h264", "pipe:1"], stdin=-1, stdout=-1, stderr=-1)
        assert reader.stdin is not None
        reader.stdin.write(script)
        reader.stdin.close()
        reader.stdin = None
        readers.append(reader)
    outputs = [reader.communicate(timeout=60)[0] for reader in readers]
    assert [reader.returncode for reader in readers] == [0] * 8
    assert all(len(output) > 10_000 for output in outputs)


def test_the_right_password_opens_and_a_wrong_one_does_not(site: RunningCameras) -> None:
    with RtspClient(site["locked"]) as client:
        assert client.ask("DESCRIBE")[0] == 401
        code, headers, body = client.login()
        assert (code, headers["content-type"]) == (200, "application/sdp")
        assert "sprop-parameter-sets" in body
    assert read_counter(grey_frames(site["locked"], 1)[0]) is not None


def test_a_password_that_was_changed_is_seen_by_ffmpeg(site: RunningCameras) -> None:
    with RtspClient(site["locked"]).play() as client:
        client.packets(1)
        site.control.start_fault("locked", Fault.WRONG_PASSWORD)
        assert len(client.packets(10_000)) < 10_000  # those who watch are sent away
    assert "401 Unauthorized" in ffmpeg_words(site["locked"])
    site.control.end_fault("locked", Fault.WRONG_PASSWORD)
    assert "401" not in ffmpeg_words(site["locked"])


def ahead_us(frame: SentFrame) -> int:
    return frame.camera_us - frame.sent_at_us


def test_sender_reports_tell_the_cameras_own_time(site: RunningCameras) -> None:
    with RtspClient(site["fast"]).play() as client:
        reports = client.reports(8)
    sent = [frame for frame in site["fast"].sent() if frame.camera_us >= reports[0].camera_us]
    by_timestamp = {frame.rtp_timestamp: frame for frame in sent}
    # The client leaves after the last report, perhaps before that report's frame.
    assert all(
        abs(report.camera_us - by_timestamp[report.timestamp].camera_us) <= 1 for report in reports[1:-1]
    )
    assert ahead_us(sent[0]) >= 7_250_000  # 7.3 s at start, and fast since
    # A busy machine sends late, never early: the frame that is most ahead is nearest to the truth.
    some = len(sent) // 3
    early, late = max(sent[:some], key=ahead_us), max(sent[-some:], key=ahead_us)
    gained = (ahead_us(late) - ahead_us(early)) / (late.camera_us - early.camera_us)
    assert 0.015 < gained < 0.065


def test_rtp_timestamps_run_with_the_cameras_clock(site: RunningCameras) -> None:
    with RtspClient(site["fast"]).play() as client:
        reports = client.reports(8)
    first, last = reports[0], reports[-1]
    by_timestamp_us = (last.timestamp - first.timestamp) * 1_000_000 // RTP_CLOCK_HZ
    assert abs(by_timestamp_us - (last.camera_us - first.camera_us)) <= 12
    assert last.packets > first.packets


def test_sender_reports_can_be_left_out(site: RunningCameras) -> None:
    with RtspClient(site["silent"]).play() as client:
        parts = [part for part, _ in zip(client.stream(), range(60), strict=False)]
    assert all(hasattr(part, "payload") for part in parts)


def test_sender_reports_can_be_switched_off_while_running(site: RunningCameras) -> None:
    site.control.start_fault("leaping", Fault.NO_SENDER_REPORTS)
    with RtspClient(site["leaping"]).play() as client:
        parts = [part for part, _ in zip(client.stream(), range(60), strict=False)]
    site.control.end_fault("leaping", Fault.NO_SENDER_REPORTS)
    assert all(hasattr(part, "payload") for part in parts)


def test_a_dropped_camera_cuts_off_and_refuses_until_it_returns(site: RunningCameras) -> None:
    camera = site["dropping"]
    with RtspClient(camera).play() as client:
        client.packets(1)
        site.control.start_fault("dropping", Fault.DROP)
        try:
            rest = len(client.packets(10_000))
        except ConnectionError:
            rest = 0
        assert rest < 10_000
    with pytest.raises(ConnectionRefusedError):
        RtspClient(camera)
    assert "Connection refused" in ffmpeg_words(camera)
    site.control.end_fault("dropping", Fault.DROP)
    assert read_counter(grey_frames(camera, 1)[0]) is not None


def test_a_stalled_camera_keeps_the_connection_and_says_nothing(site: RunningCameras) -> None:
    with RtspClient(site["stalling"]).play() as client:
        before = client.packets(5)
        client.wait_at_most(0.5)
        site.control.start_fault("stalling", Fault.STALL)
        with pytest.raises(TimeoutError):
            client.packets(10_000)
        assert site.control.viewers()["stalling"] == 1
        site.control.end_fault("stalling", Fault.STALL)
    assert before
    after = site["stalling"].sent()
    assert read_counter(grey_frames(site["stalling"], 1)[0]) is not None
    assert all(b.counter > a.counter for a, b in itertools.pairwise(after))


def test_a_stalled_camera_answers_no_request(site: RunningCameras) -> None:
    site.control.start_fault("stalling", Fault.STALL)
    with RtspClient(site["stalling"], patience_s=0.3) as client, pytest.raises(TimeoutError):
        client.ask("OPTIONS")
    site.control.end_fault("stalling", Fault.STALL)


def test_a_frozen_picture_is_sent_again_and_again(site: RunningCameras) -> None:
    site.control.start_fault("seeing", Fault.FROZEN)
    frames = grey_frames(site["seeing"], 28)
    site.control.end_fault("seeing", Fault.FROZEN)
    assert len({read_counter(frame) for frame in frames}) == 1
    assert all(np.array_equal(frame, frames[0]) for frame in frames)


def test_a_covered_lens_gives_a_black_picture(site: RunningCameras) -> None:
    site.control.start_fault("seeing", Fault.BLACK)
    frames = grey_frames(site["seeing"], 5)
    site.control.end_fault("seeing", Fault.BLACK)
    assert max(frame[:330].max() for frame in frames) <= 1
    assert None not in [read_counter(frame) for frame in frames]


@pytest.mark.parametrize("seconds", [3600.0, -3600.0])
def test_timestamps_leap_while_the_clock_runs_on(site: RunningCameras, seconds: float) -> None:
    with RtspClient(site["leaping"]).play() as client:
        before = client.reports(2)[-1]
        site.control.jump_timestamps("leaping", seconds)
        after = client.reports(3)[-1]
    leapt = (after.timestamp - before.timestamp + (1 << 31)) % (1 << 32) - (1 << 31)
    assert leapt / RTP_CLOCK_HZ == pytest.approx(seconds, abs=2)
    assert 0 < after.camera_us - before.camera_us < 2_000_000


def test_the_cameras_clock_can_be_set(site: RunningCameras) -> None:
    with RtspClient(site["leaping"]).play() as client:
        before = client.reports(2)[-1]
        site.control.step_clock("leaping", -60)
        after = client.reports(3)[-1]
    assert (after.camera_us - before.camera_us) / 1e6 == pytest.approx(-60, abs=2)


def test_another_resolution_comes_with_new_parameter_sets_in_the_same_connection(
    site: RunningCameras,
) -> None:
    with RtspClient(site["seeing"]).play() as client:
        before = client.first_payload(NAL_SPS)
        site.control.change_resolution("seeing", "848x480")
        client.first_payload(NAL_SPS, unlike=before)
    assert read_counter(grey_frames(site["seeing"], 1, (848, 480))[0]) is not None
    site.control.change_resolution("seeing", "640x360")
    assert read_counter(grey_frames(site["seeing"], 1)[0]) is not None


def test_too_many_sessions_are_refused_at_setup(site: RunningCameras) -> None:
    site.control.start_fault("open", Fault.TOO_MANY_SESSIONS)
    words = ffmpeg_words(site["open"])
    site.control.end_fault("open", Fault.TOO_MANY_SESSIONS)
    assert "453" in words


def test_a_client_that_leaves_is_forgotten(site: RunningCameras) -> None:
    with RtspClient(site["open"]).play() as client:
        client.packets(1)
        assert site.control.viewers()["open"] == 1
        assert client.base in site["open"].address
    wait_until_nobody_watches(site, "open")


def test_requests_out_of_order_or_unknown_are_answered_with_a_reason(site: RunningCameras) -> None:
    with RtspClient(site["open"]) as client:
        client.write(b"$" + struct.pack(">BH", 1, 4) + b"\0\0\0\0")  # a receiver report is skipped
        assert client.ask("OPTIONS")[0] == 200
        assert client.ask("PLAY")[0] == 455
        assert client.ask("RECORD")[0] == 405
        assert client.ask("DESCRIBE", client.base + "x")[0] == 404
        assert client.ask("SETUP", Transport="RTP/AVP;unicast;client_port=1-2")[0] == 461
        code, headers, _ = client.ask("SETUP", Transport="RTP/AVP/TCP;unicast;interleaved=4-5")
        assert (code, "interleaved=4-5" in headers["transport"]) == (200, True)
        assert client.ask("SETUP", Transport="RTP/AVP/TCP;unicast;interleaved=x")[0] == 200
        assert client.ask("SETUP", Transport="RTP/AVP/TCP;unicast")[0] == 200
        assert client.ask("GET_PARAMETER", Content_Length="0")[0] == 200
        assert client.ask("TEARDOWN")[0] == 200
        assert client.reader.read(1) == b""


def test_a_client_of_another_protocol_is_sent_away(site: RunningCameras) -> None:
    with RtspClient(site["open"]) as client:
        client.write(b"GET / HTTP/1.1\r\n\r\n")
        with suppress(ConnectionError):  # whether the end is rude depends on what was left unread
            assert client.reader.read(1) == b""


def test_control_says_why_it_refuses(site: RunningCameras) -> None:
    for ask, because in (
        (lambda control: control.start_fault("nobody", Fault.BLACK), "nobody"),
        (lambda control: control.change_resolution("open", "7x7"), "resolution"),
        (lambda control: control._ask(act="dance"), "dance"),
        (lambda control: control._ask(act="fault", camera="open", fault="rain", on=True), "rain"),
    ):
        with pytest.raises(ControlRefusedError, match=because):
            ask(site.control)


def test_packets_are_numbered_without_a_hole(site: RunningCameras) -> None:
    with RtspClient(site["silent"]).play() as client:
        numbers = [packet.sequence for packet in client.packets(60)]
    assert [number - numbers[0] & 0xFFFF for number in numbers] == list(range(60))


def test_the_server_ends_with_its_parent(tmp_path: Path) -> None:
    plans = [small_plan("a", scene="viva_room")]
    with running_cameras(plans, tmp_path, loop_seconds=2, loops=tmp_path) as running:
        control = CameraControl(running.control.port)
    with pytest.raises((ControlRefusedError, ConnectionError)):
        control.viewers()
    control.close()


def test_a_camera_that_is_overloaded_or_hangs_up_says_so_each_time(site: RunningCameras) -> None:
    for fault, words in ((Fault.SERVICE_UNAVAILABLE, "503 Service Unavailable"), (Fault.HANGS_UP, "")):
        site.control.start_fault("open", fault)
        said = ffmpeg_words(site["open"])
        site.control.end_fault("open", fault)
        assert words in said
        assert said
