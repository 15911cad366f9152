"""The one-time text by which a machine becomes a kiosk: both forms, and every way it can be broken."""

import json

import pytest

from exam.enrolment import EnrolmentText, EnrolmentTextError, enrolment_message, parse, roll_message

FINGERPRINT = "ab" * 32
TEXT = EnrolmentText("https://192.168.1.5:8600", "k7qmk7qmk7qmk7qm", FINGERPRINT)
LOCAL = EnrolmentText("http://127.0.0.1:8600", "k7qmk7qmk7qmk7qm", "")


@pytest.mark.parametrize("text", [TEXT, LOCAL])
def test_line_and_code_say_the_same(text: EnrolmentText) -> None:
    assert parse(text.to_line()) == parse(text.to_json()) == text


def test_the_code_holds_version_address_token_and_fingerprint() -> None:
    assert json.loads(TEXT.to_json()) == {"v": 1, "url": TEXT.url, "token": TEXT.token, "fp": FINGERPRINT}


def test_what_people_type_may_be_in_large_letters_with_colons() -> None:
    typed = (
        f"kze1  {TEXT.url} {TEXT.token.upper()} {':'.join([FINGERPRINT[:32].upper(), FINGERPRINT[32:]])}\n"
    )
    assert parse(typed) == TEXT


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "must be"),
        ("hello", "must be"),
        ("KZE1", "must be"),
        ("KZE1 https://a b c d", "must be"),
        ("{", "not read whole"),
        ('{"v":2}', "version 2"),
        ("{}", "version None"),
        (f"KZE1 192.168.1.5 {TEXT.token} {FINGERPRINT}", "address"),
        (f"KZE1 https://[::1 {TEXT.token} {FINGERPRINT}", "address"),
        (f"KZE1 https://a:99999 {TEXT.token} {FINGERPRINT}", "address"),
        (f"KZE1 http://192.168.1.5:8600 {TEXT.token}", "over https"),
        (f"KZE1 {TEXT.url} short {FINGERPRINT}", "token"),
        (f"KZE1 {TEXT.url} 0000000000000000 {FINGERPRINT}", "token"),
        (f"KZE1 {TEXT.url} {TEXT.token}", "fingerprint"),
        (f"KZE1 {TEXT.url} {TEXT.token} {FINGERPRINT[1:]}", "fingerprint"),
    ],
)
def test_a_text_that_is_none_is_refused_with_the_reason(text: str, fault: str) -> None:
    with pytest.raises(EnrolmentTextError, match=fault):
        parse(text)


def test_what_is_signed_names_its_purpose_and_everything_it_is_about() -> None:
    assert enrolment_message("token", b"key") == b"kaochang kiosk enrolment/1\ntoken\nkey"
    assert roll_message("uuid", "token", 7) == b"kaochang kiosk roll/1\nuuid\ntoken\n7"
