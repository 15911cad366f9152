import pytest

from evidence.footage import Cause
from recorder.capture_words import (
    ClosedLine,
    FrameCount,
    MediaTime,
    StillGoing,
    Word,
    cause_of,
    scrubbed,
    understand,
)


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("frame=125", FrameCount(125)),
        ("out_time_us=5000078", MediaTime(5_000_078)),
        ("out_time_us=-40000", MediaTime(-40_000)),
        ("progress=continue", StillGoing()),
        ("a_b_000001.mp4,6.880000,12.880000\n", ClosedLine("a_b_000001.mp4", 12_880_000)),
    ],
)
def test_the_words_that_matter_are_understood(line: str, word: Word) -> None:
    assert understand(line) == word


@pytest.mark.parametrize(
    "line", ["", "fps=25.0", "out_time_us=N/A", "frame=N/A", "progress=end", "a,b,c", "x.mp4"]
)
def test_the_rest_is_ignored(line: str) -> None:
    assert understand(line) is None


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (["method DESCRIBE failed: 401 Unauthorized", "x"], Cause.UNAUTHORIZED),
        (["method DESCRIBE failed: 403 Forbidden"], Cause.UNAUTHORIZED),
        (["Connection to tcp://10.0.0.9:554 failed: Connection refused"], Cause.REFUSED),
        (["method DESCRIBE failed: 404 Stream Not Found"], Cause.REFUSED),
        (["method SETUP failed: 453 Not Enough Bandwidth"], Cause.TOO_MANY_SESSIONS),
        (["method DESCRIBE failed: 503 Service Unavailable"], Cause.TOO_MANY_SESSIONS),
        (["Too many packets buffered for output stream 0:0."], Cause.UNPLAYABLE),
        (["Server returned 5XX Server Error reply"], Cause.REFUSED),
        (["pipe:0: Connection timed out"], Cause.UNREACHABLE),
        (["No route to host"], Cause.UNREACHABLE),
        (["Failed to resolve hostname camera-3: Name or service not known"], Cause.UNREACHABLE),
        (["Could not write header for output file"], Cause.UNPLAYABLE),
        (["[segment] [error] dimensions not set", "Could not write header"], Cause.UNREACHABLE),
        (["av_interleaved_write_frame(): No space left on device"], Cause.DISK_FULL),
        (["av_interleaved_write_frame(): Disk quota exceeded"], Cause.DISK_FULL),
        (["av_interleaved_write_frame(): Input/output error"], Cause.DISK_FAULT),
        (["Failed to open segment 'x'", "Read-only file system"], Cause.DISK_FAULT),
    ],
)
def test_the_last_words_tell_the_cause(words: list[str], cause: Cause) -> None:
    assert cause_of(words, has_recorded=False) is cause


def test_without_telling_words_it_matters_whether_pictures_had_come() -> None:
    assert cause_of([], has_recorded=True) is Cause.CAMERA_CLOSED
    assert cause_of(["pipe:0: Invalid data found"], has_recorded=False) is Cause.UNREACHABLE


def test_no_login_survives_in_what_a_child_says() -> None:
    line = "Impossible to open 'rtsp://admin:p%27w@10.0.0.9/x' with p'w and p%27w"
    clean = scrubbed(line, ["p'w", "p%27w"])
    assert clean == "Impossible to open 'rtsp://***@10.0.0.9/x' with *** and ***"


def test_a_secret_that_is_a_part_of_another_does_not_spoil_it() -> None:
    assert scrubbed("p%27w", ["p", "p%27w"]) == "***"
