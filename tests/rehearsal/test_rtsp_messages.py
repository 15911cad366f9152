"""The words of RTSP."""

import hashlib

import pytest

from rehearsal.h264_slices import ParameterSets
from rehearsal.rtsp_messages import (
    BadRequestError,
    Login,
    Request,
    answer,
    challenge,
    h264_lines,
    is_authorised,
    parse_request,
    session_description,
)

LOGIN = Login("proctor", "Long-Enough-7")


def request_with(authorization: str) -> Request:
    return Request("DESCRIBE", "rtsp://camera/a", {"cseq": "3", "authorization": authorization})


def digest(nonce: str, password: str, user: str = "proctor") -> str:
    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    response = md5(f"{md5(f'{user}:IP Camera:{password}')}:{nonce}:{md5('DESCRIBE:rtsp://camera/a')}")
    who = f'username="{user}", realm="IP Camera", nonce="{nonce}"'
    return f'Digest {who}, uri="rtsp://camera/a", response="{response}"'


def test_a_request_is_taken_apart() -> None:
    request = parse_request(
        b"SETUP rtsp://127.0.0.1:8554/room-1/track1 RTSP/1.0\r\nCSeq: 3\r\nX-A: b: c\r\n\r\n"
    )
    assert request.method == "SETUP"
    assert request.path == "room-1"
    assert request.headers == {"cseq": "3", "x-a": "b: c"}


@pytest.mark.parametrize(
    ("url", "path"),
    [("rtsp://h:1/a", "a"), ("rtsp://h:1/a/", "a"), ("rtsp://h:1", ""), ("rtsp://h:1/a?x=1", "a"), ("*", "")],
)
def test_the_path_is_found_in_every_kind_of_address(url: str, path: str) -> None:
    assert Request("DESCRIBE", url, {}).path == path


@pytest.mark.parametrize("head", [b"GET / HTTP/1.1\r\n\r\n", b"nonsense\r\n\r\n", b"\xff\xfe\r\n\r\n"])
def test_other_protocols_are_refused(head: bytes) -> None:
    with pytest.raises(BadRequestError):
        parse_request(head)


def test_an_answer_repeats_the_number_and_counts_its_body() -> None:
    text = answer(request_with(""), "200 OK", {"Session": "1"}, "v=0\r\n").decode()
    assert text == "RTSP/1.0 200 OK\r\nCSeq: 3\r\nSession: 1\r\nContent-Length: 5\r\n\r\nv=0\r\n"


def test_a_camera_without_login_lets_everybody_in() -> None:
    assert is_authorised(request_with(""), None, "n")


def test_the_right_digest_opens() -> None:
    assert is_authorised(request_with(digest("n1", LOGIN.password)), LOGIN, "n1")


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic cHJvY3Rvcjp4",
        digest("n1", "wrong"),
        digest("n0", LOGIN.password),
        digest("n1", LOGIN.password, user="other"),
    ],
)
def test_anything_else_does_not(authorization: str) -> None:
    assert not is_authorised(request_with(authorization), LOGIN, "n1")


def test_the_challenge_names_realm_and_nonce() -> None:
    assert challenge("abc") == {"WWW-Authenticate": 'Digest realm="IP Camera", nonce="abc"'}


def test_a_password_is_not_in_what_a_login_looks_like() -> None:
    assert LOGIN.password not in repr(LOGIN)


def test_the_description_carries_the_parameter_sets() -> None:
    sdp = session_description(h264_lines(ParameterSets(b"gB\xc0\x1f", b"h\xce", 4, 23), 25))
    assert "profile-level-id=42c01f;sprop-parameter-sets=Z0LAHw==,aM4=" in sdp
    assert sdp.endswith("a=framerate:25\r\na=control:track1\r\n")
