"""A learned form in words that a person can compare with paper."""

import pytest

from exam.ticket_words import form_words
from exam.tickets import learn_form


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        (["202611220001", "202611220099"], "共12位：以202611开头，后接6位数字"),
        (["AB-001", "CD-002"], "共6位：2位字母、1个连字符、3位数字"),
        (["99A001", "99B002", "1234567"], "共6位：2位数字、1位字母、3位数字，或共7位：以1开头，后接6位数字"),
        (["A-11111111", "A-22222222"], "共10位：以A-开头，后接8位数字"),
        (["XX1X11", "XXX111", "XX-111"], "共6位：2位字母、1位数字、字母或连字符、1位数字或字母、2位数字"),
    ],
)
def test_what_all_numbers_share_and_what_follows(numbers: list[str], words: str) -> None:
    form = learn_form(numbers)
    assert form is not None
    assert form_words(form) == words
