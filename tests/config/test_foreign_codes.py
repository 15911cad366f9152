"""The list of codes that are no ticket: its faults are named, its forms lead to hints."""

from pathlib import Path

import pytest

from config.foreign_codes import ForeignCodesError, load_foreign_codes


def test_the_list_in_force_knows_what_people_show() -> None:
    codes = load_foreign_codes()
    assert codes.hint_for("HTTPS://EXAMPLE.CN/A") == "foreign"
    assert codes.hint_for("begin:vcard\nname") == "foreign"
    assert codes.hint_for("6" * 28) == "dynamic_id"
    assert codes.hint_for("202611220001") is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("code = 1", "code"),
        ('[[code]]\nname = "x"\nshown = "secret"\npattern = "a"', "code.0.shown"),
        ('[[code]]\nname = "x"\nshown = "foreign"\npattern = "("', "code.0.pattern"),
        ("not toml", "cannot be read"),
    ],
)
def test_a_list_that_cannot_be_used_is_named_with_its_faults(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "codes.toml"
    path.write_text(text)
    with pytest.raises(ForeignCodesError, match=named):
        load_foreign_codes(path)
