"""What text some bytes are, when whoever sent them said nothing about it: UTF-8 or GB18030. Pure."""


def text_of(raw: bytes) -> str:
    """The text of bytes of undeclared encoding: UTF-8 or GB18030, whichever gives more Chinese.

    Strict UTF-8 first is not enough: 2 % of two-character GBK names are valid UTF-8 too.
    """
    if raw.isascii():
        return raw.decode("ascii")
    candidates = [text for text in (_decoded(raw, "utf-8"), _decoded(raw, "gb18030")) if text is not None]
    return max(candidates, key=_chinese_share, default=raw.decode("latin-1"))


def _decoded(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def _chinese_share(text: str) -> float:
    return sum("\u4e00" <= character <= "\u9fff" for character in text) / len(text)
