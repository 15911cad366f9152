"""The text of bytes of which nobody said what they are."""

import pytest

from kiosk.encodings import text_of


@pytest.mark.parametrize("name", ["张三", "三", "欧阳修", "阿卜杜热西提·买买提"])
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_chinese_names_are_read_in_either_encoding(name: str, encoding: str) -> None:
    assert text_of(name.encode(encoding)) == name


def test_bytes_that_are_no_text_do_not_stop_anything() -> None:
    assert text_of(b"\xff\xfe\x81") == "ÿþ\x81"
    assert text_of(b"abc") == "abc"
